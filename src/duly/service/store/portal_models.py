"""Tables of the borrowers' pages: codes that were asked for, who is signed in, what was handed in.

Instants are the database's. No address of a machine is kept, and of a secret its hash alone.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

_ID = 200
CODE_STATES = ("asked", "sent", "none", "used")
SIGNED_IN_BY = ("code", "hand_over")
PAPER_KINDS = ("application/pdf", "image/jpeg", "image/png")


class PortalCode(models.Model):
    """One wish for a one-time code.

    `asked`: nobody has looked yet whose number it is. `none`: no code goes there, and the asker
    does not hear it. The number is kept until it was looked up.
    """

    name_sha256 = models.CharField(primary_key=True, max_length=64)  #: of what the form carries
    state = models.CharField(max_length=10, default="asked", db_default="asked")
    number = models.CharField(max_length=_ID, default="", db_default="")
    locale = models.CharField(max_length=20)
    borrower_id = models.CharField(max_length=_ID, null=True)
    code_mark = models.CharField(max_length=64)  #: under our key: nobody guesses six digits from it
    tries = models.SmallIntegerField(default=0, db_default=0)
    asked_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField()

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(condition=Q(state__in=CODE_STATES), name="portal_code_state"),
            models.CheckConstraint(
                condition=Q(state="asked") | Q(number=""), name="portal_code_number_forgotten"
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"], condition=Q(state="asked"), name="portal_code_waiting"
            ),
            models.Index(fields=["borrower_id"], name="portal_code_borrower"),
            models.Index(fields=["ends_at"], name="portal_code_ends"),
        ]


class PortalSession(models.Model):
    """Somebody who signed in; `former` is the token before the last change, for a few seconds."""

    id = models.BigAutoField(primary_key=True)
    token_sha256 = models.CharField(max_length=64, unique=True)
    former_sha256 = models.CharField(max_length=64, null=True, unique=True)
    borrower_id = models.CharField(max_length=_ID)
    by = models.CharField(max_length=10)
    began_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(condition=Q(by__in=SIGNED_IN_BY), name="portal_session_by")
        ]
        indexes = [
            models.Index(fields=["borrower_id"], name="portal_session_borrower"),
            models.Index(fields=["seen_at"], name="portal_session_seen"),
        ]


class PortalDraft(models.Model):
    """What somebody has filled in of a request for relief, sealed under his key; one a loan."""

    id = models.BigAutoField(primary_key=True)
    borrower_id = models.CharField(max_length=_ID)
    loan_id = models.CharField(max_length=_ID)
    key = models.ForeignKey("store.BorrowerKey", on_delete=models.PROTECT)
    ciphertext = models.BinaryField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(fields=["borrower_id", "loan_id"], name="portal_draft_loan")
        ]
        indexes = [models.Index(fields=["at"], name="portal_draft_at")]


class PortalPaper(models.Model):
    """What a borrower handed in with a signal: words or a paper, sealed under his key."""

    id = models.BigAutoField(primary_key=True)
    borrower_id = models.CharField(max_length=_ID)
    signal_id = models.CharField(max_length=_ID)
    kind = models.CharField(max_length=40)
    key = models.ForeignKey("store.BorrowerKey", on_delete=models.PROTECT)
    ciphertext = models.BinaryField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=("text/plain", *PAPER_KINDS)), name="portal_paper_kind"
            )
        ]
        indexes = [models.Index(fields=["borrower_id", "signal_id"], name="portal_paper_borrower")]
