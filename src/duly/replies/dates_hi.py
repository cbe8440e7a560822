"""Dates in Hindi replies written in Latin letters, as people in India text them beside English."""

from __future__ import annotations

import re

from duly.replies import calendar
from duly.replies.day_words import Meant, Resolver, Seen, days_from, in_days, on, vague, weekday

#: Verbs and words of days that say it is Hindi: only beside them are these words read so.
SPOKEN = re.compile(
    r"\b(?:\w*(?:unga|oonga|ungi|enge|ega|egi)|karta hu|dete hain|hai|hain|tak|tari+kh|tareekh|"
    r"karo|denge|dedunga|ko pakka|(?:som|mangal|budh|guru|shukra|shani|ravi|it)[wv]ar|"
    r"nahi?n?|nh[ie]n?|nai|[dk]iya|thod[aie]|din|dino|mein|ke baa?d|haft[ae]|mahin[ae]|dijiye|"
    r"gay[aei]|dedo|de do)\b"
)
_DAY_NAMES = (
    "som(?:wa|va)r|monday", "mangal(?:wa|va)r|tuesday", "budh?(?:wa|va)r|wednesday",
    "guru(?:wa|va)r|brihaspati(?:wa|va)r|thursday", "shukr?a?(?:wa|va)r|jumm?a|friday",
    "shani(?:wa|va)r|saturday", "ravi(?:wa|va)r|it(?:wa|va)r|sunday",
)  # fmt: skip
_UNTIL = r"(?: (?:ko|tak|se pehle|ke din|subah|shaam|sham|dopahar|raat|pakka|morning|evening))*"
_NUMBERS = {
    "ek": 1, "do": 2, "teen": 3, "tin": 3, "char": 4, "chaar": 4, "paanch": 5, "panch": 5,
    "chhe": 6, "che": 6, "saat": 7, "sat": 7, "aath": 8, "aat": 8, "nau": 9, "das": 10, "dus": 10,
    "pandrah": 15, "bees": 20, "tees": 30,
}  # fmt: skip
_N = rf"(?:\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_UNITS = {"din": 1, "dino": 1, "dinon": 1, "haft": 7, "mahin": 30}
#: Words by which a span is counted from the reply; without them it is time that is asked for.
_INSIDE = r"(?: (?:ke |k )?(?:me|mein|main|mai|andar|bhitar|baa?d|tak))"
#: Feasts whose day Hindi replies name: what is done some time after them has no day.
_FEASTS = (
    r"(?:diwali|deepa?wali|dipa?wali|holi|eid|id|bakri ?d|dus+eh?ra|dashehra|durga puja|puja|pooja|"
    r"chh?ath(?: puja)?|rakhi|raksha ?bandhan|nava?ratri|ganpati|ganesh chaturthi|pongal|onam|"
    r"lohri|baisakhi|janmashtami|ramz[aà]n|ramadan|christmas|new year|naye saal|shaadi|shadi|"
    r"fasal|festival|tyo?hau?r)"
)


def _weekday(found: re.Match[str], seen: Seen) -> Meant:
    day = next(at for at, name in enumerate(_DAY_NAMES) if re.fullmatch(name, found["day"]))
    return weekday(seen, day, 1 if found["next"] else 0)


def _day_of_month(found: re.Match[str], seen: Seen) -> Meant:
    return on(calendar.day_of_month(seen.today, int(found["n"])))


def _month_end(found: re.Match[str], seen: Seen) -> Meant:
    year, month = calendar.next_month(seen.today, 1 if "agl" in found[0] else 0)
    return on(calendar.month_end(year, month))


def _span(found: re.Match[str], seen: Seen) -> Meant | None:
    """Resolve '10 din me' from the reply on; bare days are asked for and may count from the due."""
    said = found["n"]
    count = int(said) if said.isdigit() else _NUMBERS[said]
    unit = next(days for word, days in _UNITS.items() if found["unit"].startswith(word))
    return days_from(seen, count * unit, "firm" if found["inside"] else "soft")


_RULES: tuple[tuple[str, Resolver], ...] = (
    (rf"(?:is |iss |agli )?{_FEASTS}(?: ke| k)? baa?d\b", vague),
    (r"(?:salary|pagaar|tankhwa\w*|vetan|paise?|mahine?) (?:ke|k|aane ke|milne ke) baa?d\b", vague),
    (rf"(?P<n>[0-3]?\d)(?: ?(?:st|nd|rd|th))? ?tar(?:i+|ee)kh{_UNTIL}", _day_of_month),
    (rf"(?P<n>[0-3]?\d) (?:ko|tak)\b{_UNTIL}", _day_of_month),
    ((
        r"(?:is |iss |agle |aglay )?(?:mahine|month|mahina) (?:ke |k |ki )?"
        rf"(?:end|aakhir|akhir|ant)\w*{_UNTIL}"
    ), _month_end),
    (rf"(?P<next>agle |aglay )?(?P<day>{'|'.join(_DAY_NAMES)}){_UNTIL}\b", _weekday),
    (r"(?:do[ -]teen|do char|teen char|char paanch|kuch|thod[ei]) (?:din|dinon?)\b", vague),
    ((
        rf"(?P<n>{_N}) ?(?P<unit>din|dino|dinon|hafte|hafta|hafton|mahine|mahina|mahino)\b"
        rf"(?P<inside>{_INSIDE})?(?! (?:pehle|pahle|se|ho gay\w*))"
    ), _span),
    (rf"kal\b{_UNTIL}", in_days(1)),
    (rf"parso[n]?\b{_UNTIL}", in_days(2)),
    (rf"(?:aaj|abhi|thodi der (?:me|mein))\b{_UNTIL}", in_days(0)),
    ((
        r"agle (?:haft[ae]|mahine|week|month)|kuch din|do teen din|"
        r"salary (?:aate hi|aane par|aayegi)|"
        r"(?:thod[aie]|kuch|aur)(?: sa| aur| zyada| jyada)* (?:time|samay|waqt|mohlat)"
    ), vague),
)  # fmt: skip
RULES = tuple((re.compile(rf"(?<![\w$£€₹]){pattern}"), resolve) for pattern, resolve in _RULES)
