"""Retries after a certain no, routes that were passed, dead letters.

The order of states gets two ways back to `released`, and the database itself asks for the proof:
every submission of the message was answered, none was taken, no part of it has a name.
"""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

#: Contract, section 5, as 0002 has it.
_AFTER = {
    "planned": ("released", "cancelled", "expired", "blocked"),
    "released": ("claimed", "cancelled", "expired", "blocked"),
    "claimed": ("released", "submitted", "cancelled", "expired", "blocked"),
    "submitted": ("accepted", "undelivered", "unknown"),
    "accepted": ("delivered", "undelivered", "unknown"),
    "unknown": ("accepted", "delivered", "undelivered"),
    "undelivered": ("delivered",),
}
_ALLOWED = ", ".join(f"('{old}', '{new}')" for old, news in _AFTER.items() for new in news)
_REFUSED = """
        RAISE EXCEPTION 'message % may not go from % to %', OLD.message_id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'message_goes_forward';
"""
_FORWARD = f"""
CREATE FUNCTION store_message_untaken(name text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM store_attempt AS a WHERE a.message_id = name)
        AND NOT EXISTS (SELECT FROM store_attempt AS a WHERE a.message_id = name
            AND (a.outcome IS NULL OR a.outcome NOT IN ('refused', 'throttled', 'not_sent')
                OR a.code LIKE 'DULY:partial%'))
        AND NOT EXISTS (SELECT FROM store_part AS p WHERE p.message_id = name)
$$;
CREATE OR REPLACE FUNCTION store_message_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) IN ({_ALLOWED}) THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'released' AND store_message_untaken(OLD.message_id) AND (
        OLD.state = 'submitted'
        OR OLD.state = 'undelivered' AND EXISTS (SELECT FROM store_deadletter AS d
            WHERE d.message_id = OLD.message_id AND d.attempts = OLD.attempts
                AND d.ended = 'retried')) THEN
        RETURN NEW;
    END IF;{_REFUSED}
END $$;
"""
_BACKWARD = f"""
CREATE OR REPLACE FUNCTION store_message_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN ({_ALLOWED}) THEN{_REFUSED}
    END IF;
    RETURN NEW;
END $$;
DROP FUNCTION store_message_untaken(text);
"""


class Migration(migrations.Migration):
    """Two tables, two columns, and the trigger."""

    dependencies = [("store", "0012_budgets")]
    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=30)),
                ("route", models.CharField(db_default="", default="", max_length=100)),
                ("code", models.CharField(db_default="", default="", max_length=200)),
                ("attempts", models.SmallIntegerField()),
                (
                    "at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("ended", models.CharField(max_length=10, null=True)),
                ("ended_by", models.CharField(max_length=200, null=True)),
                ("ended_why", models.CharField(max_length=200, null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RouteWatch",
            fields=[
                ("route", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("away_since", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="message",
            name="passed_routes",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="message", name="retry_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("retry_at__isnull", False), ("state", "released")),
                fields=["retry_at"],
                name="message_retry",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(
                    ("state", "released"), models.Q(("passed_routes", []), _negated=True)
                ),
                fields=["channel", "message_class"],
                name="message_passed",
            ),
        ),
        migrations.AddField(
            model_name="deadletter",
            name="message",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to="store.message"
            ),
        ),
        migrations.AddIndex(
            model_name="deadletter",
            index=models.Index(
                condition=models.Q(("ended__isnull", True)),
                fields=["at", "id"],
                name="dead_letter_listed",
            ),
        ),
        migrations.AddConstraint(
            model_name="deadletter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "reason__in",
                        (
                            "number_refused", "text_refused", "partly_sent", "refused",
                            "no_attempt_left", "no_route_left", "window_over", "answered_late",
                        ),
                    )
                ),
                name="dead_letter_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="deadletter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ended__isnull", True),
                        ("ended_at__isnull", True),
                        ("ended_by__isnull", True),
                        ("ended_why__isnull", True),
                    ),
                    models.Q(
                        ("ended__in", ("retried", "closed")),
                        ("ended_at__isnull", False),
                        ("ended_by__isnull", False),
                        ("ended_why__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="dead_letter_ended",
            ),
        ),
        migrations.AddConstraint(
            model_name="deadletter",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended__isnull", True)),
                fields=("message",),
                name="dead_letter_open",
            ),
        ),
        migrations.RunSQL(_FORWARD, _BACKWARD),
    ]  # fmt: skip
