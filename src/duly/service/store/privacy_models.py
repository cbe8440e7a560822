"""Keys of borrowers, deletions, and who may not be deleted yet."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

_ID = 200


class BorrowerKey(models.Model):
    """The key under which the record holds what is personal of one borrower; destroyed, not kept.

    Wrapped under one of DULY_SECRET_KEYS. Who comes back after a deletion gets another key.
    """

    borrower_id = models.CharField(max_length=_ID)
    wrapped = models.BinaryField(max_length=60, null=True)
    master = models.CharField(max_length=100)  #: which of the keys wraps it
    made_at = models.DateTimeField(db_default=Now())
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(
                condition=Q(wrapped__isnull=True, destroyed_at__isnull=False)
                | Q(wrapped__isnull=False, destroyed_at__isnull=True),
                name="borrower_key_destroyed",
            ),
            models.UniqueConstraint(
                fields=["borrower_id"],
                condition=Q(wrapped__isnull=False),
                name="borrower_key_one_alive",
            ),
        ]
        indexes = [
            models.Index(fields=["borrower_id"], name="borrower_key_borrower"),
            models.Index(
                fields=["master"], condition=Q(wrapped__isnull=False), name="borrower_key_master"
            ),
        ]


class Deletion(models.Model):
    """One person's data were destroyed: who asked, why, under which rule."""

    borrower_id = models.CharField(max_length=_ID)
    by = models.CharField(max_length=_ID)
    because = models.CharField(max_length=500)
    under = models.CharField(max_length=_ID)
    at = models.DateTimeField()  #: legal time
    made_at = models.DateTimeField()  #: now() of its transaction, by which triggers know it

    class Meta:
        """Indexes."""

        indexes = [
            models.Index(fields=["borrower_id"], name="deletion_borrower"),
            models.Index(fields=["made_at"], name="deletion_made"),
        ]


class LegalHold(models.Model):
    """Somebody said that a person's data must be kept, for a court or an authority."""

    borrower_id = models.CharField(max_length=_ID)
    by = models.CharField(max_length=_ID)
    because = models.CharField(max_length=500)
    at = models.DateTimeField(db_default=Now())
    lifted_by = models.CharField(max_length=_ID, null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(
                fields=["borrower_id"],
                condition=Q(lifted_at__isnull=True),
                name="legal_hold_one_standing",
            ),
            models.CheckConstraint(
                condition=Q(lifted_by__isnull=True, lifted_at__isnull=True)
                | Q(lifted_by__isnull=False, lifted_at__isnull=False),
                name="legal_hold_lifted",
            ),
        ]


class Source(models.Model):
    """A text that decided or was said, kept as it was: pack, policy, template."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=_ID)
    text = models.TextField()

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=("pack", "policy", "template")), name="source_kind"
            )
        ]
