"""Codes that were asked for, who is signed in to the pages, what was handed in."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0016_answers"),
    ]

    operations = [
        migrations.CreateModel(
            name="PortalCode",
            fields=[
                ("name_sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("state", models.CharField(db_default="asked", default="asked", max_length=10)),
                ("number", models.CharField(db_default="", default="", max_length=200)),
                ("locale", models.CharField(max_length=20)),
                ("borrower_id", models.CharField(max_length=200, null=True)),
                ("code_mark", models.CharField(max_length=64)),
                ("tries", models.SmallIntegerField(db_default=0, default=0)),
                (
                    "asked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("ends_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="PortalPaper",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("borrower_id", models.CharField(max_length=200)),
                ("signal_id", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=40)),
                ("ciphertext", models.BinaryField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="PortalSession",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("token_sha256", models.CharField(max_length=64, unique=True)),
                ("former_sha256", models.CharField(max_length=64, null=True, unique=True)),
                ("borrower_id", models.CharField(max_length=200)),
                ("by", models.CharField(max_length=10)),
                (
                    "began_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "changed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "seen_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="message",
            name="message_once_a_day_and_class",
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("state__in", ("cancelled", "expired", "blocked")), _negated=True),
                    models.Q(("template", "sign_in_code"), _negated=True),
                ),
                fields=("borrower", "business_date", "message_class"),
                name="message_once_a_day_and_class",
            ),
        ),
        migrations.AddIndex(
            model_name="portalcode",
            index=models.Index(
                condition=models.Q(("state", "asked")),
                fields=["asked_at"],
                name="portal_code_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="portalcode",
            index=models.Index(fields=["borrower_id"], name="portal_code_borrower"),
        ),
        migrations.AddIndex(
            model_name="portalcode",
            index=models.Index(fields=["ends_at"], name="portal_code_ends"),
        ),
        migrations.AddConstraint(
            model_name="portalcode",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ("asked", "sent", "none", "used"))),
                name="portal_code_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="portalcode",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "asked"), ("number", ""), _connector="OR"),
                name="portal_code_number_forgotten",
            ),
        ),
        migrations.AddField(
            model_name="portalpaper",
            name="key",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to="store.borrowerkey"
            ),
        ),
        migrations.AddIndex(
            model_name="portalsession",
            index=models.Index(fields=["borrower_id"], name="portal_session_borrower"),
        ),
        migrations.AddIndex(
            model_name="portalsession",
            index=models.Index(fields=["seen_at"], name="portal_session_seen"),
        ),
        migrations.AddConstraint(
            model_name="portalsession",
            constraint=models.CheckConstraint(
                condition=models.Q(("by__in", ("code", "hand_over"))), name="portal_session_by"
            ),
        ),
        migrations.AddIndex(
            model_name="portalpaper",
            index=models.Index(fields=["borrower_id", "signal_id"], name="portal_paper_borrower"),
        ),
        migrations.AddConstraint(
            model_name="portalpaper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ("text/plain", "application/pdf", "image/jpeg", "image/png"))
                ),
                name="portal_paper_kind",
            ),
        ),
    ]
