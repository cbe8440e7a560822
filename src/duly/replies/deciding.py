"""Which intent comes first? Rules decide the dangerous and the certain, the model the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from duly.replies.cues import Cue
from duly.replies.evidence import Evidence
from duly.replies.reading import CONFIDENCE_MIN, CONFIDENCE_MIN_PERSON, DATED, INTENTS

#: What is never lost silently: a weak sign of it brings a person.
GRAVE = (
    "deceased_or_incapacity",
    "legal_representation",
    "dispute_identity",
    "opt_out",
    "hardship",
)
#: What a person answers in any case.
FOR_A_PERSON = (
    "deceased_or_incapacity", "legal_representation", "dispute_identity", "dispute_amount",
    "complaint", "hardship", "callback_request", "abusive", "other",
)  # fmt: skip
_BEHIND_ILLNESS = ("complaint", "opt_out")
_BEHIND_SELF_HARM = (
    "legal_representation", "dispute_identity", "paid_already", "dispute_amount", *_BEHIND_ILLNESS,
)  # fmt: skip
_CARE = ("self_harm", "severe_illness")
#: How sure a rule alone is, measured on the blind batches (docs/models/reply-reader.md).
_ALONE = {"sure": 0.85, "likely": 0.35, "sound": 0.70, "dated": 0.50}
#: A model this sure of a grave act brings a person where the rules saw none.
_NOTICED = 0.30
#: Beside a likely cue less is enough.
_FAINT = 0.10
_LEAST = tuple(INTENTS[INTENTS.index("acknowledge") :])


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An intent with what speaks for it, and what else the reply speaks of."""

    intent: str
    confidence: Decimal
    secondary: str | None
    vulnerable: bool
    needs_person: bool
    words: tuple[str, ...]


def decide(evidence: Evidence, chances: Mapping[str, float]) -> Decision:
    """Return the primary intent of a reply after the guide's order of harm and its exceptions."""
    sure, likely = _acts(evidence)
    cares = {cue.act for cue in evidence.cues if cue.act in _CARE and cue.strength == "sure"}
    # Illness of one who is gone or cannot act is no sign that the writer is in danger.
    vulnerable = bool(cares if "deceased_or_incapacity" not in sure else cares - {"severe_illness"})
    intent, base = _primary(evidence, sure, likely, chances)
    confidence = 1 - (1 - base) * (1 - chances[intent])
    words = sure.get(intent) or likely.get(intent) or ()
    spoken = {cue.act for cue in evidence.cues if cue.strength == "sure"} | set(sure)
    others = (one for one in INTENTS if one in spoken and one not in (intent, *_LEAST))
    secondary = next(others, None)
    needs_person = intent in FOR_A_PERSON or vulnerable
    weak = [one for one in GRAVE if one != intent and _spoken(one, sure, likely, chances[one])]
    if weak:
        needs_person = True
        secondary = secondary or weak[0]
    least = CONFIDENCE_MIN_PERSON if intent in FOR_A_PERSON else CONFIDENCE_MIN
    if confidence < float(least):
        intent, needs_person = "other", True
        secondary = secondary or next(iter(likely), None)
    return Decision(
        intent=intent,
        confidence=Decimal(str(round(confidence, 4))),
        secondary=secondary if secondary != intent else None,
        vulnerable=vulnerable,
        needs_person=needs_person,
        words=words,
    )


_CHILD = re.compile(
    r"\b(?:my|our) (?:\w+ )?(?:baby|babies|new ?born|infant|toddler|kid|child|twins?|son|daughter|grandson|granddaughter)\b"
    r"[^,.!?]{0,20}\b(?:in|on|has|have|diagnosed|paraly|unconscious|coma)|(?:孩子|宝宝|娃|儿子|女儿|闺女|小孩)"
)
_AT_ONCE = re.compile(r"一次|一下子|一口气|全款|全额|全部|一把|at once|in full|all at|lump|in one go|the full|whole")
_BROKEN = re.compile(
    r"app|软件|系统|网页|链接|页面|登|密码|验证码|打不开|二维码|卡(?:注销|过期|丢|换)|"
    r"\b(?:app|link|site|website|login|portal|page|otp|card|server)\b"
)
_TELLS = re.compile(r".{0,3}告(?:死|定)?(?:你|你们|贵司)?.{0,2}")
_NO_NEED = re.compile(r"(?:不用|不必|甭|无需|不需要)(?:再|老|一直)?催")
Acts = dict[str, tuple[str, ...]]


def _spoken(intent: str, sure: Acts, likely: Acts, chance: float) -> bool:
    """Tell whether there is a sign of an intent that did not come first."""
    return intent in sure or (intent in likely and chance >= _FAINT) or chance >= _NOTICED


def _acts(evidence: Evidence) -> tuple[Acts, Acts]:
    """Return the intents that rules are sure of, and the likely ones, with their words."""
    found: dict[str, Acts] = {"sure": {}, "likely": {}}
    for cue in evidence.cues:
        intent = "hardship" if cue.act in _CARE else cue.act
        if intent in INTENTS:
            kept = found[cue.strength].get(intent, ())
            found[cue.strength][intent] = (*kept, cue.words)
    sure, likely = found["sure"], found["likely"]
    _except(evidence, sure)
    dated = tuple(one.words for one in evidence.mentions)
    if evidence.in_parts:
        sure.setdefault("instalment_request", dated)
    elif evidence.shifts or (evidence.asks_on and not sure.keys() - set(_LEAST)):
        sure.setdefault("extension_request", dated)
    if evidence.pays_on:
        sure.setdefault("promise_to_pay", dated)
    return sure, likely


def _except(evidence: Evidence, sure: Acts) -> None:
    """Apply the guide's exceptions to what the rules are sure of."""
    acts = {cue.act: cue for cue in evidence.cues if cue.strength == "sure"}
    cared = any(act in acts for act in _CARE)
    # Not on that day, but on this one: no hardship, a promise or a request.
    if (
        not cared and (evidence.pays_on or evidence.asks_on) and "hardship" in sure
        and len(evidence.mentions) > 1 and _unable_only(acts["hardship"])
    ):  # fmt: skip
        del sure["hardship"]
    # All at once is too much, parts are not: no hardship.
    if not cared and "instalment_request" in sure and "hardship" in acts and "hardship" in sure:
        if _AT_ONCE.search(evidence.text) and _unable_only(acts["hardship"]):
            del sure["hardship"]
    # An app that fails is no hardship.
    if not cared and "how_to_pay" in sure and "hardship" in sure and _BROKEN.search(evidence.text):
        if _unable_only(acts["hardship"]) or "没法" in acts["hardship"].words:
            del sure["hardship"]
    # 'I'll tell the regulator on you' goes to no court.
    if "complaint" in sure and "legal_representation" in acts and (
        _TELLS.fullmatch(acts["legal_representation"].words)
    ):  # fmt: skip
        sure.pop("legal_representation", None)
    # 'No need to press, on Sunday' promises; it stops nothing.
    if evidence.pays_on and "opt_out" in acts and _NO_NEED.fullmatch(acts["opt_out"].words):
        sure.pop("opt_out", None)
    # An explicit accusation with the wish to complain is a complaint, whatever else is said.
    if "demand" in acts and "accusation" in acts:
        for intent in ("paid_already", "dispute_amount", "dispute_identity"):
            sure.pop(intent, None)
        sure.setdefault("complaint", (acts["demand"].words, acts["accusation"].words))
    # A child is no borrower: its illness is hardship of the parent.
    if _CHILD.search(acts["deceased_or_incapacity"].words if "deceased_or_incapacity" in acts else ""):
        if "severe_illness" in acts:
            sure.pop("deceased_or_incapacity")
    # Illness of somebody who is gone or cannot act is told by that.
    if "deceased_or_incapacity" in sure and "severe_illness" in acts and "self_harm" not in acts:
        sure.pop("hardship", None)
    # Self-harm comes before anything but a death, severe illness before stops and complaints.
    if "deceased_or_incapacity" not in sure and cared:
        for intent in _BEHIND_SELF_HARM if "self_harm" in acts else _BEHIND_ILLNESS:
            sure.pop(intent, None)


def _unable_only(cue: Cue) -> bool:
    return any(
        mark in cue.words
        for mark in ("不了", "不上", "不起", "不出", "can't", "cant", "cannot", "unable")
    )


def _primary(
    evidence: Evidence, sure: Acts, likely: Acts, chances: Mapping[str, float]
) -> tuple[str, float]:
    """Return the intent that comes first, and how sure the rules are of it by themselves."""
    strong = _ALONE["sound" if evidence.by_sound else "sure"]
    if sure:
        return next(one for one in INTENTS if one in sure), strong
    best = max(INTENTS, key=lambda one: chances[one])
    if likely:
        ranked = max(likely, key=lambda one: (chances[one], -INTENTS.index(one)))
        if chances[ranked] >= chances[best] / 2:
            return ranked, _ALONE["likely"]
    if evidence.stands:
        dated = max(DATED, key=lambda one: chances[one] * (3 if one == "promise_to_pay" else 1))
        if sum(chances[one] for one in DATED) >= chances[best] / 2:
            return dated, _ALONE["dated"]
    return best, 0.0
