"""Numbers as people write them: 15, 十五, 两千, 1千2, 1.5k."""

from __future__ import annotations

import re
from decimal import Decimal

_DIGITS = {char: value for value, chars in enumerate(
    ("零〇", "一壹幺", "二两贰俩", "三叁仨", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
) for char in chars}  # fmt: skip
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000, "k": 1000}
_MYRIADS = {"万": 10_000, "w": 10_000, "亿": 100_000_000}
_SPECIAL = {"廿": 20, "卅": 30}

#: A number in Chinese characters, as a pattern.
CHARACTERS = "零〇一壹二两贰俩三叁仨四肆五伍六陆七柒八捌九玖十拾百佰千仟万廿卅"
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_MIXED = re.compile(r"(\d+(?:\.\d+)?)([千百万kw])(?:(\d)([千百])?)?")

WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fourteen": 14, "fifteen": 15,
    "twenty": 20, "thirty": 30, "couple": 2,
}  # fmt: skip


def number(text: str) -> Decimal | None:
    """Return the value of a number in digits, characters or both, or None where it is none."""
    text = text.strip().replace(",", "").casefold()
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    mixed = _MIXED.fullmatch(text)
    if mixed:
        unit = (_TENS | _MYRIADS)[mixed[2]]
        # 1万2 is one and two tenths, 1万2百 names its smaller unit.
        smaller = _TENS[mixed[4]] if mixed[4] else unit // 10
        return Decimal(mixed[1]) * unit + (int(mixed[3]) * smaller if mixed[3] else 0)
    if text in WORDS:
        return Decimal(WORDS[text])
    return _characters(text)


def whole(text: str) -> int | None:
    """Return the value of a whole number, or None."""
    value = number(text)
    return int(value) if value is not None and value == int(value) else None


def _characters(text: str) -> Decimal | None:
    """Return the value of a number in characters: 一千五 is 1500, 一千零五 is 1005."""
    if not text or any(
        char not in _DIGITS | _TENS | _MYRIADS | _SPECIAL or char.isascii() for char in text
    ):
        return None
    if len(text) > 1 and all(char in _DIGITS for char in text):
        return Decimal("".join(str(_DIGITS[char]) for char in text))
    total, part, digit, unit, zero = 0, 0, 0, 1, False
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
            zero = zero or digit == 0
        elif char in _SPECIAL:
            part, digit, unit = part + _SPECIAL[char], 0, 10
        elif char in _TENS:
            unit = _TENS[char]
            part, digit = part + (digit or 1) * unit, 0
            zero = False
        else:
            unit = _MYRIADS[char]
            total, part, digit, zero = (total + part + digit) * unit, 0, 0, False
    # A last digit without a unit counts the next smaller one: 一千五 is one thousand five hundred.
    last = digit * unit // 10 if digit and not zero and unit >= 100 else digit
    return Decimal(total + part + last)
