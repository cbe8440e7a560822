"""What is linted and what is found: messages, labels, findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

#: The labels of content, in the order in which they are shown.
CONTENT = (
    "threat",
    "deceptive_legal",
    "impersonation",
    "third_party_disclosure",
    "insult",
    "false_consequence",
    "false_urgency",
    "suspicious_link",
)
PERSONAL = "unmasked_pii"
MISSING = ("missing_identity", "missing_amount", "missing_due_date", "missing_optout")
NONE = "none"
LABELS = (*CONTENT, PERSONAL, *MISSING)

BEFORE_DUE = ("pre_due", "due_day")
AFTER_DUE = ("d1_3", "d4_7", "d8_30", "d31_60", "d61_90", "d90plus", "pre_legal", "visit")
SERVICE = ("receipt", "plan", "hardship", "service", "lost_contact")
THIRD_PARTY, SCAM = "third_party", "scam"
STAGES = (*BEFORE_DUE, *AFTER_DUE, *SERVICE, THIRD_PARTY, SCAM)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One text as the reader sees it, signature included; stage and facts where they are known."""

    text: str
    stage: str = ""
    lang: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A text with the labels that people gave it; `hard` says which side of a line it stands on."""

    id: str
    message: Message
    labels: frozenset[str]
    hard: str = ""  #: hard_negative: frightening but lawful; hard_positive: polite but unlawful


class Hit(NamedTuple):
    """A label earned by the characters `start` to `end` of the folded text."""

    label: str
    rule: str
    why: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One label with the words that caused it; `start` and `end` count characters of the text."""

    label: str
    rule: str  #: id of the rule of the packs that the words break
    words: str
    start: int
    end: int
    why: str = ""


def labels_of(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Return the labels in their order, `none` alone where nothing was found."""
    found = {finding.label for finding in findings}
    return tuple(label for label in LABELS if label in found) or (NONE,)
