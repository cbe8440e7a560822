"""What a borrower wishes of how he is contacted is a word of its own."""

from django.db import migrations, models

_TYPES = (
    "payment.posted", "payment.reversed", "loan.upserted", "borrower.upserted",
    "borrower.preferred", "contact_point.changed", "consent.granted", "consent.withdrawn",
    "signal.raised", "signal.cleared",
)  # fmt: skip
_WORDS = (
    "payment", "reversal", "loan", "schedule", "borrower", "preference", "contact_point", "consent",
    "signal", "clearing",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0027_payments"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="event", name="event_type"),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", _TYPES)), name="event_type"
            ),
        ),
        migrations.RemoveConstraint(model_name="word", name="word_kind"),
        migrations.AddConstraint(
            model_name="word",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", _WORDS)), name="word_kind"
            ),
        ),
    ]
