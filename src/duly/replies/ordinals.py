"""Write days of the month that English replies spell out in digits: the fifteenth is the 15th."""

from __future__ import annotations

import re

_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
).split()
_VALUES = (
    {word: value for value, word in enumerate(_WORDS, start=1)}
    | {f"twenty {word}": value for value, word in enumerate(_WORDS[:9], start=21)}
    | {"thirtieth": 30, "thirty first": 31}
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)


def _any(words: list[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True)).replace(" ", "[ -]")


#: The first, the second, ... count other things too: they need a month beside them.
_LATE = [word for word, value in _VALUES.items() if value > 4]
_DAY = re.compile(
    rf"\b(?P<before>{_any(list(_VALUES))})\b(?= (?:of )?{_MONTH}\b)|"
    rf"\b(?P<month>{_MONTH}) (?:the )?(?P<after>{_any(list(_VALUES))})\b(?! thing)|"
    rf"\b(?P<alone>{_any(_LATE)})\b(?! (?:time|text|message|one|call|day|person|week|instal|"
    r"payment|floor|party|attempt|letter|email|reminder|month|year|of (?:what|my|the (?:loan|"
    r"amount|total|debt))))"
)
_ENDS = {1: "st", 2: "nd", 3: "rd"}


def in_digits(text: str) -> str:
    """Return a folded text with its days of the month in digits."""
    if "th" not in text and "st" not in text and "nd" not in text and "rd" not in text:
        return text
    return _DAY.sub(_digits, text)


def _digits(found: re.Match[str]) -> str:
    words = found["before"] or found["after"] or found["alone"]
    value = _VALUES[words.replace("-", " ")]
    end = "th" if value in (11, 12, 13) else _ENDS.get(value % 10, "th")
    return f"{found['month']} {value}{end}" if found["month"] else f"{value}{end}"
