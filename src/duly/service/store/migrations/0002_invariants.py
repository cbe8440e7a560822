"""Invariants that no constraint can say: the order of states, and rows that are only added."""

from __future__ import annotations

from django.db import migrations

#: Contract, section 5. Frozen here as it was; a later order of states is a later migration.
_AFTER = {
    "planned": ("released", "cancelled", "expired", "blocked"),
    "released": ("claimed", "cancelled", "expired", "blocked"),
    "claimed": ("released", "submitted", "cancelled", "expired", "blocked"),
    "submitted": ("accepted", "undelivered", "unknown"),
    "accepted": ("delivered", "undelivered", "unknown"),
    "unknown": ("accepted", "delivered", "undelivered"),
    "undelivered": ("delivered",),
    "delivered": (),
    "cancelled": (),
    "expired": (),
    "blocked": (),
}
_ALLOWED = ", ".join(f"('{old}', '{new}')" for old, news in _AFTER.items() for new in news)
_ADDED_ONLY = ("store_contact", "store_audit", "store_sealed", "store_node")

_FORWARD = f"""
CREATE FUNCTION store_message_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN ({_ALLOWED}) THEN
        RAISE EXCEPTION 'message % may not go from % to %', OLD.message_id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'message_goes_forward';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER message_goes_forward BEFORE UPDATE OF state ON store_message
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION store_message_goes_forward();
CREATE FUNCTION store_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'only_added';
END $$;
"""
_BACKWARD = """
DROP TRIGGER message_goes_forward ON store_message;
DROP FUNCTION store_message_goes_forward();
DROP FUNCTION store_only_added() CASCADE;
"""


def _guards() -> str:
    return "".join(
        f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION store_only_added();\n"
        for table in _ADDED_ONLY
    )


class Migration(migrations.Migration):
    """Triggers."""

    dependencies = [("store", "0001_first")]
    operations = [migrations.RunSQL(_FORWARD + _guards(), _BACKWARD)]
