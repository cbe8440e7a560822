"""Payments that were begun on the borrowers' pages, and what providers told of them.

Instants are the database's. The reference is all that a provider hears; no card, no account and no
name is kept here.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

_ID = 200
#: As `duly.care.checkout` has them, which every command would have to load for it.
STATES = ("created", "redirected", "paid", "failed", "expired")
OPEN = ("created", "redirected")
#: Why what was told does not fit what was begun; a person looks at it.
DOUBTS = ("amount", "currency", "again", "payment_id")
#: What came of a callback: `taken` changed a state, `no_news` said what was known.
CAME = ("taken", "no_news", "pending", "unknown_intent", *DOUBTS)


class PaymentIntent(models.Model):
    """One payment that somebody began; the trigger `payment_goes_forward` holds its states."""

    reference = models.CharField(primary_key=True, max_length=64)
    provider = models.CharField(max_length=30)
    borrower_id = models.CharField(max_length=_ID)
    loan_id = models.CharField(max_length=_ID)
    amount = models.BigIntegerField()  #: minor units
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, default="created", db_default="created")
    doubt = models.CharField(max_length=20, default="", db_default="")
    payment_id = models.CharField(max_length=_ID, null=True, unique=True)
    paid_on = models.DateField(null=True)  #: as it was posted
    created_at = models.DateTimeField(db_default=Now())
    state_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="payment_state"),
            models.CheckConstraint(condition=Q(doubt__in=("", *DOUBTS)), name="payment_doubt"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount"),
            models.CheckConstraint(
                condition=Q(currency__regex="^[A-Z]{3}$"), name="payment_currency"
            ),
            models.CheckConstraint(
                condition=Q(state="paid", payment_id__isnull=False, paid_on__isnull=False)
                | ~Q(state="paid") & Q(payment_id__isnull=True, paid_on__isnull=True),
                name="payment_paid_whole",
            ),
            models.UniqueConstraint(
                fields=["borrower_id", "loan_id", "provider", "amount"],
                condition=Q(state__in=OPEN),
                name="payment_one_open",
            ),
        ]
        indexes = [
            models.Index(fields=["borrower_id", "created_at"], name="payment_borrower"),
            models.Index(fields=["expires_at"], condition=Q(state__in=OPEN), name="payment_ends"),
        ]  # fmt: skip


class PaymentCallback(models.Model):
    """One verified callback as it was told, whatever came of it: nothing of it is lost."""

    provider = models.CharField(max_length=30)
    name = models.CharField(max_length=150)
    body_sha256 = models.CharField(max_length=64)
    reference = models.CharField(max_length=64, db_index=True)
    status = models.CharField(max_length=10)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    payment_id = models.CharField(max_length=_ID)
    came = models.CharField(max_length=20)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(fields=["provider", "name"], name="payment_callback_once"),
            models.CheckConstraint(condition=Q(came__in=CAME), name="payment_callback_came"),
        ]
