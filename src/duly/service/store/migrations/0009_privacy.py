"""Keys of borrowers, deletions, legal holds, kept sources; rows that a deletion may empty."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

#: Contacts and events are only ever added, save that a deletion, which writes itself down in the
#: same transaction, takes away the address of the one and the whole of the other.
_FORWARD = """
CREATE FUNCTION store_is_deleting() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM store_deletion WHERE made_at = now())
$$;
CREATE FUNCTION store_contact_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.address IS NULL AND EXISTS (SELECT 1 FROM store_deletion
            WHERE made_at = now() AND borrower_id = OLD.borrower_id) THEN
        OLD.address := NULL;
        IF OLD IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'only_added';
END $$;
CREATE FUNCTION store_event_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND store_is_deleting() THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'only_added';
END $$;
CREATE FUNCTION store_key_stays_destroyed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.wrapped IS NOT NULL AND NEW.borrower_id = OLD.borrower_id THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the key % is kept or destroyed, never changed', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'key_stays_destroyed';
END $$;
DROP TRIGGER only_added ON store_contact;
DROP TRIGGER only_added ON store_event;
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON store_contact
    FOR EACH ROW EXECUTE FUNCTION store_contact_only_added();
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON store_event
    FOR EACH ROW EXECUTE FUNCTION store_event_only_added();
CREATE TRIGGER stays_destroyed BEFORE UPDATE OR DELETE ON store_borrowerkey
    FOR EACH ROW EXECUTE FUNCTION store_key_stays_destroyed();
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON store_deletion
    FOR EACH ROW EXECUTE FUNCTION store_only_added();
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON store_source
    FOR EACH ROW EXECUTE FUNCTION store_only_added();
"""
_BACKWARD = """
DROP TRIGGER only_added ON store_source;
DROP TRIGGER only_added ON store_deletion;
DROP TRIGGER stays_destroyed ON store_borrowerkey;
DROP TRIGGER only_added ON store_event;
DROP TRIGGER only_added ON store_contact;
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON store_contact
    FOR EACH ROW EXECUTE FUNCTION store_only_added();
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON store_event
    FOR EACH ROW EXECUTE FUNCTION store_only_added();
DROP FUNCTION store_key_stays_destroyed();
DROP FUNCTION store_event_only_added();
DROP FUNCTION store_contact_only_added();
DROP FUNCTION store_is_deleting();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0008_replies"),
    ]

    operations = [
        migrations.CreateModel(
            name="Deletion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("borrower_id", models.CharField(max_length=200)),
                ("by", models.CharField(max_length=200)),
                ("because", models.CharField(max_length=500)),
                ("under", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("made_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("borrower_id", models.CharField(max_length=200)),
                ("by", models.CharField(max_length=200)),
                ("because", models.CharField(max_length=500)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("lifted_by", models.CharField(max_length=200, null=True)),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=200)),
                ("text", models.TextField()),
            ],
        ),
        migrations.AlterField(
            model_name="audit",
            name="payload",
            field=models.TextField(db_column="payload", null=True),
        ),
        migrations.RenameField(
            model_name="audit",
            old_name="payload",
            new_name="plain",
        ),
        migrations.AddField(
            model_name="audit",
            name="ciphertext",
            field=models.BinaryField(null=True),
        ),
        migrations.AlterField(
            model_name="audit",
            name="salt",
            field=models.BinaryField(max_length=16, null=True),
        ),
        migrations.CreateModel(
            name="BorrowerKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("borrower_id", models.CharField(max_length=200)),
                ("wrapped", models.BinaryField(max_length=60, null=True)),
                ("master", models.CharField(max_length=100)),
                (
                    "made_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("destroyed_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["borrower_id"], name="borrower_key_borrower"),
                    models.Index(
                        condition=models.Q(("wrapped__isnull", False)),
                        fields=["master"],
                        name="borrower_key_master",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("destroyed_at__isnull", False), ("wrapped__isnull", True)),
                            models.Q(("destroyed_at__isnull", True), ("wrapped__isnull", False)),
                            _connector="OR",
                        ),
                        name="borrower_key_destroyed",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("wrapped__isnull", False)),
                        fields=("borrower_id",),
                        name="borrower_key_one_alive",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="audit",
            name="key",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, to="store.borrowerkey"
            ),
        ),
        migrations.AddConstraint(
            model_name="audit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ciphertext__isnull", True),
                        ("key__isnull", True),
                        ("plain__isnull", False),
                        ("salt__isnull", False),
                    ),
                    models.Q(
                        ("ciphertext__isnull", False),
                        ("key__isnull", False),
                        ("plain__isnull", True),
                        ("salt__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="audit_plain_or_sealed",
            ),
        ),
        migrations.AddIndex(
            model_name="deletion",
            index=models.Index(fields=["borrower_id"], name="deletion_borrower"),
        ),
        migrations.AddIndex(
            model_name="deletion",
            index=models.Index(fields=["made_at"], name="deletion_made"),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at__isnull", True)),
                fields=("borrower_id",),
                name="legal_hold_one_standing",
            ),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lifted_at__isnull", True), ("lifted_by__isnull", True)),
                    models.Q(("lifted_at__isnull", False), ("lifted_by__isnull", False)),
                    _connector="OR",
                ),
                name="legal_hold_lifted",
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ("pack", "policy", "template"))),
                name="source_kind",
            ),
        ),
        migrations.AddIndex(model_name="root", index=models.Index(fields=["at"], name="root_at")),
        migrations.RunSQL(_FORWARD, _BACKWARD),
    ]
