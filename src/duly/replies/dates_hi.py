"""Dates in Hindi replies written in Latin letters, as people in India text them beside English."""

from __future__ import annotations

import re

from duly.replies import calendar
from duly.replies.day_words import Meant, Resolver, Seen, in_days, on, vague, weekday

#: Verbs that say what will be done: only beside them are these words read as Hindi.
SPOKEN = re.compile(
    r"\b(?:\w*(?:unga|oonga|ungi|enge|ega|egi)|karta hu|dete hain|hai|hain|tak|tari+kh|tareekh|"
    r"karo|denge|dedunga|ko pakka|(?:som|mangal|budh|guru|shukra|shani|ravi|it)[wv]ar)\b"
)
_DAY_NAMES = (
    "som(?:wa|va)r|monday", "mangal(?:wa|va)r|tuesday", "budh?(?:wa|va)r|wednesday",
    "guru(?:wa|va)r|brihaspati(?:wa|va)r|thursday", "shukr?a?(?:wa|va)r|jumm?a|friday",
    "shani(?:wa|va)r|saturday", "ravi(?:wa|va)r|it(?:wa|va)r|sunday",
)  # fmt: skip
_UNTIL = r"(?: (?:ko|tak|se pehle|ke din|subah|shaam|sham|dopahar|raat|pakka|morning|evening))*"


def _weekday(found: re.Match[str], seen: Seen) -> Meant:
    day = next(at for at, name in enumerate(_DAY_NAMES) if re.fullmatch(name, found["day"]))
    return weekday(seen, day, 1 if found["next"] else 0)


def _day_of_month(found: re.Match[str], seen: Seen) -> Meant:
    return on(calendar.day_of_month(seen.today, int(found["n"])))


def _month_end(found: re.Match[str], seen: Seen) -> Meant:
    year, month = calendar.next_month(seen.today, 1 if "agl" in found[0] else 0)
    return on(calendar.month_end(year, month))


_RULES: tuple[tuple[str, Resolver], ...] = (
    (rf"(?P<n>[0-3]?\d)(?: ?(?:st|nd|rd|th))? ?tar(?:i+|ee)kh{_UNTIL}", _day_of_month),
    (rf"(?P<n>[0-3]?\d) (?:ko|tak)\b{_UNTIL}", _day_of_month),
    ((
        r"(?:is |iss |agle |aglay )?(?:mahine|month|mahina) (?:ke |k |ki )?"
        rf"(?:end|aakhir|akhir|ant)\w*{_UNTIL}"
    ), _month_end),
    (rf"(?P<next>agle |aglay )?(?P<day>{'|'.join(_DAY_NAMES)}){_UNTIL}\b", _weekday),
    (rf"kal\b{_UNTIL}", in_days(1)),
    (rf"parso[n]?\b{_UNTIL}", in_days(2)),
    (rf"(?:aaj|abhi|thodi der (?:me|mein))\b{_UNTIL}", in_days(0)),
    ((
        r"agle (?:haft[ae]|mahine|week|month)|kuch din|do teen din|"
        r"salary (?:aate hi|aane par|aayegi)"
    ), vague),
)  # fmt: skip
RULES = tuple((re.compile(rf"(?<![\w$£€₹]){pattern}"), resolve) for pattern, resolve in _RULES)
