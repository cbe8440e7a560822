"""A plan under the packs of other places: hours, caps, sentences and facts that no book tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from case_book import Group, dated, group, loan_id
from plan_made import Made, make, write_book_json, write_lender

from duly.core.errors import Refused

PHONE = [{"channel": "voice"}]
ANCHORAGE, CHICAGO, LONDON = "America/Anchorage", "America/Chicago", "Europe/London"


def us_loan(**terms: Any) -> dict[str, Any]:
    return {"terms": {"jurisdiction": "us"} | terms}


def person(zone: str, **more: Any) -> dict[str, Any]:
    return {"time_zone": zone, "locale": "en"} | more


def planned(
    tmp_path: Path,
    write_book: Any,
    *,
    at: str,
    zone: str,
    packs: list[str],
    cases: list[Mapping[str, Any]],
    lender: Mapping[str, Any] | None = None,
) -> tuple[Group, Made]:
    made = group(
        "packs",
        {
            "at": at,
            "lender": {"time_zone": zone, "packs": packs, "locale": "en"} | dict(lender or {}),
            "cases": cases,
        },
    )
    book = write_book(tmp_path, made.tables)
    write_book_json(book, dated(made, dict(made.book or {})))
    file = write_lender(tmp_path, made.lender)
    return made, make(book, tmp_path / "plan", at=made.instant, lender=file)


def decided(made: Made, number: int) -> Mapping[str, Any]:
    return made.decisions[loan_id(f"B{number}", "a")]


@pytest.fixture(scope="module")
def us_plan(tmp_path_factory: pytest.TempPathFactory, write_book: Any) -> Made:
    chats = [{"channel": "voice", "at": "-3d 12:00", "direction": "in", "outcome": "connected"}]
    # Six or seven calls from the morning of six dates ago on; the law counts those of every class.
    calls = [
        {"channel": "voice", "at": f"-6d {10 + n}:00", "direction": "out",
         "outcome": "unanswered", "class": "statutory"}
        for n in range(7)
    ]  # fmt: skip
    cases: list[Mapping[str, Any]] = [
        {"borrower": person(CHICAGO), "loan": us_loan()},
        {"borrower": person(ANCHORAGE), "loan": us_loan()},
        {"borrower": person(CHICAGO), "loan": us_loan(), "points": PHONE, "contacts": chats},
        {"borrower": person(CHICAGO), "loan": us_loan(), "points": PHONE, "contacts": calls[1:]},
        {"borrower": person(CHICAGO), "loan": us_loan(creditor="Another Bank")},
        {"borrower": person(CHICAGO), "loan": us_loan(), "signals": [
            {"kind": "bankruptcy", "starts_at": "-2d 10:00"}]},
        {"borrower": person(CHICAGO), "loan": {"terms": {"jurisdiction": "uk"}}},
        {"borrower": person(CHICAGO), "loan": us_loan(), "points": PHONE, "contacts": calls},
    ]  # fmt: skip
    _, made = planned(
        tmp_path_factory.mktemp("us"),
        write_book,
        at="2026-03-10T09:00:00-05:00",
        zone=CHICAGO,
        packs=["decency", "us"],
        cases=cases,
    )
    return made


class TestTheUnitedStates:
    def test_a_text_leaves_in_the_borrowers_morning(self, us_plan: Made) -> None:
        here, there = decided(us_plan, 1), decided(us_plan, 2)
        assert (here["decision"], here["legal"]) == ("contact", [])
        assert there["decision"] == "contact"
        assert set(there["legal"]) == {"DEC-HOURS-1", "US-HOURS-1", "US-HOURS-2"}
        assert there["not_before"].astimezone(here["not_before"].tzinfo) > here["not_before"]

    def test_after_a_talk_nobody_calls_for_seven_dates(self, us_plan: Made) -> None:
        row = decided(us_plan, 3)
        assert (row["decision"], row["reason"]) == ("wait", "cap")
        assert "US-FREQ-2" in row["legal"]
        assert row["next_review_on"].isoformat() == "2026-03-14"

    def test_six_calls_in_seven_dates_leave_one(self, us_plan: Made) -> None:
        row = decided(us_plan, 4)
        assert row["decision"] == "task", row
        assert not {"US-FREQ-1", "US-FREQ-2"} & set(row["legal"])

    def test_seven_calls_in_seven_dates_leave_none_until_the_first_is_gone(
        self, us_plan: Made
    ) -> None:
        row = decided(us_plan, 8)
        assert (row["decision"], row["reason"]) == ("wait", "cap")
        assert row["legal"] == ["US-FREQ-1"]
        assert row["next_review_on"].isoformat() == "2026-03-11"

    def test_a_collector_blocks_until_it_says_that_validation_was_sent(self, us_plan: Made) -> None:
        row = decided(us_plan, 5)
        assert (row["decision"], row["reason"]) == ("blocked", "missing:validation_sent")
        assert "US-VAL-1-HOLD" in row["legal"]

    def test_bankruptcy_stops_everything(self, us_plan: Made) -> None:
        row = decided(us_plan, 6)
        assert (row["decision"], row["reason"]) == ("blocked", "bankruptcy")

    def test_a_loan_of_a_place_without_its_pack_is_blocked(self, us_plan: Made) -> None:
        row = decided(us_plan, 7)
        assert (row["decision"], row["reason"]) == ("blocked", "missing_input")

    def test_every_message_says_how_to_stop_and_who_collects(self, us_plan: Made) -> None:
        assert us_plan.messages
        for one in us_plan.messages.values():
            assert "Reply STOP" in one["text"]
            # One loan of the book is another's, so the book is a collector's.
            assert one["text"].count("This is from a debt collector.") == 1
            assert one["text"].count("This is an attempt to collect a debt.") == 1


def test_a_lender_of_its_own_debt_never_says_that_it_is_a_debt_collector(
    tmp_path: Path, write_book: Any
) -> None:
    _, made = planned(
        tmp_path,
        write_book,
        at="2026-03-10T09:00:00-05:00",
        zone=CHICAGO,
        packs=["decency", "us"],
        cases=[{"borrower": person(CHICAGO), "loan": us_loan()}],
    )
    (one,) = made.messages.values()
    assert "debt collector" not in one["text"]
    assert "Reply STOP" in one["text"]


def test_nothing_leaves_on_a_sunday_in_the_kingdom_and_advice_is_pointed_to(
    tmp_path: Path, write_book: Any
) -> None:
    case = {"borrower": person(LONDON), "loan": {"terms": {"jurisdiction": "uk"}}}
    for folder, day, expected in (
        ("sunday", "2026-03-08T09:00:00+00:00", ("wait", "window")),
        ("monday", "2026-03-09T09:00:00+00:00", ("contact", "overdue")),
    ):
        (tmp_path / folder).mkdir()
        _, made = planned(
            tmp_path / folder,
            write_book,
            at=day,
            zone=LONDON,
            packs=["decency", "uk"],
            cases=[case],
        )
        row = decided(made, 1)
        assert row["decision"] == expected[0], row
        for one in made.messages.values():
            assert one["text"].endswith("Free debt advice: MoneyHelper.")


def test_two_packs_hold_both_and_a_microfinance_loan_has_shorter_hours(
    tmp_path: Path, write_book: Any
) -> None:
    cases = [
        # A text message under pack `cn` has a Chinese signature and two parts: no English one does.
        {"borrower": person("Asia/Kolkata", locale="zh-CN"),
         "loan": {"terms": {"jurisdiction": "in", "product": product}}}
        for product in ("installment", "microfinance")
    ]  # fmt: skip
    _, made = planned(
        tmp_path,
        write_book,
        at="2026-03-10T08:00:00+05:30",
        zone="Asia/Kolkata",
        packs=["decency", "cn", "in"],
        cases=cases,
    )
    plain, micro = decided(made, 1), decided(made, 2)
    assert plain["legal"] == ["DEC-HOURS-1"]
    assert set(micro["legal"]) == {"DEC-HOURS-1", "IN-HOURS-1-MFI"}
    assert micro["not_before"].astimezone(plain["not_before"].tzinfo) >= plain["not_before"]
    # 18:30 in India is 21:00 in Beijing, when CN-HOURS-2 closes; India itself closes at 19:00.
    assert {one["not_after"].isoformat()[11:19] for one in made.messages.values()} == {
        "12:59:59", "12:29:59",
    }  # fmt: skip


def test_a_call_on_national_day_begins_at_ten_and_the_run_names_its_calendar(
    tmp_path: Path, write_book: Any
) -> None:
    case = {"loan": {"terms": {}}, "points": PHONE}
    for folder, day, opens in (
        ("holiday", "2026-10-05T09:00:00+08:00", "2026-10-05T02:00:00+00:00"),
        ("workday", "2026-10-12T09:00:00+08:00", "2026-10-12T01:00:00+00:00"),
    ):
        (tmp_path / folder).mkdir()
        _, made = planned(
            tmp_path / folder,
            write_book,
            at=day,
            zone="Asia/Shanghai",
            packs=["decency", "cn"],
            cases=[case],
        )
        row = decided(made, 1)
        assert row["decision"] == "task", row
        assert row["not_before"].astimezone(UTC) == datetime.fromisoformat(opens), row
        assert made.run["versions"]["calendar"].startswith("holidays ")


def test_a_lender_does_without_a_rule_of_policy_and_never_without_one_of_law(
    tmp_path: Path, write_book: Any
) -> None:
    def at_eight(folder: str, *rules: str) -> Made:
        (tmp_path / folder).mkdir()
        lender = {"switched_off": list(rules)} if rules else {}
        return planned(
            tmp_path / folder,
            write_book,
            at="2026-03-10T08:00:00-05:00",
            zone=CHICAGO,
            packs=["decency", "us"],
            cases=[{"borrower": person(CHICAGO), "loan": us_loan()}],
            lender=lender,
        )[1]

    kept = decided(at_eight("kept"), 1)
    assert kept["legal"] == ["DEC-HOURS-1"]
    less = at_eight("less", "DEC-HOURS-1")
    assert decided(less, 1)["legal"] == []
    assert decided(less, 1)["not_before"] < kept["not_before"]
    for number, (rules, code) in enumerate(
        [(("US-HOURS-1",), "not_yours"), (("DEC-HOUR-1",), "unknown"), (("CN-FREQ-3",), "unknown")]
    ):
        with pytest.raises(Refused) as refused:
            at_eight(f"wrong{number}", *rules)
        assert [item.code for item in refused.value.diagnostics] == [code]
        assert not (tmp_path / f"wrong{number}" / "plan").exists()
