"""Policies that people propose, compare and publish; what stands there is never edited."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

_FORWARD = """
CREATE FUNCTION store_policy_as_proposed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL
        OR (OLD.sha256, OLD.name, OLD.version, OLD.text, OLD."by", OLD.at)
            IS DISTINCT FROM (NEW.sha256, NEW.name, NEW.version, NEW.text, NEW."by", NEW.at) THEN
        RAISE EXCEPTION 'a proposal stays as it was made'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_as_proposed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER policy_as_proposed BEFORE UPDATE OR DELETE ON store_policyproposal
    FOR EACH ROW EXECUTE FUNCTION store_policy_as_proposed();
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON store_policypublication
    FOR EACH ROW EXECUTE FUNCTION store_only_added();
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON store_policycomparison
    FOR EACH ROW EXECUTE FUNCTION store_only_added();
"""
_BACKWARD = """
DROP TRIGGER only_added ON store_policycomparison;
DROP TRIGGER only_added ON store_policypublication;
DROP TRIGGER policy_as_proposed ON store_policyproposal;
DROP FUNCTION store_policy_as_proposed();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0029_lighter_record"),
    ]

    operations = [
        migrations.CreateModel(
            name="PolicyComparison",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("base_sha256", models.CharField(max_length=64)),
                ("basis", models.CharField(max_length=64)),
                ("business_date", models.DateField()),
                ("at", models.DateTimeField()),
                ("loans", models.BigIntegerField()),
                ("moved", models.BigIntegerField()),
                ("groups", models.JSONField()),
                ("seconds", models.FloatField()),
                (
                    "made_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PolicyMove",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "comparison",
                        "loan_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("loan_id", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=20)),
                (
                    "comparison",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="store.policycomparison",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PolicyProposal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=200)),
                ("version", models.IntegerField()),
                ("text", models.TextField()),
                ("by", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("closed_by", models.CharField(max_length=200, null=True)),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("sha256",),
                        name="policy_proposed_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("closed_by__isnull", True)),
                            models.Q(("closed_at__isnull", False), ("closed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="policy_closed_whole",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="policycomparison",
            name="proposal",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                to="store.policyproposal",
            ),
        ),
        migrations.CreateModel(
            name="PolicyPublication",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first_by", models.CharField(max_length=200)),
                ("second_by", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                (
                    "made_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "comparison",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="store.policycomparison"
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="store.policyproposal"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PolicyAgreement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("by", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                (
                    "comparison",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="store.policycomparison"
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="store.policyproposal",
                    ),
                ),
                (
                    "publication",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="store.policypublication",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="policycomparison",
            constraint=models.UniqueConstraint(
                fields=("proposal", "base_sha256", "basis", "business_date"),
                name="policy_compared_once",
            ),
        ),
        migrations.AddIndex(
            model_name="policypublication",
            index=models.Index(fields=["at", "id"], name="policy_published_at"),
        ),
        migrations.AddConstraint(
            model_name="policypublication",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_by", models.F("second_by")), _negated=True),
                name="policy_published_by_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="policyagreement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("publication__isnull", True)),
                fields=("proposal", "by"),
                name="policy_agreed_once_a_person",
            ),
        ),
        migrations.RunSQL(_FORWARD, _BACKWARD),
    ]
