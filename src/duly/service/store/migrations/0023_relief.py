"""What somebody has filled in of a request for relief."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0022_lighter_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="PortalDraft",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("borrower_id", models.CharField(max_length=200)),
                ("loan_id", models.CharField(max_length=200)),
                ("ciphertext", models.BinaryField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="store.borrowerkey"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["at"], name="portal_draft_at")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("borrower_id", "loan_id"), name="portal_draft_loan"
                    )
                ],
            },
        ),
    ]
