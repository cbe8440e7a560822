"""What was not sent and will not be by itself, and since when a route has been away."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from duly.delivery.retrying import REASONS

_ID = 200
ENDS = ("retried", "closed")


class DeadLetter(models.Model):
    """A message that no route took and that is not tried again by itself; ended by a person.

    `attempts` is how many submissions it had had by then: what was tried before counts no more once
    a person has sent it again.
    """

    message = models.ForeignKey("store.Message", on_delete=models.PROTECT)
    reason = models.CharField(max_length=30)
    route = models.CharField(max_length=100, default="", db_default="")
    code = models.CharField(max_length=200, default="", db_default="")
    attempts = models.SmallIntegerField()
    at = models.DateTimeField(db_default=Now())
    ended = models.CharField(max_length=10, null=True)
    ended_by = models.CharField(max_length=_ID, null=True)
    ended_why = models.CharField(max_length=_ID, null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Constraints: one open letter a message; whoever ends it says why."""

        constraints = [
            models.CheckConstraint(condition=Q(reason__in=REASONS), name="dead_letter_reason"),
            models.CheckConstraint(
                condition=Q(
                    ended__isnull=True, ended_by__isnull=True, ended_why__isnull=True,
                    ended_at__isnull=True,
                )
                | Q(
                    ended__in=ENDS, ended_by__isnull=False, ended_why__isnull=False,
                    ended_at__isnull=False,
                ),
                name="dead_letter_ended",
            ),
            models.UniqueConstraint(
                fields=["message"], condition=Q(ended__isnull=True), name="dead_letter_open"
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["at", "id"], condition=Q(ended__isnull=True), name="dead_letter_listed"
            )
        ]


class RouteWatch(models.Model):
    """Since when no worker could reach a route; null: it was reached when last looked at."""

    route = models.CharField(primary_key=True, max_length=100)
    away_since = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
