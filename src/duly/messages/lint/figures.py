"""Does a text say what is owed, since or until when, how to stop it? Figures, days, opt-outs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from duly.messages.lint.files import data
from duly.messages.lint.lexicon import phrasing

_HAN = re.compile(r"[㐀-鿿]")
_NOT_OWED_WITHIN = 6
#: Characters around a day in which it is called the due date, in Chinese and in letters.
_AROUND_DAY, _AROUND_DAY_LETTERS = 14, 40
_DEADLINE_AFTER = re.compile(r"[0-9:点时 ]{0,6}(?:前|之前|以前|内|之内)")
_DEADLINE_BEFORE = re.compile(r"(?:by|before|until|till|请于|请在|限|务必于|within)[ (]*$")


def says_amount(text: str) -> bool:
    """Return whether a folded text has a figure for what is owed."""
    return any(
        not _not_owed().search(text[max(0, found.start() - _NOT_OWED_WITHIN) : found.start()])
        and not _not_owed_after().match(text, found.end())
        for found in _forms()["money"].finditer(text)
    )


def says_due(text: str, *, late: bool) -> bool:
    """Return whether a folded text says when it is due, or how many days late it is."""
    forms = _forms()
    if forms["overdue"].search(text):
        return True
    near = forms["due_late" if late else "due"]
    reach = _AROUND_DAY_LETTERS if _HAN.search(text) is None and not late else _AROUND_DAY
    for days in (forms["day_of_year"], forms["today"]):
        for found in days.finditer(text):
            around = text[max(0, found.start() - reach) : found.end() + reach]
            if near.search(around) and not (late and _is_senders(text, found)):
                return True
    return False


def _is_senders(text: str, found: re.Match[str]) -> bool:
    """Return whether a day is a deadline that the sender sets, not the day the loan was due."""
    before = text[max(0, found.start() - _AROUND_DAY) : found.start()]
    return (
        _DEADLINE_AFTER.match(text, found.end()) is not None
        or _DEADLINE_BEFORE.search(before) is not None
    )


def says_opt_out(text: str) -> bool:
    """Return whether a folded text tells how to stop or refuse the texts."""
    return _opt_out().search(text) is not None


@cache
def _forms() -> Mapping[str, re.Pattern[str]]:
    found = data("lexicon", "figures.yaml")["forms"]
    number = found["number"]
    return {
        name: re.compile("|".join(several).replace("<number>", number))
        for name, several in found.items()
        if name != "number"
    }


@cache
def _opt_out() -> re.Pattern[str]:
    return phrasing().union(map(str, data("lexicon", "figures.yaml")["opt_out"]))


@cache
def _not_owed() -> re.Pattern[str]:
    words = map(str, data("lexicon", "figures.yaml")["not_owed"])
    return re.compile("(?:" + "|".join(map(re.escape, words)) + r")[约为:了 的]?$")


@cache
def _not_owed_after() -> re.Pattern[str]:
    words = map(str, data("lexicon", "figures.yaml")["not_owed_after"])
    return re.compile("[ 的]?(?:" + "|".join(map(re.escape, words)) + ")")
