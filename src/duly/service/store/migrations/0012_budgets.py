"""What a day may cost, leased to workers in blocks.

`granted` of a day is the sum of its leases, kept by a trigger: with `spent <= granted` of each
lease and `granted <= ceiling` of the day, no statement whatever can spend beyond the ceiling.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

_FORWARD = """
CREATE FUNCTION store_lease_is_of_budget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    more bigint := coalesce(NEW.granted, 0) - coalesce(OLD.granted, 0);
BEGIN
    IF more <> 0 THEN
        UPDATE store_budget SET granted = granted + more,
            ceiling = CASE WHEN more < 0 THEN greatest("limit", granted + more) ELSE ceiling END
        WHERE day = coalesce(NEW.day, OLD.day);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lease_is_of_budget AFTER INSERT OR DELETE OR UPDATE OF granted ON store_lease
    FOR EACH ROW EXECUTE FUNCTION store_lease_is_of_budget();
"""
_BACKWARD = """
DROP TRIGGER lease_is_of_budget ON store_lease;
DROP FUNCTION store_lease_is_of_budget();
"""


class Migration(migrations.Migration):
    """Two tables and the trigger between them."""

    dependencies = [("store", "0011_unsealed")]
    operations = [
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("limit", models.BigIntegerField()),
                ("ceiling", models.BigIntegerField()),
                ("granted", models.BigIntegerField(db_default=0, default=0)),
                ("said_at", models.DateTimeField()),
                ("exhausted_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(granted__gte=0) & Q(granted__lte=F("ceiling")),
                        name="budget_granted",
                    ),
                    models.CheckConstraint(
                        condition=Q(limit__gte=0) & Q(ceiling__gte=F("limit")),
                        name="budget_ceiling",
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "worker", blank=True, editable=False, primary_key=True,
                        serialize=False,
                    ),
                ),
                ("worker", models.BigIntegerField()),
                ("granted", models.BigIntegerField()),
                ("spent", models.BigIntegerField(db_default=0, default=0)),
                ("beyond", models.BigIntegerField(db_default=0, default=0)),
                (
                    "day",
                    models.ForeignKey(
                        db_column="day",
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="store.budget",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["day"], condition=Q(granted__gt=F("spent")), name="lease_unspent"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(spent__gte=0) & Q(spent__lte=F("granted")), name="lease_spent"
                    ),
                    models.CheckConstraint(condition=Q(beyond__gte=0), name="lease_beyond"),
                ],
            },
        ),
        migrations.RunSQL(_FORWARD, _BACKWARD),
    ]  # fmt: skip
