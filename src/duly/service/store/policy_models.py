"""Policies that were proposed in the console: compared, agreed to, published by two people.

What was proposed is never edited, and what was published never leaves; triggers hold both.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

_ID = 200


class PolicyProposal(models.Model):
    """One text of a policy as somebody proposed it; `closed_by`: somebody withdrew it."""

    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=_ID)
    version = models.IntegerField()
    text = models.TextField()
    by = models.CharField(max_length=_ID)
    at = models.DateTimeField()  #: legal time
    closed_by = models.CharField(max_length=_ID, null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(
                fields=["sha256"], condition=Q(closed_at__isnull=True), name="policy_proposed_once"
            ),
            models.CheckConstraint(
                condition=Q(closed_by__isnull=True, closed_at__isnull=True)
                | Q(closed_by__isnull=False, closed_at__isnull=False),
                name="policy_closed_whole",
            ),
        ]


class PolicyComparison(models.Model):
    """Whom a proposal moves on one day's book, against the policy that was in force."""

    proposal = models.ForeignKey(PolicyProposal, on_delete=models.PROTECT, db_index=False)
    base_sha256 = models.CharField(max_length=64)  #: of the policy in force
    basis = models.CharField(max_length=64)  #: of the lender file and the texts
    business_date = models.DateField()
    at = models.DateTimeField()  #: the legal instant that both plans are of
    loans = models.BigIntegerField()
    moved = models.BigIntegerField()
    groups = models.JSONField()  #: kind, loans, borrowers, transitions; nobody's id
    seconds = models.FloatField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "base_sha256", "basis", "business_date"],
                name="policy_compared_once",
            )
        ]


class PolicyMove(models.Model):
    """One loan that a proposal decides otherwise; kept of the newest comparison alone."""

    pk = models.CompositePrimaryKey("comparison", "loan_id")
    comparison = models.ForeignKey(PolicyComparison, on_delete=models.CASCADE, db_index=False)
    loan_id = models.CharField(max_length=_ID)
    kind = models.CharField(max_length=20)


class PolicyPublication(models.Model):
    """One policy that two people published: the service plans by the newest from its instant on."""

    proposal = models.ForeignKey(PolicyProposal, on_delete=models.PROTECT)
    comparison = models.ForeignKey(PolicyComparison, on_delete=models.PROTECT)
    first_by = models.CharField(max_length=_ID)
    second_by = models.CharField(max_length=_ID)
    at = models.DateTimeField()  #: legal time
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(
                condition=~Q(first_by=F("second_by")), name="policy_published_by_two"
            )
        ]
        indexes = [models.Index(fields=["at", "id"], name="policy_published_at")]


class PolicyAgreement(models.Model):
    """One person agreed to publish a proposal, with one comparison before his eyes."""

    proposal = models.ForeignKey(PolicyProposal, on_delete=models.PROTECT, db_index=False)
    comparison = models.ForeignKey(PolicyComparison, on_delete=models.PROTECT)
    by = models.CharField(max_length=_ID)
    at = models.DateTimeField()  #: legal time
    publication = models.ForeignKey(PolicyPublication, null=True, on_delete=models.PROTECT)

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "by"], condition=Q(publication__isnull=True),
                name="policy_agreed_once_a_person",
            )
        ]  # fmt: skip
