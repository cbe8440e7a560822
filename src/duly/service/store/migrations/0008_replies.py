"""Replies as they are read and acted upon, and the tasks of people that follow."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0007_brakes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reply",
            fields=[
                (
                    "report",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to="store.report",
                    ),
                ),
                ("route", models.CharField(max_length=100)),
                ("address", models.CharField(max_length=320)),
                ("address_key", models.CharField(max_length=200)),
                ("sent_to", models.CharField(db_default="", default="", max_length=200)),
                ("text", models.TextField()),
                ("said_at", models.DateTimeField(null=True)),
                (
                    "heard_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("fingerprint", models.CharField(max_length=64)),
                ("state", models.CharField(db_default="new", default="new", max_length=10)),
                ("whose", models.CharField(max_length=10, null=True)),
                ("borrower_id", models.CharField(max_length=200, null=True)),
                ("loan_id", models.CharField(max_length=200, null=True)),
                ("message_id", models.CharField(max_length=64, null=True)),
                ("reading", models.JSONField(null=True)),
                ("reader", models.CharField(db_default="", default="", max_length=64)),
                ("signals", models.JSONField(null=True)),
                ("error", models.CharField(db_default="", default="", max_length=200)),
                ("acted_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "new")),
                        fields=["report"],
                        name="reply_waiting",
                    ),
                    models.Index(fields=["address_key", "heard_at"], name="reply_number"),
                    models.Index(fields=["borrower_id", "heard_at"], name="reply_borrower"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("fingerprint",), name="reply_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ("new", "acted", "person"))),
                        name="reply_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("whose__isnull", True),
                            ("whose__in", ("one", "several", "nobody")),
                            _connector="OR",
                        ),
                        name="reply_whose",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "new"), ("acted_at__isnull", False), _connector="OR"
                        ),
                        name="reply_acted_has_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("priority", models.SmallIntegerField()),
                ("borrower_id", models.CharField(max_length=200, null=True)),
                ("loan_id", models.CharField(max_length=200, null=True)),
                (
                    "opened_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by", models.CharField(max_length=200, null=True)),
                ("outcome", models.CharField(max_length=200, null=True)),
                (
                    "reply",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to="store.reply"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=["priority", "opened_at", "id"],
                        name="task_open",
                    ),
                    models.Index(fields=["borrower_id"], name="task_borrower"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("reply", "kind"), name="task_once_a_reply"),
                    models.CheckConstraint(
                        condition=models.Q(("priority__range", (0, 9))), name="task_priority"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("closed_at__isnull", True),
                                ("closed_by__isnull", True),
                                ("outcome__isnull", True),
                            ),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("closed_by__isnull", False),
                                ("outcome__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="task_closed_whole",
                    ),
                ],
            },
        ),
    ]
