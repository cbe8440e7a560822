"""What became of each business date that the service runs by itself."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

#: `begun`: somebody is at it, or died at it; `waiting`: the last try failed, another follows;
#: `done`: a plan of the day is loaded; `missed`: its plan was made after the day, nothing of it may
#: leave; `skipped`: the day is over and nothing was decided.
DAY_STATES = ("expected", "begun", "waiting", "done", "missed", "skipped")


class BusinessDay(models.Model):
    """One business date: how far it is, from which book, in which run, what went wrong last.

    Who works on a day counts `attempts` up; who finds another number there at the end writes
    nothing. Instants of the work are the database's, `at` is legal time.
    """

    business_date = models.DateField(primary_key=True)
    state = models.CharField(max_length=10, default="expected", db_default="expected")
    attempts = models.IntegerField(default=0, db_default=0)
    failures = models.IntegerField(default=0, db_default=0)  #: in a row
    at = models.DateTimeField(null=True)  #: legal instant of the last try
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    book_sha256 = models.CharField(max_length=64, null=True)
    book_seen = models.CharField(max_length=64, null=True)  #: names, sizes and times of its files
    run = models.ForeignKey("store.Run", null=True, on_delete=models.PROTECT)
    plans = models.SmallIntegerField(default=0, db_default=0)  #: loaded so far
    plan = models.CharField(max_length=200, null=True)  #: directory of the plan that counts
    diagnostics = models.JSONField(default=list)
    opened_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(condition=Q(state__in=DAY_STATES), name="business_day_state"),
            models.CheckConstraint(
                condition=~Q(state__in=("done", "missed")) | Q(run__isnull=False),
                name="business_day_has_run",
            ),
        ]
        indexes = [
            models.Index(
                fields=["business_date"],
                condition=Q(state__in=("expected", "begun", "waiting")),
                name="business_day_open",
            )
        ]
