"""Payments that were begun on the borrowers' pages, and what providers told of them."""

import django.db.models.functions.datetime
from django.db import migrations, models

#: Frozen here as it was; a later order of states is a later migration.
_AFTER = {
    "created": ("redirected", "paid", "failed", "expired"),
    "redirected": ("paid", "failed", "expired"),
    "failed": ("paid",),
    "expired": ("paid", "failed"),
}
_ALLOWED = ", ".join(f"('{old}', '{new}')" for old, news in _AFTER.items() for new in news)
_FORWARD = f"""
CREATE FUNCTION store_payment_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.reference, OLD.provider, OLD.borrower_id, OLD.loan_id, OLD.amount, OLD.currency)
        IS DISTINCT FROM (NEW.reference, NEW.provider, NEW.borrower_id, NEW.loan_id, NEW.amount,
            NEW.currency)
    THEN
        RAISE EXCEPTION 'what payment % is about does not change', OLD.reference
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_stays';
    END IF;
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN ({_ALLOWED}) THEN
        RAISE EXCEPTION 'payment % may not go from % to %', OLD.reference, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_goes_forward';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_goes_forward BEFORE UPDATE ON store_paymentintent
    FOR EACH ROW EXECUTE FUNCTION store_payment_goes_forward();
CREATE TRIGGER only_added BEFORE UPDATE ON store_paymentcallback
    FOR EACH ROW EXECUTE FUNCTION store_only_added();
"""
_BACKWARD = """
DROP TRIGGER only_added ON store_paymentcallback;
DROP TRIGGER payment_goes_forward ON store_paymentintent;
DROP FUNCTION store_payment_goes_forward();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0026_worklist"),
    ]

    operations = [
        migrations.CreateModel(
            name="PaymentCallback",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("provider", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=150)),
                ("body_sha256", models.CharField(max_length=64)),
                ("reference", models.CharField(db_index=True, max_length=64)),
                ("status", models.CharField(max_length=10)),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("payment_id", models.CharField(max_length=200)),
                ("came", models.CharField(max_length=20)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "name"), name="payment_callback_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "came__in",
                                (
                                    "taken",
                                    "no_news",
                                    "pending",
                                    "unknown_intent",
                                    "amount",
                                    "currency",
                                    "again",
                                    "payment_id",
                                ),
                            )
                        ),
                        name="payment_callback_came",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentIntent",
            fields=[
                ("reference", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=30)),
                ("borrower_id", models.CharField(max_length=200)),
                ("loan_id", models.CharField(max_length=200)),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("state", models.CharField(db_default="created", default="created", max_length=10)),
                ("doubt", models.CharField(db_default="", default="", max_length=20)),
                ("payment_id", models.CharField(max_length=200, null=True, unique=True)),
                ("paid_on", models.DateField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "state_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["borrower_id", "created_at"], name="payment_borrower"),
                    models.Index(
                        condition=models.Q(("state__in", ("created", "redirected"))),
                        fields=["expires_at"],
                        name="payment_ends",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ("created", "redirected", "paid", "failed", "expired"))
                        ),
                        name="payment_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("doubt__in", ("", "amount", "currency", "again", "payment_id"))
                        ),
                        name="payment_doubt",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="payment_amount"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                        name="payment_currency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("paid_on__isnull", False),
                                ("payment_id__isnull", False),
                                ("state", "paid"),
                            ),
                            models.Q(
                                models.Q(("state", "paid"), _negated=True),
                                ("paid_on__isnull", True),
                                ("payment_id__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="payment_paid_whole",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("created", "redirected"))),
                        fields=("borrower_id", "loan_id", "provider", "amount"),
                        name="payment_one_open",
                    ),
                ],
            },
        ),
        migrations.RunSQL(_FORWARD, _BACKWARD),
    ]
