"""Who of the staff may sign in to the console, and who is signed in."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0023_relief"),
    ]

    operations = [
        migrations.CreateModel(
            name="Staff",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("role", models.CharField(max_length=20)),
                ("password", models.CharField(max_length=200)),
                ("secret", models.BinaryField()),
                ("step", models.BigIntegerField(db_default=0, default=0)),
                ("recovery", models.JSONField()),
                ("failures", models.SmallIntegerField(db_default=0, default=0)),
                ("locked_until", models.DateTimeField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("signed_in_at", models.DateTimeField(null=True)),
                ("disabled_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "role__in",
                                (
                                    "agent",
                                    "team_lead",
                                    "strategy",
                                    "compliance",
                                    "auditor",
                                    "admin",
                                ),
                            )
                        ),
                        name="staff_role",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StaffSession",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("token_sha256", models.CharField(max_length=64, unique=True)),
                ("former_sha256", models.CharField(max_length=64, null=True, unique=True)),
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
                (
                    "staff",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="store.staff"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["seen_at"], name="staff_session_seen")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("by__in", ("code", "recovery"))),
                        name="staff_session_by",
                    )
                ],
            },
        ),
    ]
