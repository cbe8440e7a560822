"""Goal: what changed since the plan is seen at the door. Method: one message, one change each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from duly.delivery.door import FACT_OF, Passage, Told, Waiting, ask_door
from duly.rules import NEUTRAL, active, load_packs

AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
RULES = active(load_packs(("decency", "cn")), date(2026, 3, 10))
MESSAGE = Waiting(
    facts={name: value for name, value in NEUTRAL.items() if name not in {"at", "contacts"}},
    loan_ids=frozenset({"l1"}),
    channel="sms",
    address="+8613800000001",
    not_before=AT - timedelta(minutes=30),
    not_after=AT + timedelta(hours=10),
    time_zone="Asia/Shanghai",
    region=None,
    quiet_from=None,
    quiet_until=None,
)


def ask(message: Waiting = MESSAGE, at: datetime = AT, **given: object) -> Passage:
    values = {"contacts": (), "told": ()} | given
    return ask_door(RULES, message, at=at, **values)  # type: ignore[arg-type]


def text_at(at: datetime, **given: object) -> dict[str, object]:
    return {"at": at, "direction": "out", "channel": "sms", "class": "dunning",
            "outcome": "sent", "address": None} | given  # fmt: skip


class TestHour:
    def test_lets_a_lawful_message_out(self) -> None:
        assert ask() == Passage(effect="allow")

    def test_waits_for_its_own_time(self) -> None:
        early = ask(at=MESSAGE.not_before - timedelta(seconds=1))
        assert early == Passage(effect="delay", until=MESSAGE.not_before)

    def test_lets_its_last_second_pass_and_the_next_not(self) -> None:
        last = replace(MESSAGE, not_after=AT)
        assert ask(last).effect == "allow"
        assert ask(last, at=AT + timedelta(seconds=1)) == Passage(effect="expire", reason="window")

    def test_keeps_the_night_even_where_the_plan_did_not(self) -> None:
        night = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)  # 22:30
        late = replace(MESSAGE, not_after=night + timedelta(hours=12))
        answer = ask(late, at=night)
        assert answer.effect == "delay"
        assert answer.until == datetime(2026, 3, 11, 0, 30, tzinfo=UTC)  # 08:30

    def test_keeps_a_quiet_hour_told_since(self) -> None:
        quiet = replace(MESSAGE, quiet_from=9 * 60, quiet_until=11 * 60)
        assert ask(quiet).until == datetime(2026, 3, 10, 3, 0, tzinfo=UTC)

    def test_expires_where_the_next_lawful_hour_is_too_late(self) -> None:
        night = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)
        late = replace(MESSAGE, not_after=night + timedelta(hours=1))
        answer = ask(late, at=night)
        assert (answer.effect, answer.reason) == ("expire", "cap_or_window")
        assert "CN-HOURS-1" in answer.rules


class TestCaps:
    def test_a_text_of_another_today_uses_the_place_up(self) -> None:
        answer = ask(contacts=[text_at(AT - timedelta(hours=1))])
        assert answer.effect == "expire"
        assert "CN-FREQ-3" in answer.rules

    def test_a_reservation_counts_as_a_text(self) -> None:
        answer = ask(contacts=[text_at(AT, outcome="reserved")])
        assert answer.effect == "expire"

    def test_three_in_a_week_are_enough(self) -> None:
        days = [text_at(AT - timedelta(days=day)) for day in (2, 4, 6)]
        assert ask(contacts=days[:2]).effect == "allow"
        assert ask(contacts=days).effect == "expire"


class TestSignals:
    @pytest.mark.parametrize("kind", sorted(FACT_OF))
    def test_what_was_told_since_is_kept_to(self, kind: str) -> None:
        one = Told(kind=kind, loan_id="l1", starts_at=AT, ends_at=None)
        answer = ask(told=[one])
        assert answer.effect == "block", answer
        assert answer.rules

    def test_what_is_told_for_tomorrow_or_over_today_is_not(self) -> None:
        later = Told(kind="dispute", loan_id=None, starts_at=AT + timedelta(1), ends_at=None)
        over = Told(kind="dispute", loan_id=None, starts_at=AT - timedelta(1), ends_at=AT)
        assert ask(told=[later, over]).effect == "allow"

    def test_another_loan_is_not_meant(self) -> None:
        other = Told(kind="dispute", loan_id="l2", starts_at=AT, ends_at=None)
        person = Told(kind="deceased", loan_id="l2", starts_at=AT, ends_at=None)
        assert ask(told=[other]).effect == "allow"
        assert ask(told=[person]).effect == "block"

    def test_an_opt_out_of_another_channel_is_not_meant(self) -> None:
        mail = Told(kind="opt_out", loan_id=None, starts_at=AT, ends_at=None, channel="email")
        sms = Told(kind="opt_out", loan_id=None, starts_at=AT, ends_at=None, channel="sms")
        assert ask(told=[mail]).effect == "allow"
        assert ask(told=[sms]).effect == "block"

    def test_a_missing_fact_stops_it(self) -> None:
        unknown = replace(MESSAGE, facts={**MESSAGE.facts, "late_rate_daily_e8": None})
        answer = ask(unknown)
        assert answer.effect == "block"
        assert answer.reason == "missing:late_rate_daily_e8"
