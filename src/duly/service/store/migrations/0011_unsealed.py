"""Which audit rows wait for the sealer, so that it need not look through all that it sealed.

A statement that writes audit rows notes them here in its own transaction; the sealer takes them out
where it seals them. Reading the whole log each second took half a second of two cores at two
million rows.
"""

from __future__ import annotations

from django.db import migrations, models

_FORWARD = """
CREATE FUNCTION store_audit_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO store_unsealed (audit_id) SELECT id FROM written;
    RETURN NULL;
END $$;
INSERT INTO store_unsealed (audit_id) SELECT a.id FROM store_audit AS a
    WHERE NOT EXISTS (SELECT FROM store_sealed AS s WHERE s.audit_id = a.id);
CREATE TRIGGER audit_waits AFTER INSERT ON store_audit
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION store_audit_waits();
"""
_BACKWARD = """
DROP TRIGGER audit_waits ON store_audit;
DROP FUNCTION store_audit_waits();
"""


class Migration(migrations.Migration):
    """A table and the trigger that fills it."""

    dependencies = [("store", "0010_figures")]
    operations = [
        migrations.CreateModel(
            name="Unsealed",
            fields=[("audit_id", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.RunSQL(_FORWARD, _BACKWARD),
    ]
