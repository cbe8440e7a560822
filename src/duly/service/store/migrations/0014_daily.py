"""Business dates that the service runs by itself; runs of days that were over are `missed`."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0013_retries"),
    ]

    operations = [
        migrations.CreateModel(
            name="BusinessDay",
            fields=[
                ("business_date", models.DateField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(db_default="expected", default="expected", max_length=10),
                ),
                ("attempts", models.IntegerField(db_default=0, default=0)),
                ("failures", models.IntegerField(db_default=0, default=0)),
                ("at", models.DateTimeField(null=True)),
                ("begun_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("retry_at", models.DateTimeField(null=True)),
                ("book_sha256", models.CharField(max_length=64, null=True)),
                ("book_seen", models.CharField(max_length=64, null=True)),
                ("plans", models.SmallIntegerField(db_default=0, default=0)),
                ("plan", models.CharField(max_length=200, null=True)),
                ("diagnostics", models.JSONField(default=list)),
                (
                    "opened_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="run",
            name="run_state",
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("planned", "released", "superseded", "stopped", "missed"))
                ),
                name="run_state",
            ),
        ),
        migrations.AddField(
            model_name="businessday",
            name="run",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, to="store.run"
            ),
        ),
        migrations.AddIndex(
            model_name="businessday",
            index=models.Index(
                condition=models.Q(("state__in", ("expected", "begun", "waiting"))),
                fields=["business_date"],
                name="business_day_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="businessday",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("expected", "begun", "waiting", "done", "missed", "skipped"))
                ),
                name="business_day_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="businessday",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ("done", "missed")), _negated=True),
                    ("run__isnull", False),
                    _connector="OR",
                ),
                name="business_day_has_run",
            ),
        ),
    ]
