"""What a day may cost, and which worker holds which part of it. Money: see `duly.core.prices`."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Budget(models.Model):
    """What the messages of one local day of the lender may cost.

    A trigger keeps `granted` the sum of the day's leases. `ceiling` is the limit, or, where the
    limit was lowered meanwhile, what had been granted by then.
    """

    day = models.DateField(primary_key=True)
    limit = models.BigIntegerField()  #: as the lender file says that was read last
    ceiling = models.BigIntegerField()
    granted = models.BigIntegerField(default=0, db_default=0)
    said_at = models.DateTimeField()  #: when the worker began whose lender file it was
    exhausted_at = models.DateTimeField(null=True)  #: when something first waited for this limit

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(
                condition=Q(granted__gte=0) & Q(granted__lte=F("ceiling")), name="budget_granted"
            ),
            models.CheckConstraint(
                condition=Q(limit__gte=0) & Q(ceiling__gte=F("limit")), name="budget_ceiling"
            ),
        ]


class Lease(models.Model):
    """A worker's part of a day's budget; what it has not spent goes back when it ends or dies."""

    pk = models.CompositePrimaryKey("day", "worker")
    day = models.ForeignKey(Budget, on_delete=models.PROTECT, db_column="day", db_index=False)
    worker = models.BigIntegerField()  #: the advisory lock of its owner
    granted = models.BigIntegerField()
    spent = models.BigIntegerField(default=0, db_default=0)
    beyond = models.BigIntegerField(default=0, db_default=0)  #: what had to be sent all the same

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(
                condition=Q(spent__gte=0) & Q(spent__lte=F("granted")), name="lease_spent"
            ),
            models.CheckConstraint(condition=Q(beyond__gte=0), name="lease_beyond"),
        ]
        indexes = [
            models.Index(fields=["day"], condition=Q(granted__gt=F("spent")), name="lease_unspent")
        ]
