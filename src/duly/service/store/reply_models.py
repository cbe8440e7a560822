"""What people answered and how it was read; what a person of the lender has to do about it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

_ID = 200
REPLY_STATES = ("new", "acted", "person")
WHOSE = ("one", "several", "nobody")


class Reply(models.Model):
    """One reply of a person, once however often it was delivered; its report keeps it raw.

    `new`: nobody has read it yet. `acted`: what follows is done. `person`: we could not read or do
    it, and a task says so.
    """

    report = models.OneToOneField("store.Report", primary_key=True, on_delete=models.PROTECT)
    route = models.CharField(max_length=100)
    address = models.CharField(max_length=320)
    address_key = models.CharField(max_length=_ID)
    sent_to = models.CharField(max_length=_ID, default="", db_default="")
    text = models.TextField()
    said_at = models.DateTimeField(null=True)  #: where the gateway tells it
    heard_at = models.DateTimeField(db_default=Now())
    fingerprint = models.CharField(max_length=64)
    state = models.CharField(max_length=10, default="new", db_default="new")
    whose = models.CharField(max_length=10, null=True)
    borrower_id = models.CharField(max_length=_ID, null=True)
    loan_id = models.CharField(max_length=_ID, null=True)
    message_id = models.CharField(max_length=64, null=True)  #: the text that was answered
    reading = models.JSONField(null=True)
    reader = models.CharField(max_length=64, default="", db_default="")  #: which model read it
    signals = models.JSONField(null=True)  #: ids of the signals that followed
    error = models.CharField(max_length=_ID, default="", db_default="")
    acted_at = models.DateTimeField(null=True)

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(fields=["fingerprint"], name="reply_once"),
            models.CheckConstraint(condition=Q(state__in=REPLY_STATES), name="reply_state"),
            models.CheckConstraint(
                condition=Q(whose__isnull=True) | Q(whose__in=WHOSE), name="reply_whose"
            ),
            models.CheckConstraint(
                condition=Q(state="new") | Q(acted_at__isnull=False), name="reply_acted_has_time"
            ),
        ]
        indexes = [
            models.Index(fields=["report"], condition=Q(state="new"), name="reply_waiting"),
            models.Index(fields=["address_key", "heard_at"], name="reply_number"),
            models.Index(fields=["borrower_id", "heard_at"], name="reply_borrower"),
        ]


class Task(models.Model):
    """What a person of the lender has to do; open until somebody says how it ended.

    What a policy wants has a script and a day on which it lapses, and where no reply brought it the
    `cause`: the signal or the breach, once.
    """

    kind = models.CharField(max_length=40)
    script = models.CharField(max_length=100, default="", db_default="")
    expires_on = models.DateField(null=True)
    cause = models.CharField(max_length=_ID, null=True)
    priority = models.SmallIntegerField()  #: 0 first
    borrower_id = models.CharField(max_length=_ID, null=True)
    loan_id = models.CharField(max_length=_ID, null=True)
    reply = models.ForeignKey(Reply, on_delete=models.PROTECT, null=True)
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=_ID, null=True)
    outcome = models.CharField(max_length=_ID, null=True)
    for_role = models.CharField(max_length=20, null=True)  #: to whom it was handed; null: anybody

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(fields=["reply", "kind", "script"], name="task_once_a_reply"),
            models.UniqueConstraint(fields=["cause", "kind", "script"], name="task_once_a_cause"),
            models.CheckConstraint(condition=Q(priority__range=(0, 9)), name="task_priority"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, outcome__isnull=True)
                | Q(closed_at__isnull=False, closed_by__isnull=False, outcome__isnull=False),
                name="task_closed_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["priority", "opened_at", "id"],
                         condition=Q(closed_at__isnull=True), name="task_open"),
            models.Index(fields=["borrower_id"], name="task_borrower"),
        ]  # fmt: skip


NOTE_KINDS = ("handed_over", "closed", "called", "promised")


class TaskNote(models.Model):
    """What was done about a task, in a name; what was written stands sealed under his key.

    Of a task about nobody whom we know, no words are kept.
    """

    task = models.ForeignKey(Task, on_delete=models.PROTECT)
    borrower_id = models.CharField(max_length=_ID, null=True)
    kind = models.CharField(max_length=20)
    by = models.CharField(max_length=_ID)
    code = models.CharField(max_length=40)  #: the role, the outcome, how the call ended
    contact_id = models.CharField(max_length=_ID, null=True)  #: of a call
    key = models.ForeignKey("store.BorrowerKey", null=True, on_delete=models.PROTECT)
    ciphertext = models.BinaryField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(condition=Q(kind__in=NOTE_KINDS), name="task_note_kind"),
            models.CheckConstraint(
                condition=Q(key__isnull=True, ciphertext__isnull=True)
                | Q(key__isnull=False, ciphertext__isnull=False),
                name="task_note_sealed",
            ),
        ]
        indexes = [
            models.Index(fields=["borrower_id", "at"], name="task_note_borrower"),
            models.Index(fields=["contact_id"], condition=Q(contact_id__isnull=False),
                         name="task_note_contact"),
        ]  # fmt: skip
