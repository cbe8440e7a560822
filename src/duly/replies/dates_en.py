"""Dates in English replies, as people of many places text them."""

from __future__ import annotations

import re
from datetime import date, timedelta

from duly.replies import calendar
from duly.replies.day_words import (
    Meant,
    Resolver,
    Seen,
    days_from,
    hours,
    in_days,
    numeric,
    of_year,
    on,
    vague,
    weekday,
)
from duly.replies.numerals import WORDS, whole

_DAY_NAMES = (
    ("monday", "mon"), ("tuesday", "tues", "tue"), ("wednesday", "weds", "wed", "wednsday"),
    ("thursday", "thurs", "thur", "thu", "thrusday"), ("friday", "fri", "friay", "firday"),
    ("saturday", "sat", "satday", "saterday"), ("sunday", "sun"),
)  # fmt: skip
_WEEKDAYS = {name: day for day, names in enumerate(_DAY_NAMES) for name in names}
_MONTH_NAMES = (
    ("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may",),
    ("june", "jun"), ("july", "jul"), ("august", "aug"), ("september", "sept", "sep"),
    ("october", "oct"), ("november", "nov"), ("december", "dec"),
)  # fmt: skip
_MONTHS = {name: month for month, names in enumerate(_MONTH_NAMES, start=1) for name in names}
_DAY = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_N = r"\d{1,3}|" + "|".join(sorted(WORDS, key=len, reverse=True))
_UNIT = {"day": 1, "week": 7, "wk": 7, "fortnight": 14, "month": 30, "mth": 30}
_BY = (
    r"(?:(?:on or before|on|by|before|till|til|until|untill|up ?to|this|coming|the|around|about|"
    r"come|"
    r"for|of|to|b4|latest|no later than|not later than) )*"
)
_FEW = "two|three|four|five|six|seven"
_PART = r"(?: (?:morning|mornin|afternoon|arvo|evening|eve|night|nite|noon|am|pm|lunch|lunchtime))?"


def _weekday(found: re.Match[str], seen: Seen) -> Meant:
    said = found[0]
    weeks = 1 if re.search(r"\b(?:next|nxt|following)\b", said) else 0
    day, confidence = weekday(seen, _WEEKDAYS[found["day"]], weeks)
    assert day is not None
    if re.search(r"\b(?:week|wk)$", said) and not weeks:
        day += timedelta(weeks=1)  # "Friday week" is a week after the coming Friday.
    return day, confidence


def _span(found: re.Match[str], seen: Seen) -> Meant | None:
    count = whole(found["n"] or found["more"] or "1")
    unit = found["unit"].rstrip("s")
    if count is None or re.search(r"\d ?$", found.string[: found.start()]):
        return None  # '30 a fortnight' says how much, not when.
    said = found[0]
    firm = re.search(r"\b(?:in|within|inside|after|from now|from today|time)\b", said) or re.match(
        r"(?:in|within)\b", said
    )
    asked = re.search(r"\b(?:more|extra|another|additional|further|give me|need)\b", said)
    return days_from(seen, count * _UNIT[unit], "soft" if asked or not firm else "firm")


def _working_days(found: re.Match[str], seen: Seen) -> Meant | None:
    count = 1 if found["next"] else whole(found["n"] or "")
    if count is None or not 0 < count <= 60:
        return None
    return calendar.working_day(seen.today, count, seen.country), "firm"


def _ordinal(found: re.Match[str], seen: Seen) -> Meant | None:
    number = int(found["n"])
    if not 1 <= number <= 31:
        return None
    if not found["next"]:
        return on(calendar.day_of_month(seen.today, number))
    year, month = calendar.next_month(seen.today)
    return on(date(year, month, min(number, calendar.month_end(year, month).day)))


def _month_day(found: re.Match[str], seen: Seen) -> Meant | None:
    month, number = _MONTHS[found["m"]], int(found["n"])
    if not number:
        return None
    if found["y"]:
        return of_year(seen, int(found["y"]), month, number)
    return on(calendar.month_day(seen.today, month, number))


def _iso(found: re.Match[str], seen: Seen) -> Meant | None:
    return of_year(seen, int(found["y"]), int(found["m"]), int(found["n"]))


def _month_end(found: re.Match[str], seen: Seen) -> Meant:
    return on(calendar.month_end(*calendar.next_month(seen.today, 1 if "next" in found[0] else 0)))


def _named_month_end(found: re.Match[str], seen: Seen) -> Meant:
    month = _MONTHS[found["m"]]
    return on(calendar.month_end(seen.today.year + (month < seen.today.month), month))


def _weekend(found: re.Match[str], seen: Seen) -> Meant:
    late = seen.today.weekday() == 6
    day, _ = weekday(seen, 6 if late else 5, 1 if "next" in found[0] else 0)
    return day, "soft"


def _week_end(found: re.Match[str], seen: Seen) -> Meant:
    late = seen.today.weekday() > 4
    day, _ = weekday(seen, 6 if late else 4, 1 if "next" in found[0] else 0)
    return day, "soft"


def _week_from(found: re.Match[str], seen: Seen) -> Meant | None:
    """Resolve 'a week today', 'two weeks on Friday', 'tomorrow week'."""
    weeks = 2 if "fortnight" in found[0] else whole(found["n"] or "1") or 1
    said = found["from"]
    if said == "today":
        return days_from(seen, 7 * weeks)
    if said.startswith("tom"):
        return days_from(seen, 7 * weeks + 1)
    day, _ = weekday(seen, _WEEKDAYS[said], 0)
    assert day is not None
    return days_from(seen, (day - seen.today).days + 7 * weeks)


def _same_day(found: re.Match[str], seen: Seen) -> Meant | None:
    """Resolve 'this time next week' or month; the 31st of a shorter month is its last day."""
    if found["unit"] == "week":
        return days_from(seen, 7)
    year, month = calendar.next_month(seen.today)
    return on(date(year, month, min(seen.today.day, calendar.month_end(year, month).day)))


def _count(found: re.Match[str], seen: Seen) -> Meant | None:
    count = whole(found["n"])
    return None if count is None else days_from(seen, count * _UNIT[found["unit"].rstrip("s")])


def _within(found: re.Match[str], seen: Seen) -> Meant:
    """Resolve 'within this week' or month: its last day."""
    if found["unit"] == "month":
        return on(calendar.month_end(seen.today.year, seen.today.month))
    return weekday(seen, 6, 0)


def _holiday(found: re.Match[str], seen: Seen) -> Meant | None:
    eve = 1 if found["eve"] else 0
    day = calendar.english_holiday(seen.today + timedelta(days=eve), found["name"], seen.country)
    return on(day - timedelta(days=eve) if day else None)


def _nth_weekday(found: re.Match[str], seen: Seen) -> Meant:
    nth = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4,
           "4th": 4, "last": -1}[found["nth"]]  # fmt: skip
    ahead = 1 if "next month" in found[0] else 0
    return on(calendar.nth_weekday(seen.today, _WEEKDAYS[found["day"]], nth, ahead))


def _month_working_day(found: re.Match[str], seen: Seen) -> Meant:
    ahead, last = int("next month" in found[0]), found["nth"] == "last"
    return on(calendar.month_working_day(seen.today, ahead, seen.country, last=last))


def _month_start(found: re.Match[str], seen: Seen) -> Meant:
    del found
    return on(calendar.day_of_month(seen.today, 1))


#: What after a number says that it is a sum.
_SUM_AFTER = r" ?(?:k\b|lakhs?|lacs?|crores?|grand|thousand|hundred|m\b)"
#: The year of a date; a sum may stand there as well.
_YEAR = (
    r"(?:,? (?P<y>20[2-9]\d|9999)\b(?![.,:/]\d| ?(?:dollars|bucks|rs|rupees|naira|usd|inr|quid|"
    r"pounds|euros|shillings|bob)))?"
)
_ORD = r"(?P<n>[0-3]?\d)(?: ?(?:st|nd|rd|th)\b)"
_RULES: tuple[tuple[str, Resolver], ...] = (
    (rf"{_BY}(?:2day|2nite|2night){_PART}(?!s)", in_days(0)),
    (r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<n>\d{1,2})(?!\d)", _iso),
    # Digits without a mark, beside a word of paying alone: else they number an order.
    (
        r"\b(?:pay|paying|settle|clear|send|transfer|by|on|until|till)(?: on| by| it| you| all)* "
        r"(?P<y>20\d\d)(?P<m>0[1-9]|1[0-2])(?P<n>0[1-9]|[12]\d|3[01])(?![\d.,])",
        _iso,
    ),
    ((
        rf"{_BY}(?P<m>{_MONTH})\.? (?:the )?(?P<n>[0-3]?\d)(?: ?(?:st|nd|rd|th))?(?![\d.]|"
        rf"\s?(?:dollars|bucks|days|weeks|a )){_YEAR}"
    ), _month_day),
    ((
        rf"{_BY}(?:an? |one )?(?:(?P<n>{_N}) )?(?<!next )(?<!nxt )(?<!this )"
        r"(?:weeks?|wks?|fortnight)(?: from| on| come)? "
        rf"(?P<from>today|tomorrow|{_DAY})\b"
    ), _week_from),
    (rf"{_BY}(?P<n>)(?P<from>today|tomorrow) week\b", _week_from),
    (rf"{_BY}(?:same|this) (?:time|day) next (?P<unit>week|month)\b", _same_day),
    (rf"{_BY}next (?:tomorrow|tmrw)\b", in_days(2)),
    ((  # Two or three days are the first of them.
        rf"(?:(?:in|within|after) )?(?P<more>)(?P<n>\d{{1,2}}|{_FEW}) ?(?:-|to|or) ?"
        rf"(?:\d{{1,2}}|{_FEW}) (?P<unit>days?|weeks?)(?:'? time)?(?! (?:ago|late|overdue))\b"
    ), _count),
    ((
        rf"(?<!after ){_BY}(?P<name>{calendar.ENGLISH_HOLIDAYS})(?:'?s)?(?: day)?"
        r"(?P<eve>(?:'?s)? eve)?\b"
    ), _holiday),
    ((
        rf"{_BY}(?:the )?(?P<nth>first|1st|second|2nd|third|3rd|fourth|4th|last) (?P<day>{_DAY}) "
        r"(?:of|in) (?:the |this |next |each |every )*month"
    ), _nth_weekday),
    ((
        rf"{_BY}(?:the )?(?P<nth>first|1st|last) (?:business|working|work|banking) day (?:of|in) "
        r"(?:the |this |next )*month"
    ), _month_working_day),
    ((
        rf"{_BY}(?P<n>[0-3]?\d)(?: ?(?:st|nd|rd|th))?(?: of)?[ -](?P<m>{_MONTH})\b{_YEAR}"
    ), _month_day),
    ((
        rf"{_BY}(?P<a>[0-3]?\d)[/.-](?P<b>[0-3]?\d)(?:[/.-](?P<y>\d{{4}}|\d\d))?"
        rf"(?![\d/%]|{_SUM_AFTER})"
    ), numeric),
    ((  # Several days are the earliest of them, where nothing is moved from one to the other.
        rf"(?<!from )(?<!from the ){_BY}{_ORD}(?P<next>) ?(?:-|to|till|until|and|or|/) ?(?:the )?"
        r"[0-3]?\d ?(?:st|nd|rd|th)\b"
    ), _ordinal),
    (rf"{_BY}{_ORD} (?:of )?(?P<next>next month)", _ordinal),
    (rf"{_BY}(?P<next>next month)(?: on)?(?: the)? {_ORD}", _ordinal),
    ((
        rf"{_BY}{_ORD}(?: (?:of )?(?:this|the) month)?(?P<next>)(?! (?:time|text|message|payment|"
        r"call|one|instal{1,2}ment|floor|party))"
    ),
     _ordinal),
    ((
        rf"{_BY}the (?P<n>[0-3]?\d)(?P<next>)(?![\d.,%]|:| ?(?:dollars|quid|bucks|hours|"
        rf"days)|{_SUM_AFTER})"
    ), _ordinal),
    ((
        rf"{_BY}(?:(?:the )?(?:last day|end|ending) of (?:the |this |next )?(?:month|mnth|mth)|"
        r"(?:this |next )?month(?:'?s)?[ -]?end|eom|next eom)\b"
    ), _month_end),
    (rf"{_BY}(?:the )?(?:end of|late) (?P<m>{_MONTH})\b", _named_month_end),
    (rf"{_BY}(?:the )?(?:first|1st|start|beginning) of (?:the |next )?(?:month)\b", _month_start),
    ((
        rf"{_BY}(?:(?:next|nxt|following) (?:week(?:'?s)? )?(?:on )?)?(?P<day>{_DAY})\b(?: (?:of "
        rf")?(?:next|nxt|following) (?:week|wk)| (?:week|wk)\b|"
        rf" next(?= *[,.!]| *$| i| will| for| without| pls))?{_PART}"
    ), _weekday),
    ((
        rf"{_BY}(?:(?P<next>next|following) (?:business|working|work|banking) day|(?:in |"
        rf"within )?(?P<n>{_N}) (?:business|working|work|banking) days?)"
    ), _working_days),
    ((
        rf"{_BY}(?:the )?day (?:after|aftr|aftar|afta|aft) (?:tomorrow|tomorow|tomm?or+ow|tomoro|"
        r"tmrw|tmr|2moro|tom)\b"
    ), in_days(2)),
    ((
        rf"{_BY}(?:tomorrow|tommorow|tommorrow|tomorow|tomorrows|tomoro|tomorro|2morrow|2moro|"
        r"2mrw|2mro|tmrw|tmrow|tmr|tmw|tmoro|tomoz|tomoz|tomo|tom(?= (?:morning|"
        rf"evening)))\b{_PART}"
    ), in_days(1)),
    (rf"{_BY}(?:next |this |the )*week ?end\b", _weekend),
    (r"(?:within|inside|during) (?:the|this|d) (?P<unit>week|month)\b", _within),
    ((
        r"(?:in |within |after )?(?:(?:a|one|the next) )?fortnight(?:'?s)?"
        r"(?: time| from (?:now|today))\b"
    ), in_days(14)),
    (rf"{_BY}(?:the )?(?:end of (?:the |this |next )?week|eow)\b", _week_end),
    ((
        r"(?<!shift )(?<!work )(?<!working )(?:on or before|on|by|before|till|til|until) "
        r"(?P<n>[0-3]?\d)(?P<next>)(?![\d.,:/%]|"
        r" ?(?:am|pm|a\.m|p\.m|days?|weeks?|months?|hours?|hrs?|mins?|minutes?|percent|k\b|rs|"
        rf"dollars|bucks|quid|pounds|o'?clock|times|calls|weeks)|{_SUM_AFTER})"
    ), _ordinal),
    ((
        r"(?:(?:in|within|after|need|give me|another) )*(?:a )?(?:few|couple|several|"
        r"some)(?: more| extra| additional| further)?(?: of)? ?(?:more )?"
        r"(?:days?|weeks?|hours?|months?|time)"
    ), vague),
    ((
        r"(?:(?:in|within|inside|after|need|give me|next) )*(?:(?:another|further|additional|"
        rf"extra)(?: (?P<more>{_N}))?|(?P<n>{_N}))(?: ?(?:more|extra|additional|"
        r"further))? ?(?P<unit>days?|weeks?|wks?|fortnights?|months?|mths?)(?:'? ?(?:time|"
        r"from now|from today|more|extra))?(?! (?:ago|late|overdue|back|straight))\b"
    ), _span),
    ((
        r"(?:in |within |after )?(?:an?|one|\d{1,2}|two|few|couple(?: of)?) ?(?:minutes?|mins?)\b|"
        r"(?:in |within |after )?(?:few|couple(?: of)?) ?(?:hours?|hrs?)\b|"
        r"(?:in )?(?:half an? (?:hour|hr)|an hour or (?:so|two))\b"
    ), in_days(0)),
    (rf"(?:in |within |after )?(?P<n>{_N}) ?(?:hours?|hrs?)\b", hours),
    ((
        rf"{_BY}(?:today|2day|tonight|tonite|2night|2nite|right now|rite now|right away|"
        r"straight away|immediately|later today|mid ?night|rn\b|(?:this|by|in the|"
        r"before) (?:the )?(?:morning|afternoon|evening|eve|arvo)|"
        r"after work|in a (?:bit|min|minute|sec|while)|shortly|eod|end of (?:the )?day|cob|"
        rf"close of business|now now|now)\b{_PART}"
    ), in_days(0)),
    ((
        r"(?:next|nxt) (?:month|week|wk|pay ?day|pay ?che(?:ck|que)|pay|salary)|(?:on |by |"
        r"until |till )?(?:my )?pay ?day|(?:after|on|upon) (?:getting|receiving|receipt|get|"
        r"my) [^,.;!?]{0,30}|(?:when|once|after|as soon as|wen|until|till|"
        r"immediately) (?:i|my|the|we) [^,.;!?]{0,40}|"
         r"\b(?:soon|later|eventually|asap|a\.s\.a\.p|some ?day|some ?time|sometime soon|one day|"
         r"when possible|when i can|next time|in due course|in future|at some point|any ?time)\b|"
         r"\b(?:more|extra|bit more|little|some|small) time\b|as soon as (?:possible|i can)|"
         r"a bit (?:later|longer)|little longer|longer\b|early next (?:week|month)|mid ?-?month|"
         r"(?:till |until |til )?after (?:the )?(?:thanksgiving|easter|holidays?|christmas|"
         r"xmas|new year|diwali|eid|sallah|salah|ramadan|ramzan|lent)"
     ),
     vague),
)  # fmt: skip
RULES = tuple((re.compile(rf"(?<![\w$£€₹]){pattern}"), resolve) for pattern, resolve in _RULES)
