"""The tables. An instant is UTC; money is minor units; a code is never stored with its key.

Rows that prove what happened (contacts, attempts, reports, audit rows) are only ever added.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from duly.delivery.states import OPEN, STATES
from duly.service.store import book_models, event_models  # noqa: F401  (Django finds them here)

_ID = 200  #: characters of the longest id that a book may hold, and more
CLASSES = ("dunning", "statutory", "receipt", "answer", "correction")
CHANNELS = ("sms", "email", "voice", "push", "letter")
RUN_STATES = ("planned", "released", "superseded", "stopped", "missed")
RUN_KINDS = ("plan", "correction", "answer")
OUTCOMES = ("accepted", "refused", "throttled", "not_sent", "unknown")


class Run(models.Model):
    """One plan that was loaded: the same plan twice is one row."""

    plan_sha256 = models.CharField(primary_key=True, max_length=64)
    business_date = models.DateField()
    state = models.CharField(max_length=20, default="planned")
    approvals_needed = models.SmallIntegerField(default=0)
    loaded_at = models.DateTimeField(db_default=Now())
    messages_count = models.IntegerField()
    #: Rows of the plan's book, which the next day's are held against; null: not counted then.
    loans_count = models.BigIntegerField(null=True)
    payments_count = models.BigIntegerField(null=True)
    summary = models.JSONField()  #: run.json as it was
    kind = models.CharField(max_length=10, default="plan", db_default="plan")

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(condition=Q(state__in=RUN_STATES), name="run_state"),
            models.CheckConstraint(condition=Q(kind__in=RUN_KINDS), name="run_kind"),
            models.CheckConstraint(
                condition=Q(approvals_needed__range=(0, 2)), name="run_approvals"
            ),
            models.UniqueConstraint(
                fields=["business_date"],
                condition=Q(kind="plan") & ~Q(state="superseded"),
                name="run_one_a_business_date",
            ),
        ]


class Approval(models.Model):
    """One person said yes to one run; the same person twice is one row."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT)
    by = models.CharField(max_length=_ID)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """Constraints."""

        constraints = [models.UniqueConstraint(fields=["run", "by"], name="approval_once_a_person")]


class Borrower(models.Model):
    """The row that is locked while anything about a person is decided; facts of the person."""

    borrower_id = models.CharField(primary_key=True, max_length=_ID)
    time_zone = models.CharField(max_length=64)
    region = models.CharField(max_length=20, null=True)
    locale = models.CharField(max_length=20)
    quiet_from = models.SmallIntegerField(null=True)  #: minute of the local day
    quiet_until = models.SmallIntegerField(null=True)


class Message(models.Model):
    """One message of one plan; `text` holds its check code unfilled."""

    message_id = models.CharField(primary_key=True, max_length=64)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, db_index=False)  #: by message_run
    borrower = models.ForeignKey(Borrower, on_delete=models.PROTECT)
    business_date = models.DateField()
    loan_ids = models.JSONField()
    channel = models.CharField(max_length=10)
    address = models.CharField(max_length=320)
    locale = models.CharField(max_length=20)
    message_class = models.CharField(max_length=20)
    template = models.CharField(max_length=100)
    tone = models.CharField(max_length=20, null=True)
    text = models.TextField()
    params = models.JSONField()
    segments = models.SmallIntegerField()
    code = models.CharField(max_length=8)
    key_id = models.CharField(max_length=100)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    facts = models.JSONField()  #: what the plan asked its rules with, as of the run
    state = models.CharField(max_length=20, default="planned")
    reason = models.CharField(max_length=100, null=True)  #: why cancelled, expired or blocked
    state_at = models.DateTimeField(db_default=Now())
    route = models.CharField(max_length=100, null=True)
    worker = models.BigIntegerField(null=True)  #: the advisory lock of its owner
    attempts = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)  #: not claimed before; null: from not_before on
    #: Up to when the payments were known that the figures of a text rendered anew rest on, and the
    #: day they are of; null: as the run has them.
    figures_at = models.DateTimeField(null=True)
    figures_on = models.DateField(null=True)
    #: After a route certainly did not take it: not tried before, by the database's clock.
    retry_at = models.DateTimeField(null=True)
    passed_routes = models.JSONField(default=list, db_default=[])  #: routes that refused it

    class Meta:
        """Constraints; `message_state` is beside the trigger that holds the order of states."""

        constraints = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="message_state"),
            models.CheckConstraint(condition=Q(message_class__in=CLASSES), name="message_class"),
            models.CheckConstraint(condition=Q(channel__in=CHANNELS), name="message_channel"),
            models.CheckConstraint(
                condition=Q(not_before__lte=models.F("not_after")), name="message_window"
            ),
            models.CheckConstraint(
                condition=~Q(state="claimed") | Q(worker__isnull=False), name="message_owned"
            ),
            models.UniqueConstraint(
                fields=["borrower", "business_date", "message_class"],
                condition=~Q(state__in=("cancelled", "expired", "blocked"))
                & ~Q(template="sign_in_code"),  # Each is asked for, and counted by itself.
                name="message_once_a_day_and_class",
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before", "message_id"],
                condition=Q(state="released"),
                name="message_due",
            ),
            models.Index(
                fields=["worker"],
                condition=Q(state__in=("claimed", "submitted")),
                name="message_worker",
            ),
            models.Index(fields=["run", "state"], name="message_run"),
            models.Index(
                fields=["borrower"], condition=Q(state__in=OPEN), name="message_open_borrower"
            ),
            models.Index(
                fields=["address"], condition=Q(state__in=OPEN), name="message_open_address"
            ),
            models.Index(
                fields=["borrower"], condition=Q(message_class="answer"), name="message_answers"
            ),
            models.Index(
                fields=["address"], condition=Q(message_class="answer"), name="message_answered"
            ),
            models.Index(
                fields=["retry_at"],
                condition=Q(state="released", retry_at__isnull=False),
                name="message_retry",
            ),
            models.Index(
                fields=["channel", "message_class"],
                condition=Q(state="released") & ~Q(passed_routes=[]),
                name="message_passed",
            ),
        ]


class Reservation(models.Model):
    """A place in the caps, taken before the wire is touched; one slot of a local day each."""

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.PROTECT)
    borrower = models.ForeignKey(Borrower, on_delete=models.PROTECT, db_index=False)
    local_day = models.DateField()
    slot = models.SmallIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(
                fields=["borrower", "local_day", "slot"], name="reservation_slot"
            )
        ]


class Contact(models.Model):
    """One attempt to reach a person, whoever made it: a fact, never refused for being late."""

    contact_id = models.CharField(primary_key=True, max_length=_ID)
    borrower = models.ForeignKey(Borrower, on_delete=models.PROTECT, db_index=False)
    loan_id = models.CharField(max_length=_ID, null=True)
    channel = models.CharField(max_length=20)
    address = models.CharField(max_length=320, null=True)
    at = models.DateTimeField()
    direction = models.CharField(max_length=3)
    outcome = models.CharField(max_length=20)
    contact_class = models.CharField(max_length=20, default="dunning")
    agency = models.CharField(
        max_length=_ID, null=True
    )  #: who reserved it; null: the lender, a book

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(condition=Q(direction__in=("out", "in")), name="contact_way")
        ]
        indexes = [models.Index(fields=["borrower", "at"], name="contact_borrower")]


class Signal(models.Model):
    """A dated fact about a person or a loan."""

    signal_id = models.CharField(primary_key=True, max_length=_ID)
    borrower = models.ForeignKey(Borrower, on_delete=models.PROTECT, db_index=False)
    loan_id = models.CharField(max_length=_ID, null=True)
    kind = models.CharField(max_length=40)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    detail = models.JSONField(default=dict)
    source = models.CharField(max_length=10, default="book", db_default="book")
    known_at = models.DateTimeField(db_default=Now())  #: when it reached us

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(condition=Q(source__in=("book", "event")), name="signal_source")
        ]
        indexes = [models.Index(fields=["borrower", "starts_at"], name="signal_borrower")]


class Stopped(models.Model):
    """The brake in a person's hand: what may not be submitted; lifting needs a second name."""

    scope = models.CharField(max_length=10)
    name = models.CharField(max_length=_ID, default="")
    by = models.CharField(max_length=_ID)
    at = models.DateTimeField(db_default=Now())
    lifted_by = models.CharField(max_length=_ID, null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(
                condition=Q(scope__in=("all", "run", "template", "route")), name="stopped_scope"
            ),
            models.CheckConstraint(
                condition=Q(lifted_by__isnull=True) | ~Q(lifted_by=models.F("by")),
                name="stopped_two_people",
            ),
        ]


class Attempt(models.Model):
    """One submission of one message to one route, and what was answered."""

    message = models.ForeignKey(Message, on_delete=models.PROTECT, db_index=False)
    route = models.CharField(max_length=100)
    number = models.SmallIntegerField()
    at = models.DateTimeField(db_default=Now())
    outcome = models.CharField(max_length=20, null=True)  #: null: no answer is recorded yet
    code = models.CharField(max_length=200, default="", db_default="")

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="attempt_number"),
            models.CheckConstraint(
                condition=Q(outcome__isnull=True) | Q(outcome__in=OUTCOMES),
                name="attempt_outcome",
            ),
        ]


class Part(models.Model):
    """A gateway's own name for one part of a message, by which its receipts find it."""

    route = models.CharField(max_length=100)
    provider_id = models.CharField(max_length=_ID)
    message = models.ForeignKey(Message, on_delete=models.PROTECT)
    state = models.CharField(max_length=20, default="accepted")
    code = models.CharField(max_length=200, default="", db_default="")

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(fields=["route", "provider_id"], name="part_provider_id")
        ]


class Report(models.Model):
    """A receipt or a reply as it came, raw; one that finds no message is kept all the same."""

    route = models.CharField(max_length=100)
    kind = models.CharField(max_length=10)
    raw = models.TextField()
    raw_sha256 = models.CharField(max_length=64)
    provider_id = models.CharField(max_length=_ID, null=True)
    state = models.CharField(max_length=20, null=True)
    code = models.CharField(max_length=200, default="", db_default="")
    received_at = models.DateTimeField(db_default=Now())
    message = models.ForeignKey(Message, null=True, on_delete=models.PROTECT)

    class Meta:
        """Constraints: the same report twice is one row."""

        constraints = [
            models.UniqueConstraint(fields=["route", "raw_sha256"], name="report_once"),
            models.CheckConstraint(condition=Q(kind__in=("receipt", "reply")), name="report_kind"),
        ]
        indexes = [
            models.Index(
                fields=["route", "provider_id"],
                condition=Q(message__isnull=True, kind="receipt"),
                name="report_unmatched",
            )
        ]


from duly.service.store.api_models import (  # noqa: E402 Django looks for its tables here.
    ApiKey,
    Counter,
    Decision,
    Endpoint,
    EventPost,
    IdempotentAnswer,
    OutgoingEvent,
    SeenWebhook,
)
from duly.service.store.daily_models import BusinessDay  # noqa: E402
from duly.service.store.log_models import Audit, Node, Root, Sealed, Unsealed  # noqa: E402
from duly.service.store.payment_models import PaymentCallback, PaymentIntent  # noqa: E402
from duly.service.store.policy_models import (  # noqa: E402
    PolicyAgreement,
    PolicyComparison,
    PolicyMove,
    PolicyProposal,
    PolicyPublication,
)
from duly.service.store.portal_models import (  # noqa: E402
    PortalCode,
    PortalDraft,
    PortalPaper,
    PortalSession,
)
from duly.service.store.privacy_models import (  # noqa: E402
    BorrowerKey,
    Deletion,
    LegalHold,
    Source,
)
from duly.service.store.release_models import Brake, Hold, Recall, Recalled  # noqa: E402
from duly.service.store.reply_models import Reply, Task, TaskNote  # noqa: E402
from duly.service.store.retry_models import DeadLetter, RouteWatch  # noqa: E402
from duly.service.store.spending_models import Budget, Lease  # noqa: E402
from duly.service.store.staff_models import Staff, StaffSession  # noqa: E402

__all__ = [
    "ApiKey", "Approval", "Attempt", "Audit", "Borrower", "BorrowerKey", "Brake", "Budget",
    "BusinessDay", "Contact", "Counter", "DeadLetter", "Decision", "Deletion", "Endpoint",
    "EventPost", "Hold", "IdempotentAnswer", "Lease", "LegalHold", "Message", "Node",
    "OutgoingEvent", "Part", "PaymentCallback", "PaymentIntent",
    "PolicyAgreement", "PolicyComparison", "PolicyMove", "PolicyProposal", "PolicyPublication",
    "PortalCode", "PortalDraft", "PortalPaper", "PortalSession",
    "Recall", "Recalled",
    "Reply", "Report", "Reservation", "Root", "RouteWatch", "Run", "Sealed", "SeenWebhook",
    "Signal", "Source", "Staff", "StaffSession", "Stopped", "Task", "TaskNote",
    "Unsealed",
]  # fmt: skip
