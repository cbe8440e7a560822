"""What a gateway's word about the end of a message means; a word that is not known says nothing.

Sources: SMPP 3.4, appendix B, and the codes of carriers in mainland China as their resellers
publish them. Carriers use one code in several meanings: where sources contradict each other it
stays unknown.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Meaning: TypeAlias = Literal[
    "delivered", "unreachable", "content", "blocked", "no_such_number", "frequency", "unknown"
]
State: TypeAlias = Literal["delivered", "undelivered", "unknown"]

_MEANINGS: dict[str, Meaning] = {
    **dict.fromkeys(("DELIVRD", "DELIVERED"), "delivered"),
    **dict.fromkeys(("UNDELIV", "UNDELIVERABLE", "EXPIRED", "DELETED"), "unreachable"),
    **dict.fromkeys(("REJECTD", "REJECTED", "KEYWORD", "ID:0076", "CJ:0007"), "content"),
    **dict.fromkeys(
        ("BLACK", "PUBLOKD", "HD:0001", "MA:0001", "MA:0023", "UNSUBSCRIBE"), "blocked"
    ),
    **dict.fromkeys(("MK:0001", "MK:0012", "MN:0001", "SGIP:1"), "no_such_number"),
    **dict.fromkeys(("MA:0022", "00141", "00142"), "frequency"),
    **dict.fromkeys(("ISV.BUSINESS_LIMIT_CONTROL", "ISV.DAY_LIMIT_CONTROL"), "frequency"),
    "LIMITEXCEEDED.DELIVERYFREQUENCYLIMIT": "frequency",
    **dict.fromkeys(("ISV.SMS_CONTENT_ILLEGAL", "FAILEDOPERATION.CONTAINSENSITIVEWORD"), "content"),
    "FAILEDOPERATION.PHONENUMBERINBLACKLIST": "blocked",
    # An app's push, and the post: a token or an address that is no more, a letter that came back.
    **dict.fromkeys(("UNREGISTERED", "MOVED", "UNKNOWN_ADDRESS"), "no_such_number"),
    **dict.fromkeys(("RETURNED", "REFUSED_BY_ADDRESSEE", "LOST", "NOT_PRINTED"), "unreachable"),
    "MK:0010": "unknown",  # An empty number to some, a full memory to others.
}
#: Words for a stage on the way, which say nothing of the end: a posted letter may yet come back.
ON_THE_WAY = frozenset({"PRINTED", "POSTED", "QUEUED"})
_CONTENT = re.compile(r"MA:\d{4}")
_FREQUENCY = re.compile(r"BEYOND[A-Z]?")


def meaning_of(code: str) -> Meaning:
    """Return what a code means; `unknown` where it is not known or contradictory.

    >>> meaning_of("DELIVRD"), meaning_of("MK:0010"), meaning_of("BEYONDH")
    ('delivered', 'unknown', 'frequency')
    """
    name = code.strip().upper()
    if name in _MEANINGS:
        return _MEANINGS[name]
    if _CONTENT.fullmatch(name):
        return "content"
    return "frequency" if _FREQUENCY.fullmatch(name) else "unknown"


def state_of(code: str) -> State:
    """Return how a message ended by its code.

    >>> state_of("UNDELIV"), state_of("ENROUTE")
    ('undelivered', 'unknown')
    """
    meaning = meaning_of(code)
    if meaning in ("delivered", "unknown"):
        return meaning
    return "undelivered"
