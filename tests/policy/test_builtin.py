"""Goal: cn-installment does what its lender and the borrower are told. Method: loans by history,
score and days, each asked which lane it is in; every overdue loan has one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_rows import lane, late, loan, offset_of
from test_bad_policies import TEMPLATES

from duly.conditions import evaluate
from duly.core.words import catalogue
from duly.policy import BUILT_IN, DEMANDS, FEATURES, check, fingerprint, load, lower_tone

POLICY = load(BUILT_IN)


def _id(row: dict[str, object]) -> str:
    found = lane(POLICY, row)
    return "" if found is None else found.id


def test_the_built_in_policy_has_no_mistakes() -> None:
    assert check(BUILT_IN, templates=TEMPLATES) == []
    assert POLICY.fingerprint == fingerprint(BUILT_IN)
    assert POLICY.floor_minor == 2000


def test_the_same_bytes_are_read_once_for_the_same_texts() -> None:
    assert load(BUILT_IN) is load(BUILT_IN)
    (told,) = check(BUILT_IN, templates=TEMPLATES - {"overdue"})[:1]
    assert told.code == "unknown_choice"
    check(BUILT_IN, templates=TEMPLATES - {"overdue"}).clear()
    assert check(BUILT_IN, templates=TEMPLATES - {"overdue"})[0] == told


def test_every_feature_has_a_sentence_in_both_languages() -> None:
    for locale in ("en", "zh-CN"):
        words = catalogue("policy", locale)
        for field in FEATURES.values():
            assert words[field.doc_key]
        told = {key.removeprefix("feature.") for key in words if key.startswith("feature.")}
        assert told == {*FEATURES, "arm"}


def test_every_decision_of_a_treatment_has_a_reason_in_words() -> None:
    for locale in ("en", "zh-CN"):
        words = catalogue("reasons", locale)
        for one in POLICY.treatments:
            assert words[f"reason.{one.reason}"]


class TestBeforeDue:
    @pytest.mark.parametrize("who", [{"asked_for_reminders": True}, {"late_count_12m": 1}])
    def test_who_asked_or_was_late_before_is_reminded(self, who: dict[str, object]) -> None:
        assert _id(loan(days_to_due=3, **who)) == "due-soon"
        assert _id(loan(days_to_due=0, **who)) == "due-today"
        assert _id(loan(days_to_due=4, **who)) == ""
        assert _id(loan(days_to_due=1, **who)) == ""

    def test_everybody_else_is_left_in_peace(self) -> None:
        assert _id(loan(days_to_due=3)) == ""
        assert _id(loan(days_to_due=0)) == ""


class TestFirstContact:
    @pytest.mark.parametrize(
        ("who", "first"),
        [
            ({}, 5),
            ({"score_band": "high_risk"}, 4),
            ({"late_count_before_arrears": 1, "first_late": False}, 4),
            ({"score_band": "low_risk"}, 8),
        ],
        ids=["first time", "high risk", "repeated", "low risk"],
    )
    def test_the_first_text_comes_on_its_day_and_never_within_the_fee_grace(
        self, who: dict[str, object], first: int
    ) -> None:
        lanes = [
            _id(loan(days_past_due=days, days_delinquent=max(0, days - 3), **who))
            for days in range(1, 10)
        ]
        assert [bool(one) for one in lanes] == [days >= first for days in range(1, 10)]

    def test_low_risk_waits_no_longer_than_eight_days(self) -> None:
        row = loan(days_past_due=8, days_delinquent=1, score_band="low_risk")
        assert _id(row) == "patient-first-late"
        assert str(offset_of(POLICY, row)) == "after_grace + 4 days, at most 8 days"


class TestLanes:
    def test_the_first_time_late_is_gentle(self) -> None:
        found = lane(POLICY, late(2))
        assert found is not None
        assert found.send is not None
        assert (found.id, found.send.template, found.send.tone) == (
            "first-late",
            "first_late",
            "gentle",
        )

    @pytest.mark.parametrize(
        "who", [{"late_count_before_arrears": 1, "first_late": False}, {"score_band": "high_risk"}]
    )
    def test_repeated_or_risky_is_earlier_and_plain_never_harsher(
        self, who: dict[str, object]
    ) -> None:
        found = lane(POLICY, late(1, **who))
        assert found is not None
        assert found.send is not None
        assert found.send.tone == "plain"
        assert found.every_days == 6

    def test_low_risk_is_written_to_every_ten_days(self) -> None:
        found = lane(POLICY, late(20, score_band="low_risk"))
        assert found is not None
        assert (found.id, found.every_days) == ("patient-first-late", 10)

    def test_a_security_signal_leads_to_a_notice_and_no_demand(self) -> None:
        for row in (loan(security_signal=True), late(40, security_signal=True)):
            found = lane(POLICY, row)
            assert found is not None
            assert found.send is not None
            assert (found.id, found.send.template) == ("verify-security", "verify_security")

    @pytest.mark.parametrize(
        "what",
        [
            {"undelivered_last": True, "number_in_doubt": True},
            {"days_since_contact_changed": 7, "number_in_doubt": True},
        ],
    )
    def test_unsure_details_lead_to_the_other_channel_and_a_person(
        self, what: dict[str, object]
    ) -> None:
        found = lane(POLICY, late(10, can_email=True, **what))
        assert found is not None
        assert found.send is not None
        assert found.task is not None
        assert (found.send.template, found.send.channels) == ("check_details", ("email",))
        assert found.task.kind == "verify_contact"
        alone = lane(POLICY, late(10, **what))
        assert alone is not None
        assert alone.send is None
        doubted = lane(POLICY, late(10, can_email=True, email_in_doubt=True, **what))
        assert doubted == alone
        assert alone.task is not None
        assert alone.task.kind == "verify_contact"
        assert _id(loan(days_past_due=1, **what)) == ""  # Never faster than anybody else.

    def test_two_texts_without_an_answer_lead_to_a_call(self) -> None:
        unheard = {"texts_since_arrears": 2, "days_since_text": 4, "days_since_contact": 4}
        found = lane(POLICY, late(12, **unheard))
        assert found is not None
        assert found.task is not None
        assert (found.id, found.task.kind) == ("no-answer", "call")
        for answer in ({"replied_since_arrears": True}, {"answered_since_arrears": True}):
            assert _id(late(12, **unheard, **answer)) == "first-late"
        assert _id(late(12, **unheard, calls_since_arrears=1)) == "first-late"
        again = {"texts_since_arrears": 4, "days_since_text": 4, "days_since_contact": 4}
        assert _id(late(12, **again, calls_since_arrears=1)) == "no-answer"
        assert (
            _id(late(12, **{**again, "texts_since_arrears": 9}, calls_since_arrears=3))
            != "no-answer"
        )
        assert _id(late(12, **unheard, can_voice=False)) == "first-late"

    def test_a_refused_card_is_told_and_not_demanded(self) -> None:
        for cause in ("card", "limit", "mandate"):
            assert _id(loan(days_past_due=1, debit_failed_cause=cause)) == "card-refused"
            assert _id(loan(days_to_due=0, debit_failed_cause=cause)) == "card-refused"
            assert _id(loan(days_to_due=1, debit_failed_cause=cause)) == ""
        for cause in ("funds", "bank", "ours"):
            assert _id(loan(days_past_due=1, debit_failed_cause=cause)) == ""
        assert _id(loan(days_past_due=2, days_since_returned_payment=1)) == "returned-payment"

    def test_long_arrears_are_offered_a_plan_every_ten_days(self) -> None:
        for days in (31, 60, 61, 200, 3000):
            found = lane(POLICY, late(days))
            assert found is not None
            assert (found.id, found.every_days) == ("plan-offer", 10)

    def test_a_broken_promise_or_plan_leads_to_a_person_who_asks_why(self) -> None:
        for what in ("promise", "plan"):
            found = lane(POLICY, late(10, **{f"days_since_{what}_broken": 1}))
            assert found is not None
            assert found.task is not None
            assert found.send is None
            assert (found.task.kind, found.reason) == ("ask_why", f"{what}_broken")

    def test_who_cannot_pay_comes_to_care_and_not_to_a_reminder(self) -> None:
        assert _id(late(10, monthly_income=40_000)) == "care-unable-to-pay"
        assert _id(late(10, monthly_income=400_000)) == "first-late"
        assert _id(late(10, days_since_hardship_ended=10)) == "care-after-hardship"
        assert {one.reply: one.hold for one in POLICY.responses}["hardship"] == "hardship"

    def test_a_credit_notice_goes_out_when_it_is_due(self) -> None:
        assert _id(late(40, bureau_notice_due=True)) == "credit-notice"


_HISTORIES = {
    "late_count_12m_after_grace": st.integers(0, 12),
    "late_count_before_arrears": st.integers(0, 12),
    "days_past_due_max_12m": st.integers(0, 90),
    "installments_overdue": st.integers(1, 6),
    "texts_since_arrears": st.integers(0, 12),
    "calls_since_arrears": st.integers(0, 5),
    "days_since_text": st.none() | st.integers(0, 60),
    "days_since_contact": st.none() | st.integers(0, 60),
    "days_since_promise_broken": st.none() | st.integers(0, 30),
    "days_since_plan_broken": st.none() | st.integers(0, 30),
    "days_since_contact_changed": st.none() | st.integers(0, 30),
    "days_since_returned_payment": st.none() | st.integers(0, 30),
    "days_since_hardship_ended": st.none() | st.integers(0, 120),
    "days_since_relief_offered": st.none() | st.integers(0, 40),
    "monthly_income": st.none() | st.integers(0, 2_000_000),
    "overdue_total": st.integers(10_000, 900_000),
    "score_band": st.sampled_from(["low_risk", "medium_risk", "high_risk"]),
    "debit_failed_cause": st.none() | st.sampled_from(["funds", "card", "limit", "mandate"]),
    "preferred_channel": st.none() | st.sampled_from(["sms", "email", "voice"]),
    **{
        name: st.booleans()
        for name, field in FEATURES.items()
        if field.kind == "boolean" and name != "has_sms"
    },
}


class TestNobodyIsInNoLane:
    def test_every_day_band_and_history_has_a_lane(self) -> None:
        days = [*range(1, 200), 400, 1000, 5000]
        bands = ("low_risk", "medium_risk", "high_risk")
        for day, band, count, grace in itertools.product(days, bands, (0, 1, 2, 6), (0, 3, 5)):
            row = loan(
                days_past_due=day,
                days_delinquent=max(0, day - grace),
                score_band=band,
                late_count_before_arrears=count,
                first_late=count == 0,
            )
            reached = offset_of(POLICY, row).reached(
                days_delinquent=max(0, day - grace), days_past_due=day
            )
            assert (lane(POLICY, row) is not None) is reached

    @settings(max_examples=500, deadline=None)
    @given(days=st.integers(8, 30), history=st.fixed_dictionaries(_HISTORIES))
    def test_a_month_late_and_not_heard_for_twelve_days_gets_a_contact_or_a_task(
        self, days: int, history: dict[str, object]
    ) -> None:
        for name in ("days_since_text", "days_since_contact"):
            since = history[name]
            history[name] = None if since is None else max(12, int(str(since)))
        found = lane(POLICY, late(days, **history))
        assert found is not None
        assert found.send is not None or found.task is not None
        assert found.every_days is not None
        assert found.every_days <= 10

    @settings(max_examples=500, deadline=None)
    @given(days=st.integers(1, 4000), history=st.fixed_dictionaries(_HISTORIES))
    def test_serious_words_need_sixty_one_days_and_an_offer_before(
        self, days: int, history: dict[str, object]
    ) -> None:
        row = late(days, **history)
        found = lane(POLICY, row)
        if found is None or found.send is None:
            return
        tone = found.send.tone
        for ceiling in POLICY.tone_ceilings:
            if evaluate(ceiling.condition, row) is True:
                tone = lower_tone(tone, ceiling.tone)
        if tone == "serious":
            assert days >= 61
            assert row["days_since_relief_offered"] is not None
            assert row["score_band"] != "low_risk"

    def test_no_demand_may_go_out_within_the_grace(self) -> None:
        for one in POLICY.treatments:
            if one.within_grace and one.send is not None:
                assert one.send.template not in DEMANDS
