"""A slot is exact to the second, over zones, clock changes and the borrower's own hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duly import rules
from duly.rules import calendars, zones
from duly.rules.windows import in_regions, meet, quiet_ranges

ALL = rules.load_packs(["decency", "cn"])
DECENCY = rules.load_packs(["decency"])
SHANGHAI = "Asia/Shanghai"
NEW_YORK = "America/New_York"


def slot(
    at: str,
    *,
    pack: tuple[rules.Rule, ...] = DECENCY,
    lender_zone: str = SHANGHAI,
    zone: str = SHANGHAI,
    region: str | None = None,
    quiet: tuple[int | None, int | None] = (None, None),
    channel: str = "sms",
    on: date | None = None,
) -> rules.Slot:
    instant = datetime.fromisoformat(at)
    return rules.slots(
        pack,
        instant=instant,
        business_date=on or instant.astimezone(zones.zone(lender_zone)).date(),
        lender_zone=lender_zone,
        zone=zone,
        region=region,
        quiet_from=quiet[0],
        quiet_until=quiet[1],
        channel=channel,
    )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2020-02-20T00:00:00+08:00", "2020-02-20T08:30:00+08:00"),
        ("2020-02-20T07:59:59+08:00", "2020-02-20T08:30:00+08:00"),
        ("2020-02-20T08:00:00+08:00", "2020-02-20T08:30:00+08:00"),
        ("2020-02-20T08:29:59+08:00", "2020-02-20T08:30:00+08:00"),
        ("2020-02-20T08:30:00+08:00", "2020-02-20T08:30:00+08:00"),
        ("2020-02-20T09:00:00+08:00", "2020-02-20T09:00:00+08:00"),
        ("2020-02-20T20:59:59+08:00", "2020-02-20T20:59:59+08:00"),
    ],
)
def test_a_text_opens_at_the_window_or_at_once(at: str, opens: str) -> None:
    found = slot(at)
    assert found.open_at == moment(opens)
    assert found.close_at == moment("2020-02-20T21:00:00+08:00")
    assert found.lawful_until == moment("2020-02-20T21:00:00+08:00")
    assert found.next_open_on == date(2020, 2, 20)
    assert found.delayed_by == (() if at == opens else ("DEC-HOURS-1",))


@pytest.mark.parametrize("at", ["2020-02-20T21:00:00+08:00", "2020-02-20T23:59:59+08:00"])
def test_nothing_is_left_after_the_window(at: str) -> None:
    assert slot(at) == rules.Slot(
        open_at=None,
        close_at=None,
        lawful_until=None,
        delayed_by=("DEC-HOURS-1",),
        next_open_on=date(2020, 2, 21),
    )


def test_an_instant_keeps_its_fraction_of_a_second_inside_the_window() -> None:
    assert slot("2020-02-20T20:59:59.999999+08:00").open_at == moment(
        "2020-02-20T20:59:59.999999+08:00"
    )
    assert slot("2020-02-20T08:29:59.999999+08:00").open_at == moment("2020-02-20T08:30:00+08:00")


def test_a_call_closes_an_hour_earlier_than_a_text() -> None:
    assert slot("2020-02-20T20:00:00+08:00", channel="voice").open_at is None
    assert slot("2020-02-20T19:59:59+08:00", channel="voice").close_at == moment(
        "2020-02-20T20:00:00+08:00"
    )


def test_the_day_before_and_after_a_leap_day_and_a_year_end_open_in_their_turn() -> None:
    assert slot("2020-02-28T22:00:00+08:00").next_open_on == date(2020, 2, 29)
    assert slot("2020-02-29T22:00:00+08:00").next_open_on == date(2020, 3, 1)
    assert slot("2020-12-31T22:00:00+08:00").next_open_on == date(2021, 1, 1)


def test_an_address_in_xinjiang_waits_until_ten_beijing_time() -> None:
    found = slot(
        "2026-03-10T09:00:00+08:00",
        pack=rules.active(ALL, date(2026, 3, 10)),
        region="650100",
    )
    assert found.open_at == moment("2026-03-10T10:00:00+08:00")
    assert found.delayed_by == ("CN-HOURS-2-WEST",)


def test_a_borrower_with_urumqi_time_gets_the_meet_of_both_zones() -> None:
    found = slot(
        "2026-03-10T08:45:00+08:00",
        pack=rules.active(ALL, date(2026, 3, 10)),
        region="CN-XJ",
        zone="Asia/Urumqi",
    )
    assert found.open_at == moment("2026-03-10T08:30:00+06:00")
    assert found.close_at == moment("2026-03-10T21:00:00+08:00")
    assert found.delayed_by == ("CN-HOURS-2-WEST", "DEC-HOURS-1")


def test_a_zone_far_away_opens_on_its_next_local_day_of_the_same_business_date() -> None:
    # 09:00 in Shanghai is 21:00 of the day before in New York, whose next morning is still today.
    found = slot("2026-03-10T09:00:00+08:00", zone=NEW_YORK)
    assert found.open_at == moment("2026-03-10T08:30:00-04:00")
    assert found.close_at == moment("2026-03-11T00:00:00+08:00")  # the business date ends first
    assert found.delayed_by == ("DEC-HOURS-1",)
    assert found.next_open_on == date(2026, 3, 10)


def test_a_zone_far_away_closes_with_the_local_day_that_opened() -> None:
    found = slot("2026-03-10T08:00:00+08:00", zone=NEW_YORK)
    assert found.open_at == moment("2026-03-09T20:00:00-04:00")
    assert found.close_at == moment("2026-03-09T21:00:00-04:00")


def test_a_window_that_opens_after_the_business_date_is_for_the_next_one() -> None:
    # In Honolulu 08:30 is 02:30 of the next day in Shanghai.
    found = slot("2026-03-10T15:30:00+08:00", zone="Pacific/Honolulu")
    assert (found.open_at, found.next_open_on) == (None, date(2026, 3, 11))


def test_an_instant_outside_its_business_date_is_clipped_to_it() -> None:
    early = slot("2026-03-09T12:00:00+08:00", on=date(2026, 3, 10))
    late = slot("2026-03-11T12:00:00+08:00", on=date(2026, 3, 10))
    assert early.open_at == moment("2026-03-10T08:30:00+08:00")
    assert (late.open_at, late.next_open_on) == (None, date(2026, 3, 11))


@pytest.mark.parametrize(
    ("quiet", "at", "opens", "until"),
    [
        ((720, 840), "11:59:59", "11:59:59", "12:00:00"),
        ((720, 840), "12:00:00", "14:00:00", "21:00:00"),
        ((720, 840), "13:59:59", "14:00:00", "21:00:00"),
        ((720, 840), "14:00:00", "14:00:00", "21:00:00"),
        ((1080, 600), "09:59:59", "10:00:00", "18:00:00"),
        ((1080, 600), "10:00:00", "10:00:00", "18:00:00"),
        ((None, 600), "09:00:00", "10:00:00", "21:00:00"),
        ((1080, None), "09:00:00", "09:00:00", "18:00:00"),
        ((1260, 510), "00:00:00", "08:30:00", "21:00:00"),
    ],
)
def test_quiet_hours_split_or_shorten_the_day(
    quiet: tuple[int | None, int | None], at: str, opens: str, until: str
) -> None:
    found = slot(f"2020-02-20T{at}+08:00", quiet=quiet)
    assert found.open_at == moment(f"2020-02-20T{opens}+08:00")
    assert found.lawful_until == moment(f"2020-02-20T{until}+08:00")


def test_the_day_closes_with_its_last_interval_though_quiet_hours_split_it() -> None:
    found = slot("2020-02-20T09:00:00+08:00", quiet=(720, 840))
    assert found.close_at == moment("2020-02-20T21:00:00+08:00")


def test_quiet_hours_of_the_whole_day_never_open_and_are_looked_at_tomorrow() -> None:
    found = slot("2020-02-20T09:00:00+08:00", quiet=(600, 600))
    assert (found.open_at, found.next_open_on) == (None, date(2020, 2, 21))
    assert found.delayed_by == ("DEC-QUIET-1",)


def test_all_rules_on_the_way_are_named_by_force_and_id() -> None:
    found = slot(
        "2026-03-10T07:00:00+08:00", pack=rules.active(ALL, date(2026, 3, 10)), quiet=(480, 720)
    )
    assert found.open_at == moment("2026-03-10T12:00:00+08:00")
    assert found.delayed_by == (
        "CN-PRIV-1",
        "CN-HOURS-1",
        "CN-HOURS-2",
        "DEC-HOURS-1",
        "DEC-QUIET-1",
    )


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-07T22:00:00-05:00", "2026-03-08T08:30:00-04:00"),  # the night lacks an hour
        ("2026-03-08T01:59:59-05:00", "2026-03-08T08:30:00-04:00"),
        ("2026-03-08T03:00:00-04:00", "2026-03-08T08:30:00-04:00"),
        ("2026-10-31T22:00:00-04:00", "2026-11-01T08:30:00-05:00"),  # the night has one more
        ("2026-11-01T01:30:00-04:00", "2026-11-01T08:30:00-05:00"),
        ("2026-11-01T01:30:00-05:00", "2026-11-01T08:30:00-05:00"),
    ],
)
def test_the_clocks_of_new_york_may_change_before_the_window_opens(at: str, opens: str) -> None:
    on = moment(opens).date()
    found = slot(at, zone=NEW_YORK, lender_zone=NEW_YORK, on=on)
    assert found.open_at == moment(opens)
    assert found.close_at == moment(opens) + timedelta(hours=12, minutes=30)


@pytest.mark.parametrize(
    ("day", "seconds"),
    [(date(2026, 3, 8), 23 * 3600), (date(2026, 11, 1), 25 * 3600), (date(2026, 7, 1), 24 * 3600)],
)
def test_a_local_day_may_lack_or_double_an_hour(day: date, seconds: int) -> None:
    start, end = zones.day_bounds(NEW_YORK, day)
    assert end - start == seconds
    assert zones.local_date(NEW_YORK, start) == day == zones.local_date(NEW_YORK, end - 1)


NIGHT = """
pack: test
rules:
  - id: T-NIGHT-1
    force: policy
    source: {text: a, clause: b, confidence: [policy]}
    in_force: always
    says: {en: a, zh-CN: b}
    window: {open: "01:30", close: "02:30", zone: local, channels: all}
    cases:
      - {given: {at: "2026-01-01T02:00:00+08:00"}, then: allow}
      - {given: {at: "2026-01-01T03:00:00+08:00"}, then: {delay_until: "2026-01-02T01:30:00+08:00"}}
"""


@pytest.mark.parametrize(
    ("day", "intervals"),
    [
        # 02:00 to 03:00 is missing: half an hour is left.
        (date(2026, 3, 8), [("2026-03-08T01:30:00-05:00", "2026-03-08T03:00:00-04:00")]),
        # 01:00 to 02:00 comes twice: two intervals, the second whole.
        (
            date(2026, 11, 1),
            [
                ("2026-11-01T01:30:00-04:00", "2026-11-01T01:00:00-05:00"),
                ("2026-11-01T01:30:00-05:00", "2026-11-01T02:30:00-05:00"),
            ],
        ),
    ],
)
def test_a_window_over_the_change_lacks_or_doubles_its_hour(
    day: date, intervals: list[tuple[str, str]]
) -> None:
    pack = rules.parse_pack(NIGHT, file="night.yaml")
    assert all(result.passed for result in rules.run_cases(pack))
    at, found = zones.to_instant(zones.day_bounds(NEW_YORK, day)[0]), []
    while True:
        here = rules.slots(
            pack,
            instant=at,
            business_date=day,
            lender_zone=NEW_YORK,
            zone=NEW_YORK,
            region=None,
            quiet_from=None,
            quiet_until=None,
            channel="sms",
        )
        if here.open_at is None or here.lawful_until is None:
            break
        found.append((here.open_at, here.lawful_until))
        at = here.lawful_until
    assert found == [(moment(low), moment(high)) for low, high in intervals]


def test_without_windows_the_whole_business_date_is_lawful_to_the_local_midnight() -> None:
    found = slot("2026-03-10T09:00:00+08:00", pack=(), zone=NEW_YORK)
    assert found.open_at == moment("2026-03-10T09:00:00+08:00")
    assert found.close_at == moment("2026-03-10T00:00:00-04:00")
    assert found.lawful_until == found.close_at
    assert found.delayed_by == ()


def test_an_unknown_channel_is_held_to_every_window() -> None:
    assert slot("2020-02-20T20:30:00+08:00", channel="fax").open_at is None
    assert slot("2020-02-20T20:30:00+08:00", channel="sms").open_at is not None


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(zones.UnknownZoneError, match="Asia/Shanghia"):
        slot("2020-02-20T20:30:00+08:00", zone="Asia/Shanghia")


def test_zones_come_from_the_wheel_and_name_its_release() -> None:
    assert zones.VERSION[:2] == "20"
    assert {SHANGHAI, NEW_YORK, "Asia/Urumqi"} <= zones.names()
    with pytest.raises(zones.UnknownZoneError):
        zones.zone("../../etc/passwd")


@pytest.mark.parametrize(
    ("region", "inside"),
    [
        ("65", True),
        ("650100", True),
        ("540000", True),
        ("CN-XJ", True),
        ("cn-xz", True),
        ("CN-54", True),
        ("110000", False),
        ("CN-X", False),
        ("165000", False),
        ("", False),
        (None, False),
    ],
)
def test_a_region_is_known_by_its_province(region: str | None, inside: bool) -> None:
    assert in_regions(region, ("65", "54", "CN-XJ", "CN-XZ", "CN-65", "CN-54")) is inside
    assert in_regions(region, ())


def test_intervals_meet_in_what_all_hold() -> None:
    assert meet(((0, 10), (20, 30)), ((5, 25),), ((0, 8), (22, 40))) == ((5, 8), (22, 25))
    assert meet(((0, 10),), ((10, 20),)) == ()
    assert meet(((0, 10),)) == ((0, 10),)


def test_quiet_ranges_are_what_is_left_of_the_day() -> None:
    assert quiet_ranges(None, None) == ((0, 1440),)
    assert quiet_ranges(0, 480) == ((480, 1440),)
    assert quiet_ranges(1320, 480) == ((480, 1320),)
    assert quiet_ranges(1320, 0) == ((0, 1320),)
    assert quiet_ranges(600, 600) == ()
    assert quiet_ranges(0, None) == ()


ZONES = (
    SHANGHAI,
    NEW_YORK,
    "Asia/Urumqi",
    "Asia/Kolkata",
    "Pacific/Honolulu",
    "Pacific/Kiritimati",
    "Australia/Lord_Howe",
    "Europe/London",
    "America/Santiago",
)
MINUTE = timedelta(minutes=1)


@settings(max_examples=120, deadline=None)
@given(
    minute=st.one_of(
        st.integers(0, 366 * 1440),
        st.integers(66 * 1440, 69 * 1440),
        st.integers(304 * 1440, 307 * 1440),
    ),
    lender_zone=st.sampled_from((SHANGHAI, NEW_YORK, "Europe/London")),
    zone=st.sampled_from(ZONES),
    region=st.sampled_from((None, "650100", "CN-XZ", "310000")),
    quiet=st.one_of(
        st.just((None, None)),
        st.tuples(st.integers(0, 1439), st.integers(0, 1439)),
    ),
    channel=st.sampled_from(("sms", "email", "voice")),
)
def test_a_slot_agrees_with_asking_every_minute_of_the_day(
    minute: int,
    lender_zone: str,
    zone: str,
    region: str | None,
    quiet: tuple[int | None, int | None],
    channel: str,
) -> None:
    instant = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    day = instant.astimezone(zones.zone(lender_zone)).date()
    pack = [
        rule
        for rule in rules.active(ALL, date(2026, 3, 10))
        if isinstance(rule.primitive, rules.Window)
    ]
    found = rules.slots(
        pack,
        instant=instant,
        business_date=day,
        lender_zone=lender_zone,
        zone=zone,
        region=region,
        quiet_from=quiet[0],
        quiet_until=quiet[1],
        channel=channel,
    )
    minutes = []
    at = instant
    while at.astimezone(zones.zone(lender_zone)).date() == day:
        if all(lawful(rule, at, zone, region, quiet, channel) for rule in pack):
            minutes.append(at)
        at += MINUTE
    assert found.open_at == (minutes[0] if minutes else None)
    if minutes:
        local = zones.zone(zone)
        same_day = [
            item
            for item in minutes
            if item.astimezone(local).date() == minutes[0].astimezone(local).date()
        ]
        run_end = next((a for a, b in pairwise(same_day) if b - a > MINUTE), same_day[-1])
        assert found.close_at == same_day[-1] + MINUTE
        assert found.lawful_until == run_end + MINUTE
        assert found.next_open_on == day
    else:
        assert found.next_open_on > day


def lawful(
    rule: rules.Rule,
    at: datetime,
    zone: str,
    region: str | None,
    quiet: tuple[int | None, int | None],
    channel: str,
) -> bool:
    """Ask one window about one instant by reading the wall clock, the plain way."""
    window = rule.primitive
    assert isinstance(window, rules.Window)
    if channel not in window.channels:
        return True
    if window.regions and not (region or "").startswith(("65", "54", "CN-XJ", "CN-XZ")):
        return True
    wall = at.astimezone(ZoneInfo(zone if window.zone == "local" else window.zone))
    minute = wall.hour * 60 + wall.minute
    if window.quiet:
        low, high = quiet
        if low is None or high is None:
            return True
        return not (low <= minute < high if low < high else minute >= low or minute < high)
    if window.holidays and wall.date() in SPRING_FESTIVAL_2026:
        return False
    if window.holidays and (wall.year > 2026 or wall.date() in DAYS_OFF_2026):
        return 10 * 60 <= minute < 20 * 60
    return window.ranges[0][0] <= minute < window.ranges[0][1]


def days(first: str, last: str) -> set[date]:
    low, high = date.fromisoformat(f"2026-{first}"), date.fromisoformat(f"2026-{last}")
    return {low + timedelta(days=number) for number in range((high - low).days + 1)}


#: The notice of the State Council on the days off of 2026; those of 2027 are not announced.
DAYS_OFF_2026 = {
    *days("01-01", "01-03"), *days("02-15", "02-23"), *days("04-04", "04-06"),
    *days("05-01", "05-05"), *days("06-19", "06-21"), *days("09-25", "09-27"),
    *days("10-01", "10-07"),
}  # fmt: skip
SPRING_FESTIVAL_2026 = days("02-17", "02-19")


def test_the_days_off_of_china_are_those_that_were_announced() -> None:
    whole_year = days("01-01", "12-31")
    assert {day for day in whole_year if calendars.is_holiday("CN", None, day)} == DAYS_OFF_2026
    assert {day for day in whole_year if calendars.is_spring_festival(day)} == SPRING_FESTIVAL_2026
    assert calendars.is_holiday("CN", None, date(2027, 3, 10))
    assert [calendars.is_spring_festival(date(2027, 2, day)) for day in range(5, 10)] == [
        False, True, True, True, False,
    ]  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    minute=st.integers(0, 366 * 1440),
    zone=st.sampled_from(ZONES),
    quiet=st.tuples(st.integers(0, 1439), st.integers(0, 1439)),
    channel=st.sampled_from(("sms", "voice")),
)
def test_the_door_allows_exactly_what_a_slot_holds(
    minute: int, zone: str, quiet: tuple[int, int], channel: str
) -> None:
    instant = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    pack = tuple(
        rule
        for rule in rules.active(ALL, date(2026, 3, 10))
        if isinstance(rule.primitive, rules.Window)
    )
    facts = {
        **rules.NEUTRAL,
        "at": instant,
        "time_zone": zone,
        "channel": channel,
        "quiet_from": quiet[0],
        "quiet_until": quiet[1],
    }
    found = slot(
        instant.isoformat(), pack=pack, lender_zone=zone, zone=zone, quiet=quiet, channel=channel
    )
    answer = rules.decide(pack, facts)
    assert (found.open_at == instant) == (answer.effect == "allow")
    if answer.effect == "delay" and found.open_at is not None:
        assert answer.until == found.open_at
    if answer.effect == "allow":
        assert answer.verdicts == ()


@settings(max_examples=60, deadline=None)
@given(
    packs=st.sampled_from((("us",), ("uk",), ("eu",), ("in",), ("cn", "in"), ("us", "uk"))),
    minute=st.one_of(
        st.integers(0, 366 * 1440),
        st.integers(66 * 1440, 69 * 1440),  # the clocks of the United States, both ways
        st.integers(303 * 1440, 307 * 1440),
        st.integers(86 * 1440, 89 * 1440),  # those of Europe
        st.integers(296 * 1440, 299 * 1440),
    ),
    zone=st.sampled_from((NEW_YORK, "Pacific/Honolulu", "Europe/London", "Atlantic/Canary",
                          "Asia/Kolkata", "America/Phoenix")),
    region=st.sampled_from((None, "GB-SCT", "DE-BY", "IN-KA", "US-NY")),
    channel=st.sampled_from(("sms", "voice")),
)  # fmt: skip
def test_in_every_place_the_door_opens_when_the_slot_opens(
    packs: tuple[str, ...], minute: int, zone: str, region: str | None, channel: str
) -> None:
    instant = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    pack = tuple(
        rule
        for rule in rules.load_packs(("decency", *packs))
        if isinstance(rule.primitive, rules.Window)
        and rule.about == "contact"
        and rule.primitive.when is None
        and rule.in_force_from < date(2026, 1, 1)
    )
    found = slot(
        instant.isoformat(), pack=pack, lender_zone=zone, zone=zone, region=region, channel=channel
    )
    facts = {**rules.NEUTRAL, "at": instant, "time_zone": zone, "region": region,
             "channel": channel}  # fmt: skip
    answer = rules.decide(pack, facts)
    assert (found.open_at == instant) == (answer.effect == "allow")
    if answer.effect == "delay" and found.open_at is not None:
        assert answer.until == found.open_at
        assert {one.rule_id for one in answer.verdicts} == set(found.delayed_by)
    # The last second of the slot is lawful and the next one is not.
    if found.lawful_until is not None and found.open_at is not None:
        last = {**facts, "at": found.lawful_until - timedelta(seconds=1)}
        assert rules.decide(pack, last).effect == "allow"
