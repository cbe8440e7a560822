"""Which day does a reply name for paying? Dates are found, weighed, and one is chosen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from duly.replies import dates_en, dates_hi, dates_zh, hindi, retracting
from duly.replies.calendar import HOLIDAYS, country_of
from duly.replies.day_words import Mention, Seen, find
from duly.replies.respelling import HAN

_PAST = re.compile(
    r"上+个?(?:周|星期|礼拜|月)(?:[一二三四五六日天末底初]|(?:月)?\d{1,2}[号日])?|昨[天晚日]|"
    r"大?前[天晚]|去年|前[几两]天|"
    r"刚才|[\d一二两三四五六七八九十几半]+(?:天|个?月|个?星期|周|年)(?:之前就|以前就|前就)|"
    r"\b(?:last|past|previous) \w+\b(?! (?:of|in) (?:the|this|next|each|every)\b)|"
    r"\byester\w+|\by'?day\b|(?<!the )\b(?:\w+ )?\w+ ago\b|"
    r"[\d一二两三四五六七八九十几半]+(?:天|个?月|个?星期|周|年)多?了(?!再|就)|"
    r"\bsince \w+(?: \d+\w*)?|"
    # 'Only seeing this now' tells when a text was read.
    r"\b(?:see|seeing|seen|saw|notic(?:ed|ing)|read|reading|found|getting|got) "
    r"(?:(?:this|it|that|ur|your|the|text|message|msg|sms|only|just) ?){0,4}(?:just |right )?now\b"
)
_STOP = "，,。.；;！!？?、 "
#: What follows a day on which somebody says that he cannot pay.
_NOT_AFTER_ZH = re.compile(
    rf"^[^{_STOP}]{{0,5}}?(?:[还付转交给]不[了上起出清]|不行|不可能|(?<!能)不能|没法|没钱|没空|"
    r"没有钱|已经?过了?|都过了|来不及|凑不|拿不|弄不|不方便|够呛|悬|没戏|卡?被?(?:锁|冻结|限额)|"
    r"(?:银行|系统)(?:在?维护|打不开|崩))"
)
_NOT_BEFORE_ZH = re.compile(
    r"(?:不是|别等|不要等|等不到|到不了|赶不上|不用等|不等|除了|"
    r"(?<!是)(?<!有)(?:不太?|没)可能(?:会|在|等到?)?|做不到|绝不(?:会)?(?:在)?|(?:没|无|没有)办?法(?:在)?)$"
)
_STILL_ZH = re.compile(r"(?:才|之?后才|以后才)")
_NOT_AFTER_EN = re.compile(
    r"^(?:(?!\bbut\b|\bthen\b)[^,.;!?]){0,12}?\b(?:not|isn'?t|won'?t|no good|impossible|"
    r"can'?t|cannot|too soon|(?:is|are) out(?! of)|off the table)\b"
)
_NOT_BEFORE_EN = re.compile(
    r"\b(?:instead of|rather than)(?: on| by| this| the)* ?$|"
    r"\b(?:not|cannot|can'?t|won'?t|unable|couldn'?t|don'?t|no way)\b(?:(?!\bbut\b|"
    r"\binstead\b|\bonly\b)[^,.;!?]){0,25}$"
)
_NEXT_DENIED = re.compile(
    r"[, ]*\b(?:and |but )?(?:not|isn'?t|rather than|instead of)(?: on| by| this| the)* ?$"
)
_COUNTS_EN = re.compile(r"^(?:until|till|til|before)\b|^(?:on or )?before\b")
_UNTIL_EN = re.compile(r"\b(?:until|till|til|before)\b\W*$")
#: Words after a date that tell when money comes in, not when it goes out.
_INCOME_AFTER = re.compile(
    r"^(?:我|才|就|会|能|公司|单位|老板|那天)*(?:发(?:工资|薪|钱|奖金)|开(?:工资|支)|领工资|"
    r"工资|到账|有钱进)"
    r"|^ ?(?:is|i get|when i get|i'?ll get|get)? ?(?:my )?(?:pay ?day|paid|salary|wages)"
)
#: A weekday right beside a day of the month says it again, and the day of the month counts.
_WEEKDAY = re.compile(
    r"(?:周|星期|礼拜|週)[一二三四五六日天]|周末|week ?end|"
    r"\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b"
)
_WEEKEND = re.compile(r"周末|week ?end")
_DAY_NUMBER = re.compile(
    r"[\d一二三四五六七八九十廿]+(?:号|日)|月[\d一二三四五六七八九十]|\d(?:st|nd|rd|th)\b|\d[./-]\d|"
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (?:the )?\d|"
    r"\d ?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|^(?:the )?\d+$"
)
#: Words that tell how soon after what was named before.
_AT_ONCE = re.compile(
    r"(?:马上|立[刻马即]|当[天日]|这就|就|第一时间)\w{0,2}|immediately|right away|straight away"
)
_NEXT_WEEK = re.compile(r"下+个?(?:周|星期|礼拜)|(?:next|nxt) (?:week|wk)")
_BARE_WEEKDAY = re.compile(
    r"(?:周|星期|礼拜|週)[一二三四五六日天]|(?:on |by )*(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"
)
#: An hour of any day, which means today only where it stands alone.
_HOUR = re.compile(
    r"(?:by |before |at |in |the |this )*(?:close of business|cob|eod|end of (?:the )?day|"
    r"mid ?night|morning|afternoon|evening|eve|noon|after work)|"
    r"(?:早上|上午|中午|下午|傍晚|晚上|晚些时候|下了?班(?:就|后|了|以后|之后)?|睡前|(?:回|到)家(?:后|就|了)|"
    r"(?:\d{1,2}|十[一二]?|[二三四五六七八九两])点(?:半|钟)?(?:之?前|之?后|以?后)?)+"
)
_BESIDE = re.compile(
    r"[\s,.()（）、/-]*(?:the|on|of|也就是|就是|即|那天|这天|的)?[\s,.()（）、/-]*"
)
#: The lunar year's small feasts fall on another day here and there: the day that is said counts.
_LUNAR_DAY = re.compile(
    r"[正冬腊一二三四五六七八九十]月(?:初|十|廿|二十|三十)[一二三四五六七八九十]?|"
    r"初[一二三四五六七八九十]"
)
_FEAST = re.compile(rf"(?:过|等)?(?:{HOLIDAYS})(?:节)?")
_EVERY = re.compile(r"(?:\b(?:every|each)|每个?) ?$")
_FROM_BEFORE = re.compile(
    r"(?:\b(?:from|starting|beginning|start|commencing|as of)(?: on| from| the)*|从|自) ?$"
)
_FROM_AFTER = re.compile(r"^ ?(?:起|开始|onwards?|onward)")


def mentions(text: str, received_at: datetime, lang: str | None) -> tuple[Mention, ...]:
    """Return the dates of a respelled text that lie on or after the reply's local day."""
    offset = received_at.utcoffset()
    hours = offset.total_seconds() / 3600 if offset is not None else 0.0
    chinese = bool(HAN.search(text))
    seen = Seen(
        today=received_at.date(),
        offset_hours=hours,
        country=country_of(hours, "zh" if chinese else lang or "en"),
        lang="zh" if chinese else "en",
    )
    plain = _PAST.sub(lambda found: " " * len(found[0]), text)
    rules = dates_en.RULES
    if not chinese and dates_hi.SPOKEN.search(text):
        rules, plain = dates_hi.RULES + dates_en.RULES, hindi.without_past(plain)
    if chinese:
        rules = dates_zh.RULES + dates_en.RULES
    elif not re.search(r"[a-z]", text):
        rules = dates_zh.RULES
    return _merged(text, find(rules, plain, seen), received_at.date())


def _merged(text: str, found: tuple[Mention, ...], received: date) -> tuple[Mention, ...]:
    """Join a weekday to the date that it only repeats; drop 'at once' after a day."""
    kept = list[Mention]()
    for one in found:
        if kept and _AT_ONCE.fullmatch(one.words):
            continue
        last = kept[-1] if kept else None
        if last is not None and (day := _of_an_hour(text, last, one)) is not None:
            words = text[last.start : one.end].strip()
            kept[-1] = replace(day, start=last.start, end=one.end, words=words)
            continue
        if last is not None and one.day and _NEXT_WEEK.fullmatch(last.words) and (
            _BARE_WEEKDAY.fullmatch(one.words)
        ):  # fmt: skip
            # 'Next week, Wednesday' is no Wednesday of this week.
            monday = received + timedelta(days=7 - received.weekday())
            kept[-1] = replace(one, day=monday + timedelta(days=one.day.weekday()))
            continue
        if last is not None and _same(text, last, one):
            other = _WEEKEND.search(one.words) or _DAY_NUMBER.search(last.words)
            other = other or _FEAST.fullmatch(one.words)
            numbered = last if other else one
            words = text[last.start : one.end].strip()
            kept[-1] = replace(numbered, start=last.start, end=one.end, words=words)
            continue
        kept.append(one)
    return tuple(kept)


def _of_an_hour(text: str, first: Mention, second: Mention) -> Mention | None:
    """Return the day of two mentions side by side where the other is an hour of that day."""
    if first.day is None or second.day is None:
        return None
    if not _BESIDE.fullmatch(text[first.end : second.start]):
        return None
    hours = [bool(_HOUR.fullmatch(one.words)) for one in (first, second)]
    if sum(hours) != 1:
        return None
    return second if hours[0] else first


def _same(text: str, first: Mention, second: Mention) -> bool:
    """Tell whether two mentions side by side are a weekday and the date of that day."""
    if first.day is None or second.day is None:
        return False
    if not _BESIDE.fullmatch(text[first.end : second.start]):
        return False
    lunar = [bool(_LUNAR_DAY.fullmatch(one.words)) for one in (first, second)]
    if sum(lunar) == 1 and abs(second.day - first.day) <= timedelta(days=2):
        return bool(_FEAST.fullmatch((first if lunar[1] else second).words))
    weekend = [bool(_WEEKEND.search(one.words)) for one in (first, second)]
    if sum(weekend) == 1:  # The weekend, sunday: the sunday.
        return True
    numbered = [bool(_DAY_NUMBER.search(one.words)) for one in (first, second)]
    named = [bool(_WEEKDAY.search(one.words)) for one in (first, second)]
    return sum(numbered) == 1 and named[numbered.index(False)]


def chosen(text: str, meant: tuple[Mention, ...], intent: str) -> Mention | None:
    """Return the date that the reply's act is tied to: the earliest of the undenied ones.

    A duration may be counted from the due date when more time is asked for (soft); in a promise
    it is counted from the reply (firm).
    """
    left = meant
    if intent == "instalment_request":  # Parts have no day unless one is named.
        firm = (one for one in left if one.confidence == "firm")
        left = tuple(one for one in firm if one.words not in retracting.NOW)
    if intent == "instalment_request":  # 60 every friday from the 24th: from the 24th on.
        left = tuple(one for one in left if not _EVERY.search(text[: one.start])) or left
        left = tuple(one for one in left if _starts(text, one)) or left
    named = [one for one in left if one.day is not None]
    tied = [one for one in named if not _INCOME_AFTER.match(text[one.end :])]
    named = tied or named
    if named:
        best = min(named, key=lambda one: (one.day, one.start))
        if intent == "promise_to_pay" and best.confidence == "soft":
            best = replace(best, confidence="firm")
        return best
    return left[0] if left else None


def _starts(text: str, one: Mention) -> bool:
    """Tell whether parts begin on a day."""
    before, after = text[: one.start], text[one.end :]
    return bool(_FROM_BEFORE.search(before) or _FROM_AFTER.match(after))


def undenied(text: str, found: Sequence[Mention]) -> tuple[Mention, ...]:
    """Return the dates that a reply does not say no to, take back or name for something else."""
    left = tuple(one for one in found if not _denied(text, one, found))
    return retracting.kept(text, left)


def _denied(text: str, one: Mention, others: Sequence[Mention]) -> bool:
    """Tell whether a reply says that it is not this day."""
    before, after = text[: one.start], text[one.end :]
    following = [other.start for other in others if other.start >= one.end]
    after = after[: min(following) - one.end] if following else after
    if HAN.search(text):
        # '20号前还不了' denies; '20号才能还' does not; a question offers the day.
        denied = _NOT_AFTER_ZH.match(after) and not _STILL_ZH.match(after)
        asked = re.match(
            (rf"^[^{_STOP}]{{0,5}}?行不行|^[^{_STOP}]{{0,5}}?还不[还了上].{{0,2}}行"), after
        )
        return bool((denied and not asked) or _NOT_BEFORE_ZH.search(before))
    earlier = max((other.end for other in others if other.end <= one.start), default=0)
    if hindi.denied_between(text, one.start, one.end, earlier, min(following, default=len(text))):
        return True
    if following:  # 'saturday not friday' denies the friday.
        after = _NEXT_DENIED.sub("", after)
    if _COUNTS_EN.search(one.words) or _UNTIL_EN.search(before) or before.endswith("if not "):
        return False
    return bool(_NOT_AFTER_EN.match(after) or _NOT_BEFORE_EN.search(before))
