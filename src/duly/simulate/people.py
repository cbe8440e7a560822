"""Invented people: names that fit nobody in particular, numbers that no carrier has assigned."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章"
_GIVEN_FIRST = "安博承德恩方广浩嘉景可乐明宁沛清荣思天文祥欣雅永泽志晨丹菲涵静兰梅楠琪瑞诗彤薇"
_GIVEN_LAST = "安成达飞刚恒杰康林民平强生涛伟轩阳宇哲舟冰超丽玲萍倩蓉婷雯娟燕瑶怡颖"
_ENGLISH_FIRST = ("Alex", "Robin", "Kim", "Sam", "Jordan", "Casey", "Morgan", "Taylor")
_ENGLISH_LAST = ("Ashdown", "Brookfield", "Carrow", "Dunmere", "Eastvale", "Fernley")

#: Home → (locale, time zone, region).
_HOMES = {
    "urumqi": ("zh-CN", "Asia/Urumqi", "650102"),
    "hotan": ("zh-CN", "Asia/Shanghai", "653201"),
    "lhasa": ("zh-CN", "Asia/Shanghai", "540102"),
    "nyingchi": ("zh-CN", "Asia/Shanghai", "540402"),
    "london": ("en", "Europe/London", "GB-LND"),
    "singapore": ("en", "Asia/Singapore", "SG-01"),
    "new_york": ("en", "America/New_York", "US-NY"),
    "tokyo": ("en", "Asia/Tokyo", "JP-13"),
}
_REGIONS = (
    *("110105", "310115", "440305", "330106", "510107", "420106", "610113", "320505"),
    *("370202", "430102", "500103", "210102", "350203", "410105", "230103", "530102"),
)


#: Numbers +861390000xxxx: the second half is for second numbers.
_SECOND_NUMBERS = 5_000


@dataclass(frozen=True, kw_only=True)
class Person:
    """One borrower; `seat` numbers people from 0."""

    seat: int
    borrower_id: str
    name: str
    locale: str
    time_zone: str
    region: str
    phone: str
    second_phone: str
    email: str
    points: str

    def row(self, rng: Random) -> dict[str, str]:
        """Return the person's row of borrowers."""
        quiet = {"quiet_from": "12:00", "quiet_until": "14:30"} if self.seat % 90 == 11 else {}
        preferred = ("sms", "sms", "sms", "", "email", "voice")[rng.randrange(6)]
        income = "" if rng.randrange(10) == 0 else f"{rng.randrange(40, 250) * 100}.00"
        return {
            "borrower_id": self.borrower_id,
            "name": self.name,
            "locale": self.locale,
            "time_zone": self.time_zone,
            "region": self.region,
            "preferred_channel": preferred,
            "monthly_income": income,
        } | quiet

    def contact_points(self, verified_on: str, changed_on: str) -> list[dict[str, str]]:
        """Return the person's rows of contact_points, by how he or she can be reached."""
        sms = {"channel": "sms", "address": self.phone}
        voice = {"channel": "voice", "address": self.phone}
        email = {"channel": "email", "address": self.email}
        by_points = {
            "usual": [
                sms,
                *([voice] if self.seat % 3 else []),
                *([] if self.seat % 4 else [email]),
            ],
            "invalid_sms": [sms | {"status": "invalid"}, email],
            "wrong_person": [sms | {"status": "wrong_person"}, voice | {"status": "wrong_person"}],
            "work": [sms | {"use": "work"}, email | {"use": "shared"}],
            "none": [],
            "email": [email],
            "two_numbers": [sms, sms | {"address": self.second_phone}, voice],
        }
        given = {"status": "active", "use": "personal", "verified_on": verified_on}
        return [
            {"borrower_id": self.borrower_id, **given, **point, "changed_on": changed_on}
            for point in by_points[self.points]
        ]


def person(seat: int, *, home: str, points: str, rng: Random) -> Person:
    """Return the person of one seat; names are drawn, numbers follow from the seat."""
    region = _REGIONS[rng.randrange(len(_REGIONS))] if seat % 40 else ""
    locale, zone, region = _HOMES.get(home, ("zh-CN", "Asia/Shanghai", region))
    return Person(
        seat=seat,
        borrower_id=f"B{seat + 1:06}",
        name=_english(rng) if locale == "en" else _chinese(rng),
        locale=locale,
        time_zone=zone,
        region=region,
        phone=f"+86139{seat:08}",
        second_phone=f"+86139{seat + _SECOND_NUMBERS:08}",
        email=f"b{seat + 1:06}@example.com",
        points=points,
    )


def _chinese(rng: Random) -> str:
    given = _drawn(_GIVEN_FIRST, rng) + (_drawn(_GIVEN_LAST, rng) if rng.randrange(5) else "")
    return _drawn(_SURNAMES, rng) + given


def _english(rng: Random) -> str:
    return f"{_drawn(_ENGLISH_FIRST, rng)} {_drawn(_ENGLISH_LAST, rng)}"


def _drawn(choices: str | tuple[str, ...], rng: Random) -> str:
    return choices[rng.randrange(len(choices))]
