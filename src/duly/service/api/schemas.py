"""What goes in and out, as other programs see it: instants carry an offset, ids are text."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

#: Printable, without NUL: what a store can hold and a log can show.
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]
Cursor = Annotated[str | None, Field(max_length=1000)]
Limit = Annotated[int, Field(ge=1, le=200)]
Channel = Literal["sms", "email", "voice", "push", "letter"]
Class = Literal["dunning", "statutory", "receipt", "answer", "correction"]


class In(BaseModel):
    """A body: what is not known is refused, not overlooked."""

    model_config = ConfigDict(extra="forbid")


class ProblemField(BaseModel):
    """One fault: where, which code, in which words."""

    pointer: str
    code: str
    detail: str


class ProblemOut(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemField] = []


class EventsOut(BaseModel):
    """How many events are new, and how many were here before.

    `cancelled` are the messages that will not leave any more because of them; `unread` the fields
    that no column of the book has, as `type.field`: kept, and without meaning.
    """

    accepted: int
    duplicates: int
    cancelled: list[str]
    unread: list[str]


class RunIn(In):
    """The name of a plan's directory under the server's directory of plans."""

    plan: Name


class RunOut(BaseModel):
    """One run."""

    id: str
    business_date: date
    state: Literal["planned", "released", "superseded", "stopped", "missed"]
    approvals_needed: int
    approvals_given: int
    loaded_at: datetime
    messages: int


class RunDetailOut(RunOut):
    """One run, with its messages by state and what its plan decided."""

    states: dict[str, int]
    decisions: dict[str, int]
    versions: dict[str, Any]


class RunLoadedOut(RunOut):
    """A run that was loaded now, or was there (`again`)."""

    again: bool
    superseded: int
    sent_before: int


class RunsOut(BaseModel):
    """A page of runs."""

    items: list[RunOut]
    next_cursor: str | None


class DecisionOut(BaseModel):
    """What one run decided about one loan."""

    run_id: str
    run_state: str
    loan_id: str
    borrower_id: str
    business_date: date
    decision: str
    reason: str
    rule: str | None
    legal: list[str]
    channel: str | None
    template: str | None
    tone: str | None
    not_before: datetime | None
    not_after: datetime | None
    next_review_on: date | None
    message_id: str | None
    task_kind: str | None


class DecisionsOut(BaseModel):
    """A page of decisions."""

    items: list[DecisionOut]
    next_cursor: str | None


class FiguresOut(BaseModel):
    """Figures that the latest decision was made with; money in minor units."""

    currency: str
    days_past_due: int
    bucket: str
    overdue_total: int
    late_charge: int
    outstanding_total: int
    next_due_on: date | None
    next_due_amount: int
    last_paid_on: date | None


class SignalOut(BaseModel):
    """One signal about the loan or its borrower."""

    signal_id: str
    kind: str
    loan_id: str | None
    starts_at: datetime
    ends_at: datetime | None
    source: str


class MessageOut(BaseModel):
    """One message; the address is masked."""

    id: str
    run_id: str
    borrower_id: str
    loan_ids: list[str]
    business_date: date
    channel: str
    address_masked: str
    message_class: str = Field(serialization_alias="class")
    template: str
    tone: str | None
    not_before: datetime
    not_after: datetime
    state: str
    reason: str | None
    state_at: datetime
    route: str | None


class AttemptOut(BaseModel):
    """One submission."""

    number: int
    route: str
    at: datetime
    outcome: str | None
    code: str


class ReceiptOut(BaseModel):
    """One receipt of a gateway."""

    route: str
    provider_id: str
    state: str
    code: str
    received_at: datetime


class MessageDetailOut(MessageOut):
    """One message with its words, submissions and receipts."""

    locale: str
    text: str
    segments: int
    attempts: list[AttemptOut]
    receipts: list[ReceiptOut]


class LoanOut(BaseModel):
    """What the service knows of a loan: the latest decision, and what was said and told."""

    loan_id: str
    borrower_id: str
    latest: DecisionOut
    figures: FiguresOut | None
    signals: list[SignalOut]
    messages: list[MessageOut]


class TaskOut(BaseModel):
    """What a person of the lender has to do; closed where it says by whom and how it ended."""

    id: int
    kind: str
    script: str = ""  #: of a task that a policy wants
    priority: int
    expires_on: date | None = None  #: until then the script of such a task is followed
    borrower_id: str | None
    loan_id: str | None
    reply_id: int | None
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    outcome: str | None
    caller_word: str | None = None  #: what a caller says first to the borrower, today


class TasksOut(BaseModel):
    """A page of open tasks."""

    items: list[TaskOut]
    next_cursor: str | None


class DeadLetterOut(BaseModel):
    """A message that was certainly not sent and is not tried again by itself; no number, no text.

    `route` and `code` had the last word; until `not_after` a person may send it again.
    """

    message_id: str
    borrower_id: str
    reason: str
    route: str
    code: str
    attempts: int
    at: datetime
    state: str
    channel: str
    message_class: str = Field(serialization_alias="class")
    template: str
    not_after: datetime


class DeadLettersOut(BaseModel):
    """A page of open dead letters."""

    items: list[DeadLetterOut]
    next_cursor: str | None


class DeadLetterEndedOut(DeadLetterOut):
    """A dead letter that a person has ended: `retried` or `closed`, by whom, why and when."""

    ended: str
    ended_by: str
    ended_why: str
    ended_at: datetime


class DecideIn(In):
    """Who decides, and for what reason: both are kept in the record."""

    by: Id
    reason: Id


class CloseIn(In):
    """Who closes a task, and how it ended."""

    by: Id
    outcome: Id


class CancelOut(BaseModel):
    """How the message stands now."""

    id: str
    state: str


class EvidenceRowOut(BaseModel):
    """One row of the record; hashes in hex; `proof` leads from its leaf to the root.

    Without payload and salt the person's data were deleted: the place in the log is left.
    """

    number: int
    at: str
    kind: str
    payload: str | None
    salt: str | None
    payload_sha256: str
    leaf_index: int | None
    proof: list[str]


class RootOut(BaseModel):
    """The root of the log."""

    size: int
    root: str
    at: datetime | None
    key_id: str | None
    signature: str | None


class EvidenceOut(BaseModel):
    """The record of a message, checkable without us."""

    message_id: str
    rows: list[EvidenceRowOut]
    root: RootOut


class ReserveIn(In):
    """One contact that an agency wants to make now."""

    contact_id: Id
    loan_id: Id
    channel: Channel
    agency: Id
    address: Id | None = None
    contact_class: Class = Field("dunning", alias="class")


class ReserveOut(BaseModel):
    """What the rules answer; `until` is the first lawful instant where it is only too early."""

    contact_id: str
    allowed: bool
    effect: Literal["allow", "delay", "block"]
    reason: str
    rules: list[str]
    until: datetime | None


class VerifyIn(In):
    """A check code as it stands in the text, and the last four digits of the number it came to."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=r"^[\x20-\x7e]+$")]
    phone_last4: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]


class VerifyOut(BaseModel):
    """Whether we sent it, and how to reach us; nothing about a debt."""

    ours: bool
    sent_on: date | None
    channel: str | None
    lender: str
    hotline: str
    website: str
    app: str
