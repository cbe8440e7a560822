"""To whom a task was handed, and what was done about it."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0025_staff"),
    ]

    operations = [
        migrations.AddField(
            model_name="task",
            name="for_role",
            field=models.CharField(max_length=20, null=True),
        ),
        migrations.CreateModel(
            name="TaskNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("borrower_id", models.CharField(max_length=200, null=True)),
                ("kind", models.CharField(max_length=20)),
                ("by", models.CharField(max_length=200)),
                ("code", models.CharField(max_length=40)),
                ("contact_id", models.CharField(max_length=200, null=True)),
                ("ciphertext", models.BinaryField(null=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="store.borrowerkey",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="store.task"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["borrower_id", "at"], name="task_note_borrower"),
                    models.Index(
                        condition=models.Q(("contact_id__isnull", False)),
                        fields=["contact_id"],
                        name="task_note_contact",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ("handed_over", "closed", "called", "promised"))
                        ),
                        name="task_note_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ciphertext__isnull", True), ("key__isnull", True)),
                            models.Q(("ciphertext__isnull", False), ("key__isnull", False)),
                            _connector="OR",
                        ),
                        name="task_note_sealed",
                    ),
                ],
            },
        ),
    ]
