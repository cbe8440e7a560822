"""What events said: each as it came, and the last word about each key, folded from them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from duly.service.facts.kinds import TYPES, WORDS

_ID = 200
_KEY = 1000  #: three ids of a book as JSON


class Event(models.Model):
    """One CloudEvent as it came, only ever added; (source, event_id) names it for good."""

    source = models.TextField(db_collation="C")
    event_id = models.TextField(db_collation="C")
    type = models.CharField(max_length=40)
    subject = models.TextField(null=True)
    time = models.DateTimeField()
    data = models.JSONField()
    body_sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(fields=["source", "event_id"], name="event_once"),
            models.CheckConstraint(condition=Q(type__in=TYPES), name="event_type"),
        ]
        indexes = [models.Index(fields=["time"], name="event_time")]


class Word(models.Model):
    """The last word of all events about one key, by (time, source, id): it never goes back."""

    pk = models.CompositePrimaryKey("kind", "key")
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=_KEY)
    time = models.DateTimeField()
    source = models.TextField(db_collation="C")
    event_id = models.TextField(db_collation="C")
    borrower_id = models.CharField(max_length=_ID, null=True)
    loan_id = models.CharField(max_length=_ID, null=True)
    address_key = models.CharField(max_length=_ID, null=True)
    data = models.JSONField()  #: the cells of a row of the book, as text

    class Meta:
        """Constraints; the trigger `word_goes_forward` refuses an earlier word over a later."""

        constraints = [models.CheckConstraint(condition=Q(kind__in=WORDS), name="word_kind")]
        indexes = [
            models.Index(
                fields=["borrower_id"], condition=Q(borrower_id__isnull=False), name="word_borrower"
            ),
            models.Index(fields=["loan_id"], condition=Q(loan_id__isnull=False), name="word_loan"),
            models.Index(
                fields=["address_key"], condition=Q(address_key__isnull=False), name="word_address"
            ),
            models.Index(fields=["time"], name="word_time"),
        ]


class MessageLoan(models.Model):
    """Which loans a message names, kept by a trigger: who pays is found by his loan."""

    pk = models.CompositePrimaryKey("message", "loan_id")
    message = models.ForeignKey("store.Message", on_delete=models.PROTECT, db_index=False)
    loan_id = models.CharField(max_length=_ID, db_index=True)


class Counted(models.Model):
    """A payment that an event told and a plan had counted already: no news to its messages."""

    pk = models.CompositePrimaryKey("run", "kind", "payment_id")
    run = models.ForeignKey("store.Run", on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=20)
    payment_id = models.CharField(max_length=_ID)

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=("payment", "reversal")), name="counted_kind"
            )
        ]
