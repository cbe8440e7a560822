"""Which intent comes first? Rules decide the dangerous and the certain, the model the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from duly.replies.cues import Cue
from duly.replies.evidence import Evidence
from duly.replies.fates import fate_of
from duly.replies.mentions import grave_words
from duly.replies.model import Chances, Feared
from duly.replies.reading import (
    CONFIDENCE_MIN,
    CONFIDENCE_MIN_GRAVE,
    CONFIDENCE_MIN_PERSON,
    DATED,
    INTENTS,
)
from duly.replies.yielding import CARE, Acts, give_way

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
#: How sure a rule alone is, measured on the blind batches (docs/models/reply-reader.md).
_ALONE = {"sure": 0.85, "likely": 0.35, "sound": 0.70, "dated": 0.50}
#: A model this sure of a grave act brings a person where the rules saw none.
_NOTICED = 0.30
#: Beside a likely cue less is enough.
_FAINT = 0.10
#: A model this sure of a grave act comes before a stop; of hardship, before any rule.
_HEARD = 0.50
#: A model this sure of a graver act than the rules name comes before them.
_GRAVER = 0.35
#: A model this sure of a promise is heard before what the words of these acts alone say.
_PROMISED = 0.80
_LESS_THAN_A_PROMISE = ("paid_already", "instalment_request", "extension_request")
#: A model this sure that a writer is in danger is heard as a rule is; from the lower one on a
#: person looks at the reply (recall first: docs/models/reply-reader.md says what each costs).
_FELT = {"self_harm": 0.58, "severe_illness": 0.40}
#: Beside an act that rules are sure of a fear must be nearly certain to be heard before it.
_FELT_BESIDE = 0.80
#: Only a model this sure of a stranger or a death is heard beside self-harm that rules name.
_BESIDE_SELF_HARM = 0.95
#: Beside words of self-harm a model this sure of it takes the death for the writer's own.
_TOLD = 0.50
#: A death that is to come, or is told as if it had: it is the writer's own.
_AHEAD = re.compile(
    r"就当|当我|替我|给我|帮我|我的?(?:后事|葬礼|骨灰|遗|丧)|今晚|今夜|明[天早晚]|后天|以后|等着|[等待][下会]|这就|马上就?去|会通知|会赔|"
    r"\b(?:tonight|tomorrow|soon|will be|it'?ll be|by (?:the )?(?:weekend|\w+day|morning)|"
    r"my (?:own )?(?:funeral|ashes|coffin|obituary|body|executor|estate|will))\b"
)
_FEARED = {"self_harm": 0.15, "severe_illness": 0.10}
#: Words of paying that can only be of what is done.
_DONE = re.compile(
    r"\b(?:it|this|that|bill|emi|loan) (?:was|got|has been) paid\b|\bpaid\b.{0,6}\bjust now\b|"
    r"\bmin\w* ago\b|\bpaid (?:it|u|you|ya|this|that)\b"
)
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


def decide(
    evidence: Evidence,
    said: Chances,
    *,
    clause: Callable[[str, str], str],
) -> Decision:
    """Return the primary intent of a reply after the guide's order of harm and its exceptions.

    `clause` says which words speak of what the model fears.
    """
    # What a reply says that it does not mean is not asked of the model, which hears single words.
    chances = {one: 0.0 if one in evidence.unmeant else chance
               for one, chance in said.intents.items()}  # fmt: skip
    feared = said.feared
    beside = _FELT_BESIDE if _names_another(evidence) else 0.0
    felt = tuple(
        _cue(evidence.text, one.fear, clause(evidence.text, one.fear))
        for one in feared if one.chance >= max(_FELT[one.fear], beside)
    )  # fmt: skip
    evidence = replace(evidence, cues=(*evidence.cues, *_of_the_living(evidence, felt)))
    sure, likely = _acts(evidence)
    if _tells_his_own_death(evidence, feared):
        sure.pop("deceased_or_incapacity", None)
    vulnerable = _vulnerable(evidence, sure)
    intent, base = _primary(evidence, sure, likely, chances)
    # The model is heard where it is sure of something graver than what the rules name.
    stops = intent == "opt_out" and intent in sure
    graver = [one for one in GRAVE if _ranks(one, intent) and chances[one] >= (
        _HEARD if stops or one == "hardship" else _GRAVER)]  # fmt: skip
    # A stop is kept as what else is said: 'I am not her, stop' is heard as both.
    known = intent in GRAVE and intent in sure and not stops
    if graver and not vulnerable and not known:
        intent, base = graver[0], 0.0
    confidence = 1 - (1 - base) * (1 - chances[intent])
    words = sure.get(intent) or likely.get(intent) or ()
    spoken = {cue.act for cue in evidence.cues if cue.strength == "sure"} | set(sure)
    others = (one for one in INTENTS if one in spoken and one not in (intent, *_LEAST))
    secondary = next(others, None)
    afraid = any(one.chance >= _FEARED[one.fear] for one in feared)
    needs_person = (
        intent in FOR_A_PERSON or vulnerable or afraid or bool(grave_words(evidence.text))
    )
    weak = [one for one in GRAVE if one != intent and _spoken(one, sure, likely, chances[one])]
    if "self_harm" in {cue.act for cue in evidence.cues}:
        # Who may harm himself is neither a stranger nor dead by what the model guesses beside it.
        weak = [one for one in weak if one in sure or one in likely or one == "opt_out"
                or chances[one] >= _BESIDE_SELF_HARM]  # fmt: skip
    if weak:
        needs_person = True
        secondary = secondary or weak[0]
    if confidence < float(_least(intent)):
        intent, needs_person = "other", True
        secondary = secondary or next(iter(likely), None)
    # Too weak for anything to follow by itself: then somebody reads it.
    needs_person = needs_person or confidence < float(CONFIDENCE_MIN)
    return Decision(
        intent=intent,
        confidence=Decimal(str(round(confidence, 4))),
        secondary=secondary if secondary != intent else None,
        vulnerable=vulnerable,
        needs_person=needs_person,
        words=words,
    )


def _names_another(evidence: Evidence) -> bool:
    """Tell whether rules are sure of an act that is no hardship, and fear nothing themselves."""
    named = {one.act for one in evidence.cues if one.strength == "sure"}
    return bool(named & set(INTENTS) - {"hardship", "other", "abusive", "acknowledge"}) and not (
        named & set(CARE)
    )


def _cue(text: str, fear: str, words: str) -> Cue:
    start = max(text.find(words), 0)
    return Cue(act=fear, strength="sure", start=start, end=start + len(words), words=words)


def _of_the_living(evidence: Evidence, felt: Sequence[Cue]) -> tuple[Cue, ...]:
    """Leave out what is felt of words that tell how somebody died, or that are known as harmless.

    'I do not want to see your texts again' is tired of texts; a person looks at it all the same.
    """
    deaths = [one for one in evidence.cues if one.act in ("deceased_or_incapacity", "harmless")]
    return tuple(
        one for one in felt
        if not any(death.start < one.end and one.start < death.end for death in deaths)
    )  # fmt: skip


def _tells_his_own_death(evidence: Evidence, feared: Sequence[Feared]) -> bool:
    """Tell whether the death of a reply is that of its writer, to come or as if it had: no death.

    Something else in it must speak of self-harm; then the rules or the model must hear it so.
    """
    deaths = [one for one in evidence.cues if one.act == "deceased_or_incapacity"]
    free = any(
        cue.act == "self_harm" and cue.strength == "sure"
        and not any(one.start <= cue.start and cue.end <= one.end for one in deaths)
        for cue in evidence.cues
    )  # fmt: skip
    told = any(one.fear == "self_harm" and one.chance >= _TOLD for one in feared)
    # 'My brother is dead, and I do not want to live' tells of both, and the death comes first.
    told = told and fate_of(evidence.text) != "bereaved"
    return bool(deaths) and free and (told or _AHEAD.search(evidence.text) is not None)


def _vulnerable(evidence: Evidence, sure: Acts) -> bool:
    """Tell whether the writer is in danger: not by how somebody died or why he cannot act."""
    deaths = [one for one in evidence.cues if one.act == "deceased_or_incapacity"]
    cares = {
        cue.act for cue in evidence.cues
        if cue.act in CARE and cue.strength == "sure"
        and not any(one.start <= cue.start and cue.end <= one.end for one in deaths)
    }  # fmt: skip
    return bool(cares if "deceased_or_incapacity" not in sure else cares - {"severe_illness"})


def _least(intent: str) -> Decimal:
    """Return the confidence that an intent needs to be named."""
    if intent in GRAVE[:3]:
        return CONFIDENCE_MIN_GRAVE
    return CONFIDENCE_MIN_PERSON if intent in (*GRAVE, *FOR_A_PERSON) else CONFIDENCE_MIN


def _ranks(one: str, other: str) -> bool:
    """Tell whether an act does more harm if missed than another."""
    return INTENTS.index(one) < INTENTS.index(other)


def _spoken(intent: str, sure: Acts, likely: Acts, chance: float) -> bool:
    """Tell whether there is a sign of an intent that did not come first."""
    return intent in sure or (intent in likely and chance >= _FAINT) or chance >= _NOTICED


def _acts(evidence: Evidence) -> tuple[Acts, Acts]:
    """Return the intents that rules are sure of, and the likely ones, with their words."""
    found: dict[str, Acts] = {"sure": {}, "likely": {}}
    for cue in evidence.cues:
        intent = "hardship" if cue.act in CARE else cue.act
        if intent in INTENTS:
            kept = found[cue.strength].get(intent, ())
            found[cue.strength][intent] = (*kept, cue.words)
    sure, likely = found["sure"], found["likely"]
    give_way(evidence, sure)
    dated = tuple(one.words for one in evidence.mentions)
    if evidence.in_parts:
        sure.setdefault("instalment_request", dated)
    elif evidence.shifts or (evidence.asks_on and not sure.keys() - set(_LEAST)):
        sure.setdefault("extension_request", dated)
    if evidence.pays_on:
        sure.setdefault("promise_to_pay", dated)
    return sure, likely


def _primary(
    evidence: Evidence, sure: Acts, likely: Acts, chances: Mapping[str, float]
) -> tuple[str, float]:
    """Return the intent that comes first, and how sure the rules are of it by themselves."""
    strong = _ALONE["sound" if evidence.by_sound else "sure"]
    if sure:
        first = next(one for one in INTENTS if one in sure)
        # A day tied to paying, and a model that hears nothing else: 'I get paid on the 15th, then'.
        promised = evidence.pays_on and chances["promise_to_pay"] >= _PROMISED
        done = first == "paid_already" and _DONE.search(" ".join(sure[first]))
        if first in _LESS_THAN_A_PROMISE and promised and not done and "promise_to_pay" in sure:
            return "promise_to_pay", strong
        return first, strong
    best = max(INTENTS, key=lambda one: chances[one])
    if likely:
        ranked = max(likely, key=lambda one: (chances[one], -INTENTS.index(one)))
        if chances[ranked] >= chances[best] / 2 and not (
            evidence.stands and ranked not in GRAVE and chances[ranked] < _HEARD
        ):
            return ranked, _ALONE["likely"]
    if evidence.stands:
        dated = max(DATED, key=lambda one: chances[one] * (3 if one == "promise_to_pay" else 1))
        if sum(chances[one] for one in DATED) >= chances[best] / 2:
            return dated, _ALONE["dated"]
    return best, 0.0
