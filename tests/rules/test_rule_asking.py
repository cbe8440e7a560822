"""One row, one answer: the same as the plan's columns, and combined by strength."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duly import rules
from duly.conditions import to_sql
from duly.core.reasons import REASONS

ALL = rules.load_packs(["decency", "cn"])
BY_ID = {rule.id: rule for rule in ALL}
ARROW = {
    "integer": pa.int64(),
    "money": pa.int64(),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
SCHEMA = pa.schema(
    {"row_number": pa.int64()} | {name: ARROW[field.kind] for name, field in rules.FACTS.items()}
)
EVERY = rules.load_packs(rules.pack_names())
CHECKED = [
    rule
    for rule in EVERY
    if rule.about == "contact" and isinstance(rule.primitive, rules.Bar | rules.Require)
]


def facts(**changes: object) -> dict[str, object]:
    row = {**rules.NEUTRAL, "address": "+8613800000001", **changes}
    at = row["at"]
    row["at"] = datetime.fromisoformat(at) if isinstance(at, str) else at
    return row


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def values_of(name: str) -> st.SearchStrategy[object]:
    field = rules.FACTS[name]
    known: dict[str, st.SearchStrategy[object]] = {
        "integer": st.sampled_from((-1, 0, 1, 7, 65_753, 65_754, 10_000_000)),
        "money": st.sampled_from((-1, 0, 1, 99, 100, 81_230)),
        "boolean": st.booleans(),
        "date": st.sampled_from((date(2025, 5, 1), date(2026, 2, 28), date(2026, 11, 24))),
        "text": st.sampled_from(field.values or ("credit_notice", "overdue", "cn", "a'b")),
    }
    return st.one_of(st.none(), known[field.kind])


ASKED = sorted(
    {name for rule in CHECKED for name in rule.requires}
    | {"class", "channel"}
    | {
        name
        for rule in CHECKED
        for check in getattr(rule.primitive, "checks", None) or (rule.primitive.check,)  # type: ignore[union-attr]
        for name in check.condition.fields
    }
)
ROWS = st.fixed_dictionaries({name: values_of(name) for name in ASKED})


@settings(max_examples=12, deadline=None)
@given(rows=st.lists(ROWS, min_size=15, max_size=15))
def test_the_columns_of_the_plan_agree_with_asking_one_row(rows: list[dict[str, object]]) -> None:
    f = pa.Table.from_pylist(  # noqa: F841
        [{"row_number": number, **row} for number, row in enumerate(rows)], schema=SCHEMA
    )
    with duckdb.connect() as con:
        reasons = ", ".join(f"{rules.reason_sql(rule, 'f.')}" for rule in CHECKED)
        asked = con.execute(f"SELECT {reasons} FROM f ORDER BY row_number").fetchall()
        conditions = ", ".join(to_sql(item[1], "f.") for item in rules.bars(EVERY))
        barred = con.execute(f"SELECT {conditions} FROM f ORDER BY row_number").fetchall()
    for row, reason_row, bar_row in zip(rows, asked, barred, strict=True):
        for rule, reason in zip(CHECKED, reason_row, strict=True):
            assert rules.ask(rule, row).reason == (reason or ""), rule.id
        for (rule, _, classes, channels), bar in zip(rules.bars(EVERY), bar_row, strict=True):
            in_scope = row["class"] in (None, *classes) and row["channel"] in (None, *channels)
            verdict = rules.ask(rule, row)
            if not in_scope:
                assert verdict.effect == "allow"
            elif bar is True:
                assert verdict.effect == "block"
            elif bar is None:
                assert verdict.reason.startswith("missing:")
            elif all(row[name] is not None for name in rule.requires):
                assert verdict.effect == "allow"


def test_an_unknown_check_does_not_hide_one_that_holds() -> None:
    verdict = rules.ask(BY_ID["CN-HOLD-2"], facts(open_dispute=None, open_complaint=True))
    assert verdict == rules.Verdict(rule_id="CN-HOLD-2", effect="block", reason="complaint")


def test_the_first_empty_fact_by_name_is_the_one_that_is_missing() -> None:
    verdict = rules.ask(BY_ID["DEC-PERSON-1"], facts(incapacity=None, deceased=None))
    assert verdict.reason == "missing:deceased"


def test_a_fact_that_the_row_lacks_altogether_is_missing() -> None:
    row = facts()
    del row["open_dispute"]
    assert rules.ask(BY_ID["CN-HOLD-2"], row).reason == "missing:open_dispute"


@pytest.mark.parametrize("name", ["at", "time_zone"])
def test_a_window_without_its_input_blocks(name: str) -> None:
    verdict = rules.ask(BY_ID["DEC-HOURS-1"], facts(**{name: None}))
    assert (verdict.effect, verdict.reason) == ("block", f"missing:{name}")


def test_a_window_with_a_zone_nobody_knows_blocks() -> None:
    verdict = rules.ask(BY_ID["DEC-HOURS-1"], facts(time_zone="Mars/Olympus"))
    assert (verdict.effect, verdict.reason) == ("block", "missing:time_zone")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("at", {"at": None}),
        ("contacts", {"contacts": None}),
        ("address", {"address": None}),
        ("time_zone", {"time_zone": None}),
    ],
)
def test_a_cap_without_its_input_blocks(name: str, changes: dict[str, object]) -> None:
    verdict = rules.ask(BY_ID["DEC-FREQ-2"], facts(channel="voice", **changes))
    assert (verdict.effect, verdict.reason) == ("block", f"missing:{name}")


def test_no_rule_speaks_about_a_neutral_contact() -> None:
    answer = rules.decide(ALL, facts(address="+8613800000001"))
    assert answer == rules.Answer(effect="allow", until=None, verdicts=())


def test_a_text_after_todays_waits_for_the_cap_and_then_for_the_window() -> None:
    answer = rules.decide(
        rules.active(ALL, date(2026, 3, 10)),
        facts(
            at=moment("2026-03-10T15:00:00+08:00"),
            channel="email",
            contacts=({"at": moment("2026-03-10T09:00:00+08:00"), "channel": "sms"},),
        ),
    )
    assert (answer.effect, answer.until) == ("delay", moment("2026-03-11T08:30:00+08:00"))
    assert [verdict.rule_id for verdict in answer.verdicts] == [
        "CN-HOURS-1",
        "CN-FREQ-3",
        "CN-HOURS-2",
        "DEC-FREQ-3",
        "DEC-HOURS-1",
    ]


def test_a_fourth_call_waits_for_the_next_morning() -> None:
    hours = ("09:10", "11:00", "15:00")
    answer = rules.decide(
        rules.active(ALL, date(2026, 3, 10)),
        facts(
            at=moment("2026-03-10T18:00:00+08:00"),
            channel="voice",
            contacts=tuple(
                {
                    "at": moment(f"2026-03-10T{hour}:00+08:00"),
                    "channel": "voice",
                    "outcome": "connected",
                    "address": f"+861380000000{number}",
                }
                for number, hour in enumerate(hours)
            ),
        ),
    )
    assert (answer.effect, answer.until) == ("delay", moment("2026-03-11T08:30:00+08:00"))


def test_two_zones_must_both_hold() -> None:
    # G-TZ-1: 13:00 in New York is 02:00 in Shanghai.
    at = moment("2026-01-15T18:00:00+00:00")
    here = rules.decide([BY_ID["DEC-HOURS-1"]], facts(at=at, time_zone="America/New_York"))
    both = rules.decide(
        [BY_ID["DEC-HOURS-1"], BY_ID["CN-HOURS-2"]], facts(at=at, time_zone="America/New_York")
    )
    assert here.effect == "allow"
    assert (both.effect, both.until) == ("delay", moment("2026-01-16T08:30:00+08:00"))


def test_a_block_beats_an_unmet_demand_which_beats_a_delay_and_all_reasons_are_kept() -> None:
    late = moment("2026-03-10T23:00:00+08:00")
    pack = [BY_ID[name] for name in ("DEC-HOURS-1", "CN-COND-4", "CN-HOLD-1", "CN-LIM-2")]
    block = rules.decide(
        pack, facts(at=late, figures_agree=False, open_plan=True, statute_barred=True)
    )
    require = rules.decide(pack, facts(at=late, figures_agree=False))
    delay = rules.decide(pack, facts(at=late))
    assert [answer.effect for answer in (block, require, delay)] == ["block", "require", "delay"]
    assert [answer.until for answer in (block, require)] == [None, None]
    assert delay.until == moment("2026-03-11T08:30:00+08:00")
    assert [(verdict.rule_id, verdict.effect, verdict.reason) for verdict in block.verdicts] == [
        ("CN-LIM-2", "block", "statute_barred"),
        ("CN-HOLD-1", "block", "plan"),
        ("CN-COND-4", "require", "figures_disagree"),
        ("DEC-HOURS-1", "delay", "window"),
    ]


def test_quiet_hours_of_the_whole_day_block() -> None:
    answer = rules.decide([BY_ID["DEC-QUIET-1"]], facts(quiet_from=0, quiet_until=0))
    assert (answer.effect, answer.until) == ("block", None)


def test_verdicts_are_sorted_by_force_then_effect_then_id() -> None:
    order = sorted(
        [
            (BY_ID["DEC-HOLD-1"], "block"),
            (BY_ID["CN-HOURS-1"], "delay"),
            (BY_ID["CN-FREQ-2"], "delay"),
            (BY_ID["CN-COND-4"], "require"),
            (BY_ID["CN-HOLD-2"], "block"),
            (BY_ID["CN-HOLD-1"], "block"),
            (BY_ID["CN-PRIV-1"], "delay"),
            (BY_ID["CN-LIM-2"], "block"),
            (BY_ID["CN-LIM-2"], "allow"),
        ],
        key=lambda item: rules.legal_key(*item),
    )
    assert [(rule.id, effect) for rule, effect in order] == [
        ("CN-LIM-2", "block"),
        ("CN-PRIV-1", "delay"),
        ("CN-LIM-2", "allow"),
        ("CN-HOLD-1", "block"),
        ("CN-HOLD-2", "block"),
        ("CN-COND-4", "require"),
        ("CN-HOURS-1", "delay"),
        ("CN-FREQ-2", "delay"),
        ("DEC-HOLD-1", "block"),
    ]


def test_the_cost_cap_never_stands_in_the_way_of_relief() -> None:
    unlawful = {"late_charge": 2000, "late_rate_daily_e8": 100_000}
    verdicts = {
        kind: rules.ask(BY_ID["CN-RATE-3"], facts(**{"class": kind}, **unlawful)).effect
        for kind in ("dunning", "statutory", "receipt", "answer", "correction")
    }
    assert verdicts == {
        "dunning": "block",
        "statutory": "allow",
        "receipt": "allow",
        "answer": "allow",
        "correction": "allow",
    }


@pytest.mark.parametrize("kind", ["dunning", "statutory", "receipt", "answer", "correction"])
@pytest.mark.parametrize("name", ["deceased", "incapacity", "identity_dispute"])
def test_nothing_at_all_reaches_a_person_who_must_not_be_written_to(kind: str, name: str) -> None:
    answer = rules.decide(ALL, facts(**{"class": kind, name: True}))
    assert answer.effect == "block"
    assert name in {verdict.reason for verdict in answer.verdicts}


def test_every_hold_and_block_of_a_signal_is_spoken_by_a_rule_of_decency_alone() -> None:
    decency = rules.load_packs(["decency"])
    signals = {
        "open_dispute": "dispute",
        "open_complaint": "complaint",
        "open_fraud_claim": "fraud_claim",
        "open_promise": "promise",
        "open_plan": "plan",
        "open_hardship": "hardship",
        "payment_pending": "payment_pending",
        "debit_pending": "debit_pending",
        "deceased": "deceased",
        "incapacity": "incapacity",
        "bankruptcy": "bankruptcy",
        "legal_representation": "legal_representation",
        "cease_contact": "cease_contact",
        "opted_out": "opt_out",
        "servicing_withdrawn": "opt_out",
        "identity_dispute": "identity_dispute",
        "moratorium": "moratorium",
        "disaster": "disaster",
        "statute_barred": "statute_barred",
        "wrong_person": "wrong_person",
        "unapplied_money": "credit_unapplied",
    }
    for name, reason in signals.items():
        answer = rules.decide(
            decency, facts(at=moment("2020-02-20T09:00:00+08:00"), **{name: True})
        )
        assert answer.effect == "block", name
        assert {verdict.reason for verdict in answer.verdicts} == {reason}, name
        assert reason in {code for codes in REASONS.values() for code in codes}


CONTACTS = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.integers(-8 * 24 * 60, 60).map(
                lambda m: datetime(2026, 3, 10, 2, tzinfo=UTC) + timedelta(minutes=m)
            ),
            "channel": st.sampled_from(("sms", "email", "voice")),
            "direction": st.sampled_from(("out", "out", "in")),
            "class": st.sampled_from(("dunning", "dunning", "receipt", "statutory")),
            "outcome": st.sampled_from(("connected", "unanswered", "delivered", "undelivered")),
            "address": st.sampled_from(("+8613800000001", "+8613800000002", "", None)),
        }
    ),
    max_size=14,
)


@settings(max_examples=150, deadline=None)
@given(contacts=CONTACTS, channel=st.sampled_from(("sms", "voice")))
def test_a_cap_agrees_with_counting_by_hand(
    contacts: list[dict[str, object]], channel: str
) -> None:
    at = datetime(2026, 3, 10, 2, tzinfo=UTC)
    row = facts(at=at, channel=channel, contacts=tuple(contacts))
    spoken = set()
    for limit in rules.cap_limits(ALL, "voice" if channel == "voice" else "text"):
        times = sorted(
            c["at"]
            for c in contacts
            if c["at"] <= at  # type: ignore[operator]
            and c["direction"] == "out"
            and c["channel"] in limit.channels
            and c["class"] in limit.classes
            and (limit.outcomes is None or c["outcome"] in limit.outcomes)
            and (limit.per == "borrower" or c["address"] in ("", None, row["address"]))
        )
        if limit.window == "calendar_day":  # 10:00 in Shanghai, so the day began ten hours ago
            recent = [time for time in times if time >= at - timedelta(hours=10)]
        else:
            recent = [time for time in times if time > at - timedelta(hours=limit.window)]
        gap = limit.min_gap_hours
        close = gap is not None and times and at - times[-1] < timedelta(hours=gap)
        if len(recent) >= limit.count or close:
            spoken.add(limit.rule_id)
    known = tuple(c for c in contacts if c["at"] <= at)  # type: ignore[operator]
    for rule in ALL:
        if isinstance(rule.primitive, rules.Cap):
            verdict = rules.ask(rule, row)
            expected = ("delay", "cap") if rule.id in spoken else ("allow", "")
            assert (verdict.effect, verdict.reason) == expected
            if verdict.until is not None:
                later = {**row, "contacts": known}
                assert rules.ask(rule, {**later, "at": verdict.until}).effect == "allow"
                before = verdict.until - timedelta(seconds=1)
                assert before < at or rules.ask(rule, {**later, "at": before}).effect == "delay"


def test_limits_name_their_columns_and_count_as_the_packs_say() -> None:
    texts = rules.cap_limits(ALL, "text")
    assert [(item.name, item.count, item.window, item.zone) for item in texts] == [
        ("dec_freq_3_day", 1, "calendar_day", "local"),
        ("dec_freq_3_168h", 3, 168, "local"),
        ("cn_freq_3_day", 1, "calendar_day", "Asia/Shanghai"),
        ("cn_freq_3_168h", 3, 168, "Asia/Shanghai"),
    ]
    calls = rules.cap_limits(ALL, "voice")
    assert [
        (item.name, item.count, item.per, item.outcomes, item.min_gap_hours) for item in calls
    ] == [
        ("dec_freq_1_day", 3, "borrower", ("connected",), None),
        ("dec_freq_2_day", 6, "address", None, None),
        ("dec_freq_2_default_day", 3, "address", None, 2),
        ("cn_freq_1_day", 3, "borrower", ("connected",), None),
        ("cn_freq_2_day", 6, "address", None, None),
        ("cn_freq_2_default_day", 3, "address", None, 2),
    ]
    assert {item.direction for item in texts + calls} == {"out"}
    assert {item.classes for item in texts + calls} == {("dunning",)}
    assert rules.cap_limits(ALL, "all") == tuple(
        sorted(texts + calls, key=lambda item: [rule.id for rule in ALL].index(item.rule_id))
    )
