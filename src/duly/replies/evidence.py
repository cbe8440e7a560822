"""What is there in a reply before anything is decided: its spelling, cues, dates, figures."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from duly.replies import amounts, dates
from duly.replies.amounts import Figure
from duly.replies.cues import Cue, cues
from duly.replies.day_words import Mention
from duly.replies.respelling import by_sound, respelled

_HAN = re.compile(r"[㐀-鿿]")
#: Words of paying right after a date: the date is when money goes out.
_PAYS_AFTER_ZH = re.compile(
    r"^[^,.!?]{0,6}?(?:还款|还钱|还清|还上|还(?!要|有|在|是|没|不|能|会|来|想|打|发|催|得上|"
    r"需|可以|行|差|欠)|付|转|打(?:给你|款|钱|过去)|给(?:你|钱|我结|$|,)|存|处理|交(?!代)|结清|"
    r"搞定|弄好|补|汇|到账|安排|解决)"
)
_ASKS_BETWEEN = re.compile(r"怎|如何|哪|什么|吗|多少|能不能|可不可以|行不行|别|不要|会不会")
_FILLER_ZH = re.compile(
    r"(?:好的?|嗯|哦|行|知道了?|收到|吧|啊|呀|哈|了|的|就|我|会|一定|肯定|之?前|以前|左右|"
    r"大概|应该|可能|到时候?|等|要|再|最晚|最迟|尽量|争取|先|,|!|\.|~| )+"
)
_FILLER_EN = re.compile(
    r"(?:\b(?:ok|okay|yes|sure|i|will|ill|for|by|on|the|its|it|maybe|probably|definitely|"
    r"latest|sir|maam|madam|pls|please|promise|god willing|hopefully|inshallah|thanks|of|def|"
    r"then|at|around|about|only|is|it's|i'll|ma|certainly|mate|bro|boss|dear|madam|ok then|"
    r"mam|my friend|fine|cool|latest by|most likely|most|likely|first|thing|before|"
    r"no later than|before noon|in the|morning|evening|guaranteed|without fail|100%|all)\b|"
    r"[,.! ])+"
)
_PAYS_EN = re.compile(
    r"\b(?:pay|paying|payment|paid|send|sending|settle|clear|transfer|sort|do|money|yours|"
    r"get it|have it|deposit|repay|give|it'?s yours|done)\b"
)
_ASKS_EN = re.compile(
    r"\b(?:how|where|why|what|who|which|did|stop|don'?t|not|can'?t|cannot|won'?t|no)\b|\?"
)

_ASKS_BEFORE = re.compile(r"(?:能不能|可不可以|能否|可否|是否可以|可以不可以)[^,.!?]{0,6}$")
#: The reply says that nothing was paid yet.
_UNPAID = re.compile(
    r"没有?(?:还|付|转|交)(?!.{0,2}(?:更新|到账|过期|同步))|尚?未(?:还|付|转|交)|"
    r"\b(?:not|haven'?t|havent|didn'?t|didnt|never|hasn'?t|hasnt|isn'?t|wasn'?t|nt)"
    r" (?:yet |been |even |actually |be )*(?:paid|pay|settled|cleared)"
)
#: Where one clause of an English reply ends and another begins.
_CLAUSES_EN = re.compile(r"[,.;!]|\bbut\b|\bthen\b|\band\b")
#: A question whether that day would do, right after it in Chinese, around it in English.
_ASKS_AFTER = re.compile(
    r"^[^,.!?]{0,8}?(?:行不|行吗|行么|行嘛|可以吗|可以不|可以么|可不可以|能不能|得不|成不|"
    r"成吗|好吗|好不好|可否|来得及)"
)
_ASKS_LEAVE = re.compile(
    r"^(?:pls |please |sir |hi |hello )*(?:can|could|may|would|is|will|shall)(?: (?:i|it|we|"
    r"u|you|that|this))*"
    r"(?: (?:be|pay|settle|wait|clear|do|ok|fine|give|have|okay|possible|make|"
    r"send))* .*(?:\?|ok$|okay$|please$|pls$)|"
    r"\b(?:ok|okay|fine|alright|possible|acceptable|works?)\?$"
)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One reply as the deciding sees it."""

    text: str  #: respelled
    cues: tuple[Cue, ...]
    mentions: tuple[Mention, ...]
    figures: tuple[Figure, ...]
    pays_on: bool  #: a date is tied to paying, or stands alone
    asks_on: bool  #: it is asked whether a date would do
    by_sound: bool = False  #: the cues were found only by how the words sound

    @property
    def named(self) -> tuple[str, ...]:
        """The cues, and whether there are dates and figures, as the model's features."""
        kinds = {f"{one.act}:{one.strength}" for one in self.cues}
        kinds |= {"day" if one.day else "vague day" for one in self.mentions}
        kinds |= {"money"} if self.figures else set()
        kinds |= {"pays on"} if self.pays_on else set()
        kinds |= {"asks on"} if self.asks_on else set()
        return tuple(sorted(kinds))


def gathered(text: str, received_at: datetime, lang: str | None) -> Evidence:
    """Return the evidence of a reply; a Chinese text without cues is heard as well as read."""
    evidence = _of(respelled(text, lang), received_at, lang)
    if evidence.cues or evidence.pays_on or not _HAN.search(evidence.text):
        return evidence
    heard = by_sound(evidence.text)
    if heard != evidence.text:
        second = _of(heard, received_at, lang)
        if second.pays_on or any(one.strength == "sure" for one in second.cues):
            return replace(second, by_sound=True)
    return evidence


def _of(plain: str, received_at: datetime, lang: str | None) -> Evidence:
    found = dates.mentions(plain, received_at, lang)
    figures = amounts.figures(plain, [(one.start, one.end) for one in found])
    asks_on = _asks_on(plain, found)
    return Evidence(
        text=plain,
        cues=_uncontained(_without_denied(plain, cues(plain))),
        mentions=found,
        figures=figures,
        pays_on=not asks_on and _pays_on(plain, found, figures),
        asks_on=asks_on,
    )


def _asks_on(text: str, found: tuple[Mention, ...]) -> bool:
    """Tell whether a reply asks if a day would do."""
    return any(
        _ASKS_AFTER.match(text[one.end :])
        or (_ASKS_BEFORE.search(text[: one.start]) and _PAYS_AFTER_ZH.match(text[one.end :]))
        for one in found
    ) or bool(found and _ASKS_LEAVE.search(text))


#: Acts that no longer words of another act take the place of.
_NEVER_CONTAINED = (
    "deceased_or_incapacity", "legal_representation", "complaint", "self_harm", "severe_illness",
    "demand", "accusation",
)  # fmt: skip
#: Acts that only mark an exception take no place.
_MARKS = ("demand", "accusation")


def _without_denied(text: str, found: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Leave out that something was paid where the reply says that it was not."""
    if not _UNPAID.search(text):
        return found
    return tuple(one for one in found if one.act != "paid_already")


def _uncontained(found: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Leave out a cue whose words lie inside the longer words of a sure cue of another act."""

    def inside(one: Cue) -> bool:
        return any(
            other.act not in (one.act, *_MARKS) and other.strength == "sure"
            and other.start <= one.start and one.end <= other.end
            and other.end - other.start > one.end - one.start
            for other in found
        )  # fmt: skip

    return tuple(one for one in found if one.act in _NEVER_CONTAINED or not inside(one))


def _pays_on(text: str, found: tuple[Mention, ...], figures: tuple[Figure, ...]) -> bool:
    """Tell whether a date is tied to paying: words of paying beside it, or nothing else at all."""
    kept = dates.undenied(text, found)
    if not kept:
        return False
    left, end = [], 0
    for one in kept:
        left.append(text[end : one.start])
        end = one.end
    rest = "".join([*left, text[end:]])
    for figure in figures:
        rest = rest.replace(text[figure.start : figure.end], "")
    if _HAN.search(text):
        if not _FILLER_ZH.sub("", rest):
            return any(one.day for one in kept)
        return any(_pays_after(text, one) for one in kept)
    if not _FILLER_EN.sub("", rest):
        return True
    return any(_pays_in_clause(text, one) for one in kept)


def _pays_after(text: str, one: Mention) -> bool:
    after = _PAYS_AFTER_ZH.match(text[one.end :])
    rest = text[one.end + after.end() :] if after else ""
    tail = re.split(r"[,.!]", rest[:3])[0]
    return bool(after and not _ASKS_BETWEEN.search(after[0]) and not _ASKS_BETWEEN.search(tail)
                and not re.match(r"^不[了起上出清]", tail))  # fmt: skip


def _pays_in_clause(text: str, one: Mention) -> bool:
    """Tell whether the clause around an English date speaks of paying, and asks nothing."""
    starts = [stop.end() for stop in _CLAUSES_EN.finditer(text, 0, one.start)]
    stop = _CLAUSES_EN.search(text, one.end)
    clause = text[starts[-1] if starts else 0 : stop.start() if stop else len(text)]
    clause = clause.replace(one.words, " ")
    return bool(_PAYS_EN.search(clause)) and not _ASKS_EN.search(clause)
