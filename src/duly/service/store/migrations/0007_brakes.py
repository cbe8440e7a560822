"""Brakes of a run, recalls with the people they hold; a correction is a run of its own kind."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0006_reserved"),
    ]

    operations = [
        migrations.CreateModel(
            name="Brake",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=20)),
                ("state", models.CharField(max_length=10)),
                ("figures", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Recall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scope", models.CharField(max_length=10)),
                ("name", models.CharField(max_length=200)),
                ("by", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Recalled",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="recalled",
                        serialize=False,
                        to="store.message",
                    ),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="run",
            name="run_one_a_business_date",
        ),
        migrations.AddField(
            model_name="run",
            name="kind",
            field=models.CharField(db_default="plan", default="plan", max_length=10),
        ),
        migrations.AddField(
            model_name="run",
            name="loans_count",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="payments_count",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ("plan", "correction"))), name="run_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("kind", "plan"), models.Q(("state", "superseded"), _negated=True)
                ),
                fields=("business_date",),
                name="run_one_a_business_date",
            ),
        ),
        migrations.AddField(
            model_name="brake",
            name="run",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, to="store.run"
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="borrower",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to="store.borrower"
            ),
        ),
        migrations.AddConstraint(
            model_name="recall",
            constraint=models.CheckConstraint(
                condition=models.Q(("scope__in", ("run", "template"))), name="recall_scope"
            ),
        ),
        migrations.AddConstraint(
            model_name="recall",
            constraint=models.UniqueConstraint(fields=("scope", "name"), name="recall_once"),
        ),
        migrations.AddField(
            model_name="hold",
            name="recall",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="store.recall"),
        ),
        migrations.AddField(
            model_name="recalled",
            name="correction",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrects",
                to="store.message",
            ),
        ),
        migrations.AddField(
            model_name="recalled",
            name="recall",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="store.recall"),
        ),
        migrations.AddConstraint(
            model_name="brake",
            constraint=models.UniqueConstraint(fields=("run", "name"), name="brake_once_a_run"),
        ),
        migrations.AddConstraint(
            model_name="brake",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("name__in", ("messages", "loans", "payments", "quarantine", "days_past_due"))
                ),
                name="brake_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="brake",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ("passed", "broken", "unasked"))),
                name="brake_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.UniqueConstraint(fields=("recall", "borrower"), name="hold_once"),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="hold_window"
            ),
        ),
    ]
