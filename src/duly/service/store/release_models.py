"""Who holds back and who takes back: brakes of a run, recalls, and the people they hold."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

_ID = 200
BRAKES = ("messages", "loans", "payments", "quarantine", "days_past_due")
BRAKE_STATES = ("passed", "broken", "unasked")


class Brake(models.Model):
    """What one brake said of one run when it was loaded, with the figures of both sides."""

    run = models.ForeignKey("store.Run", on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=20)
    state = models.CharField(max_length=10)
    figures = models.JSONField()

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="brake_once_a_run"),
            models.CheckConstraint(condition=Q(name__in=BRAKES), name="brake_name"),
            models.CheckConstraint(condition=Q(state__in=BRAKE_STATES), name="brake_state"),
        ]


class Recall(models.Model):
    """One run or template that was taken back; the same again is the same row."""

    scope = models.CharField(max_length=10)
    name = models.CharField(max_length=_ID)
    by = models.CharField(max_length=_ID)
    at = models.DateTimeField()  #: legal time

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(condition=Q(scope__in=("run", "template")), name="recall_scope"),
            models.UniqueConstraint(fields=["scope", "name"], name="recall_once"),
        ]


class Recalled(models.Model):
    """A message that had left when it was recalled, and the correction drafted for it."""

    message = models.OneToOneField(
        "store.Message", primary_key=True, on_delete=models.PROTECT, related_name="recalled"
    )
    recall = models.ForeignKey(Recall, on_delete=models.PROTECT)
    correction = models.ForeignKey(
        "store.Message", null=True, on_delete=models.PROTECT, related_name="corrects"
    )


class Hold(models.Model):
    """A person to whom nothing that dunns is sent for a while: a text to him was wrong."""

    recall = models.ForeignKey(Recall, on_delete=models.PROTECT)
    borrower = models.ForeignKey("store.Borrower", on_delete=models.PROTECT)
    starts_at = models.DateTimeField()  #: legal time
    ends_at = models.DateTimeField()

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(fields=["recall", "borrower"], name="hold_once"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")), name="hold_window"
            ),
        ]
