"""Read one reply: menu, evidence, decision, then the day and the figure of its primary act."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from duly.replies import amounts, dates, hindi, menus
from duly.replies.automatic import answers_itself
from duly.replies.deciding import Decision, decide
from duly.replies.evidence import Evidence, gathered
from duly.replies.fates import fate_of, lacks_capacity
from duly.replies.model import Model, built_in
from duly.replies.reading import DATED, INTENTS, PRICED, Reading, Reply

#: A longer text is no reply to a menu: a person reads it.
LONG = 1000
#: How much of a long text is looked at for what must not be missed, at each end.
LOOKED_AT = 1000
_CERTAIN = Decimal("0.99")
#: Somebody says that he will not pay. That is no promise and no payment: a person reads it.
_REFUSES = re.compile(
    r"(?<!不会)(?<!不是)(?<!不可能)(?<!并非)(?<!要)(?<!还)(?:不(?:想|打算|会|准备|愿意?|肯|要|高兴)?|懒得|拒绝)"
    r"还(?:你们?)?(?:款|钱|了|的|就不还|$|[,.!])(?!.{0,2}[吗么])|绝不还|休想|"
    r"一分(?:钱)?(?:都|也)?不(?:会)?(?:还|给)|"
    r"\b(?:never|not|won'?t|will not|refuse|refusing|ain'?t)(?: (?:ever|be|going|gonna|to|n))* "
    r"(?:pay|paying|repay|giv\w+)"
    r"(?: (?:you|u|ya|it|this|that|back|a (?:cent|penny|dime)))*(?:$|[,.!])"
)
#: And says nothing else: no abuse.
_ONLY_REFUSES = re.compile(
    r"(?:我|俺|老子)?(?:就是?|偏|才)?不(?:想|会|打算|愿意?)?还(?:钱|款|了)?[!.]*"
)
_NO_REFUSAL = (
    "promise_to_pay", "paid_already", "acknowledge", "how_to_pay", "instalment_request",
    "extension_request",
)  # fmt: skip
#: Acts that are heard even in what looks automatic.
_HEARD_EVER = ("deceased_or_incapacity", "legal_representation", "dispute_identity", "hardship")
_WORD = re.compile(r"[^\W_]")
_PICTURE = re.compile(r"[\U0001F300-\U0001FAFF\u2600-\u27BF\U0001F170-\U0001F251❤]")


def read(reply: Reply, model: Model | None = None) -> Reading:
    """Return what a reply says; one that says nothing certain is `other` and for a person."""
    model = model or built_in()
    if len(reply.text) > LONG:
        return _long(reply, model)
    key = menus.choice(reply.text)
    chosen = menus.option(reply.menu, key if key is not None else reply.text.strip())
    if chosen is not None:
        return _chosen(reply, chosen, model)
    if key is not None:
        return _unread(reply)
    evidence = gathered(reply.text, reply.received_at, reply.lang)
    if not _WORD.search(evidence.text) and not _PICTURE.search(evidence.text):
        return _unread(reply)
    decision = _decided(evidence, model)
    if answers_itself(evidence.text) and decision.intent not in _HEARD_EVER:
        # A telephone answers, nobody: nothing follows, and a person may look at it.
        return _unread(reply)
    refuses = _REFUSES.search(evidence.text) or hindi.refuses(evidence.text)
    if decision.intent in _NO_REFUSAL and not evidence.pays_on and refuses:
        return _unread(reply)
    if decision.intent == "abusive" and _ONLY_REFUSES.fullmatch(evidence.text):
        return _unread(reply)
    return _reading(reply, evidence, decision)


def _reading(reply: Reply, evidence: Evidence, decision: Decision) -> Reading:
    """Return the reading of a decision, with day and figure where its intent carries them."""
    day = confidence = words = amount = None
    gone = decision.intent == "deceased_or_incapacity"
    incapable = gone and lacks_capacity(evidence.text)
    if decision.intent in DATED:
        mention = dates.chosen(evidence.text, evidence.meant, decision.intent)
        if mention is not None:
            day, confidence, words = mention.day, mention.confidence, mention.words
    if decision.intent in PRICED:
        amount = amounts.chosen(evidence.text, evidence.figures, decision.intent)
    return Reading(
        id=reply.id,
        intent=decision.intent,
        confidence=decision.confidence,
        promise_date=day,
        promise_date_expr=words,
        date_confidence=confidence,
        amount=amount,
        vulnerable=decision.vulnerable or incapable,
        secondary_intent=decision.secondary,
        needs_person=decision.needs_person,
        words=decision.words,
        fate=fate_of(evidence.text) if gone else None,
        only_incapacity=incapable and not decision.vulnerable,
    )


def _chosen(reply: Reply, words: str, model: Model) -> Reading:
    """Return the reading of an option of the menu: an intent by name, or words to be read."""
    if words in INTENTS:
        evidence = gathered("", reply.received_at, reply.lang)
        decision = Decision(intent=words, confidence=_CERTAIN, secondary=None, vulnerable=False,
                            needs_person=False, words=(words,))  # fmt: skip
        return _reading(reply, evidence, decision)
    found = read(replace(reply, text=words, menu=None), model)
    return replace(found, words=(*found.words, words))


def _unread(reply: Reply) -> Reading:
    """Return the reading of a text that says nothing: no letter, or a digit without its menu."""
    return Reading(id=reply.id, intent="other", confidence=_CERTAIN, needs_person=True)


def _long(reply: Reply, model: Model) -> Reading:
    """Return `other` for a long text, with what must not be missed from its two ends."""
    ends = (reply.text[:LOOKED_AT], reply.text[-LOOKED_AT:])
    found = [_part(text, reply.received_at, reply.lang, model) for text in ends]
    spoken = {one for part in found for one in (part.intent, part.secondary) if one}
    secondary = next((one for one in INTENTS if one in spoken and one != "other"), None)
    return Reading(
        id=reply.id,
        intent="other",
        confidence=_CERTAIN,
        vulnerable=any(part.vulnerable for part in found),
        secondary_intent=secondary,
        needs_person=True,
        words=tuple(dict.fromkeys(word for part in found for word in part.words)),
    )


def _part(text: str, received_at: datetime, lang: str | None, model: Model) -> Decision:
    evidence = gathered(text, received_at, lang)
    return _decided(evidence, model)


def _decided(evidence: Evidence, model: Model) -> Decision:
    return decide(evidence, model.chances(evidence.text, evidence.named), clause=model.clause)
