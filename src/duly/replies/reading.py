"""What a reply says: the reply that came in, and the reading that goes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from duly.replies.fates import Fate

DateConfidence = Literal["firm", "soft", "vague"]
#: The options of the last text that was sent: digit to words, a list from 1 on, or the text itself.
Menu = dict[str, str] | list[str] | str | None

#: The seventeen intents of the guide in its order of harm: what does most harm if missed is first.
INTENTS = (
    "deceased_or_incapacity",
    "legal_representation",
    "dispute_identity",
    "paid_already",
    "dispute_amount",
    "complaint",
    "opt_out",
    "hardship",
    "instalment_request",
    "extension_request",
    "promise_to_pay",
    "verify_authenticity",
    "how_to_pay",
    "callback_request",
    "acknowledge",
    "abusive",
    "other",
)
#: Only these carry the day on which the borrower means to pay.
DATED = ("promise_to_pay", "extension_request", "instalment_request")
#: Only these carry a figure: paid, billed, or offered.
PRICED = ("paid_already", "dispute_amount", *DATED)
#: A reading below this confidence is `other`, and a person reads the reply.
CONFIDENCE_MIN = Decimal("0.50")
#: An intent that a person answers in any case may be named on weaker grounds.
CONFIDENCE_MIN_PERSON = Decimal("0.30")
#: A death, a lawyer, a wrong person is named on the weakest grounds: recall before precision.
CONFIDENCE_MIN_GRAVE = Decimal("0.20")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One text that a borrower sent. `received_at` has an offset; `lang` is zh, en or unknown."""

    id: str
    text: str
    received_at: datetime
    lang: str | None = None
    menu: Menu = None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one reply says.

    `promise_date_expr` are the words of the date; `promise_date` is empty where they name no day.
    `amount` is in major units of the loan's currency. `words` caused the reading. `needs_person`
    says that nothing may follow by itself but what stops contact.
    """

    id: str
    intent: str
    confidence: Decimal
    promise_date: date | None = None
    promise_date_expr: str | None = None
    date_confidence: DateConfidence | None = None
    amount: Decimal | None = None
    vulnerable: bool = False
    secondary_intent: str | None = None
    needs_person: bool = False
    words: tuple[str, ...] = ()
    #: Of `deceased_or_incapacity` alone: whether it is the borrower's, and which, or his family's.
    fate: Fate | None = None
    #: Vulnerable only because he who is spoken of cannot act for himself: nobody is in danger.
    only_incapacity: bool = False

    @property
    def in_danger(self) -> bool:
        """Whether somebody may be in danger, so that a person cares now."""
        return self.vulnerable and not self.only_incapacity
