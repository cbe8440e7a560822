"""Tables of the lender's staff: who may sign in to the console, and who is signed in.

Instants are the database's. Of a password and of recovery codes the hashes alone are kept; the
secret of the second factor is sealed under DULY_SECRET_KEYS.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

ROLES = ("agent", "team_lead", "strategy", "compliance", "auditor", "admin")
SIGNED_IN_BY = ("code", "recovery")


class Staff(models.Model):
    """One person of the lender; a name is never given to another person."""

    name = models.CharField(primary_key=True, max_length=60)
    role = models.CharField(max_length=20)
    password = models.CharField(max_length=200)
    secret = models.BinaryField()  #: of the second factor
    #: The time step of the code that was used last: no code counts twice.
    step = models.BigIntegerField(default=0, db_default=0)
    recovery = models.JSONField()  #: hashes of the codes that are left
    failures = models.SmallIntegerField(default=0, db_default=0)  #: in a row
    locked_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    signed_in_at = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)

    class Meta:
        """Constraints."""

        constraints = [models.CheckConstraint(condition=Q(role__in=ROLES), name="staff_role")]


class StaffSession(models.Model):
    """Somebody of the staff who signed in; `former` is the token before the last change."""

    id = models.BigAutoField(primary_key=True)
    token_sha256 = models.CharField(max_length=64, unique=True)
    former_sha256 = models.CharField(max_length=64, null=True, unique=True)
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT)
    by = models.CharField(max_length=10)
    began_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(condition=Q(by__in=SIGNED_IN_BY), name="staff_session_by")
        ]
        indexes = [models.Index(fields=["seen_at"], name="staff_session_seen")]
