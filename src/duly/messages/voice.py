"""What a lender's file gives to every text: signature, app, hotline; checked before use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from duly.book.lender import Lender
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.messages import values
from duly.messages.lint import is_authority, names_nobody, unsaid
from duly.messages.locales import is_chinese

_SIGNATURE = re.compile(r"[\w &.'-]{2,16}")
_PLAIN = re.compile(r"[\w &.,'()（）·-]{2,60}")
_HOTLINE = re.compile(r"\+?[0-9][0-9xX -]{2,18}[0-9xX]")
_PERSONAL = re.compile(r"(?:\+?86)?1[3-9][0-9]{9}")
_CLAUSE = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}")
#: Categories of the house list that no name of a lender may touch.
_NOT_IN_NAMES = frozenset(
    {"THREAT", "FALSE_LEGAL", "IMPERSONATION", "THIRD_PARTY", "INSULT", "FALSE_CREDIT"}
)
#: Kinds of lender that the national regulator's consumer line 12378 serves.
_NATIONAL = frozenset({"bank", "consumer_finance", "trust", "auto_finance"})


@dataclass(frozen=True, kw_only=True)
class Voice:
    """The words and flags of one lender in one locale and channel."""

    words: Mapping[str, str]
    flags: Mapping[str, bool]


def voice_of(lender: Lender, locale: str, channel: str, message_class: str) -> Voice:
    """Return the lender's words; refuse (Refused) values that no text may carry."""
    found = lender_problems(lender)
    if found:
        raise Refused(*found)
    english = not is_chinese(locale)
    lender_name = _in_english(lender, "name") if english else lender.name
    signature = _in_english(lender, "signature") if english else lender.signature
    app = _in_english(lender, "app") if english else lender.app
    return Voice(
        words={
            "signature": signature,
            "lender": lender_name,
            "ways": values.ways_text(app, lender.hotline, locale),
            "phone": lender.hotline,
            "clause": lender.late_charge_clause,
        },
        flags={
            "opt_out": opt_out_allowed(lender, channel, message_class),
            "paying_prevents": lender.bureau_paying_prevents,
            "national": lender.kind in _NATIONAL,
        },
    )


def _in_english(lender: Lender, field: str) -> str:
    # The English forms are optional in the lender file; without them the Chinese ones stand.
    own = str(getattr(lender, field))
    if field == "signature":
        return lender.signature_en or lender.name_en or own
    return str(getattr(lender, f"{field}_en", "") or own)


def opt_out_allowed(lender: Lender, channel: str, message_class: str) -> bool:
    """Return whether no route of these texts forbids a word about opting out."""
    routes = [
        route
        for route in lender.routes
        if route.channel == channel and message_class in route.accepts
    ]
    return all(route.settings.get("opt_out", True) for route in routes)


def _says_too_much(words: str) -> bool:
    """Return whether a name holds words of the house list; manners and offers are no matter."""
    found = (*unsaid(words, "zh-CN"), *unsaid(words, "en"))
    return any(one.partition(":")[0] in _NOT_IN_NAMES for one in found)


def _wrong_signatures(lender: Lender) -> Iterator[tuple[str, str]]:
    for signed in dict.fromkeys((lender.signature, _in_english(lender, "signature"))):
        if not _SIGNATURE.fullmatch(signed) or names_nobody(signed):
            yield "signature_not_usable", signed
        elif is_authority(signed):
            yield "signature_of_authority", signed
        elif _says_too_much(signed):
            yield "lender_words_forbidden", signed


def _wrong_names(lender: Lender) -> Iterator[tuple[str, str]]:
    english = (_in_english(lender, "name"), _in_english(lender, "app"))
    agencies = (name for one in lender.agencies for name in (one.name, one.name_en))
    for value in dict.fromkeys((lender.name, lender.app, *english, *agencies)):
        if value and not _PLAIN.fullmatch(value):
            yield "lender_words_not_plain", value
        elif value and _says_too_much(value):
            yield "lender_words_forbidden", value


def lender_problems(lender: Lender) -> tuple[Diagnostic, ...]:
    """Return why texts may not be signed with this lender file; empty when they may."""
    found: list[Diagnostic] = []

    def note(code: str, value: str) -> None:
        found.append(Diagnostic(area="messages", code=code, values={"value": repr(value)}))

    for code, value in (*_wrong_signatures(lender), *_wrong_names(lender)):
        note(code, value)
    if lender.hotline and not _HOTLINE.fullmatch(lender.hotline):
        note("hotline_not_a_number", lender.hotline)
    if _PERSONAL.fullmatch(re.sub(r"[ -]", "", lender.hotline)):
        note("hotline_personal", lender.hotline)
    if not lender.hotline and not lender.app:
        note("no_way_to_answer", "")
    if lender.late_charge_clause and not _CLAUSE.fullmatch(lender.late_charge_clause):
        note("clause_not_a_number", lender.late_charge_clause)
    return tuple(found)
