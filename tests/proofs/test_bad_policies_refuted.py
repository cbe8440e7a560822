"""Goal: each bad policy is refuted for its own reason. Method: its only finding by code and place;
its borrowers as one book, planned as the command plans it, do what the file's comment says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from proof_world import BAD, decided, moment, proved

from duly.core.diagnostic import Diagnostic
from duly.core.errors import DulyError
from duly.proofs.rerun import write_book
from duly.proofs.story import as_data, told

Decision = dict[str, Any]
_PLAIN_FIRST = [
    {"decision": "contact", "tone": "plain"},
    {"decision": "contact", "tone": "gentle"},
]
_GENTLE_FIRST = list(reversed(_PLAIN_FIRST))
_SERIOUS_FIRST = [
    {"decision": "contact", "tone": "serious"},
    {"decision": "contact", "tone": "plain"},
]
_NOBODY = [{"decision": "wait", "reason": "step_done", "rule": None}]

#: File → code at line:column, what stands there, and what the real plan decides for each of the
#: borrowers of the refutation.
BAD_POLICIES: dict[str, tuple[str, str, list[Decision]]] = {
    "hole-in-days": ("7:3 hole", "- id: check-account", _NOBODY),
    "hole-where-unknown": ("7:3 hole_unknown", "- id: check-account", _NOBODY),
    "hole-in-an-arm": ("7:3 hole_arm", "- id: check-account", _NOBODY),
    "ladder-that-ends": ("31:9 ladder_ends", "later", _NOBODY),
    "shadowed": (
        "36:9 shadowed",
        "late_count_12m_after_gra",
        [{"decision": "contact", "rule": "later"}],
    ),
    "never-holds": ("32:9 never_holds", "late_count_12m_after_gra", [{"rule": "first"}]),
    "day-contradicts": ("32:15 day_contradicts", "20", [{"rule": "first"}]),
    "softer-with-days": ("35:37 tone_not_monotone", "plain", _PLAIN_FIRST),
    "harsher-for-low-risk": ("35:37 tone_not_monotone", "plain", _PLAIN_FIRST),
    "harsher-after-a-promise": ("35:37 harsher_after_promise", "plain", _GENTLE_FIRST),
    "harsher-after-hardship": ("34:37 harsher_after_hardship", "plain", _GENTLE_FIRST),
    "harsher-after-a-reply": ("34:37 harsher_after_reply", "plain", _GENTLE_FIRST),
    "harsher-when-undelivered": ("35:37 harsher_after_undelivered", "plain", _GENTLE_FIRST),
    "call-in-grace": (
        "37:11 call_in_grace",
        "{kind: call",
        [{"decision": "task", "task_kind": "call", "rule": "quick-call"}],
    ),
    "plain-before-due": (
        "35:38 tone_in_grace",
        "plain",
        [{"decision": "contact", "template": "due_soon", "tone": "plain"}],
    ),
    "serious-too-early": (
        "39:37 serious_early",
        "serious",
        [{"decision": "contact", "tone": "serious"}],
    ),
    "serious-as-first-word": (
        "40:37 serious_first",
        "serious",
        [{"decision": "contact", "tone": "serious"}],
    ),
    "demand-under-a-security-signal": (
        "29:11 security_demand",
        "{template: first_late",
        [{"decision": "contact", "template": "first_late"}],
    ),
    "dispute-that-lapses": (
        "43:31 reply_lapses",
        "payment_pending",
        [{"decision": "contact", "rule": "first"}],
    ),
    "call-on-hardship": (
        "44:48 reply_asked",
        "{kind: call",
        [{"decision": "hold", "reason": "hardship", "rule": None}],
    ),
    "demand-after-a-broken-promise": (
        "35:11 promise_demand",
        "{template: first_late",
        [{"decision": "contact", "template": "first_late"}],
    ),
    "credit-threat": (
        "35:22 text_untrue",
        "credit_notice",
        [],
    ),  # Without a report the text cannot be written.
    "refused-card-that-was-not": (
        "35:22 text_untrue",
        "card_refused",
        [{"decision": "contact", "template": "card_refused"}],
    ),
    "demand-for-our-own-failure": (
        "32:9 held",
        "debit_failed_cause in ('",
        [{"decision": "hold", "reason": "our_failure", "rule": None}],
    ),
    "mail-only": ("39:54 no_way", "[email]", [{"decision": "task", "reason": "no_text_channel"}]),
    "waits-forever": (
        "32:9 waits_forever",
        "texts_since_arrears >= 1",
        [{"decision": "wait", "reason": "patience", "rule": "wait-for-an-answer"}],
    ),
    "limit-above-the-law": ("40:28 limit_above_cap", "5", [{"decision": "wait", "reason": "cap"}]),
    "no-cooldown": ("40:46 cooldown_below_cap", "0", [{"decision": "wait", "reason": "cap"}]),
    "every-below-cooldown": (
        "38:12 every_below_cooldown",
        "2 days",
        [{"decision": "wait", "reason": "cooldown", "rule": "later"}],
    ),
    "every-above-the-limit": (
        "38:12 every_above_limit",
        "3 days",
        [{"decision": "wait", "reason": "cap", "rule": "later"}],
    ),
    "silent-limit": ("41:28 limit_silences", "0", [{"decision": "wait", "reason": "cap"}]),
    "ceiling-for-nobody": (
        "42:10 never_ceiling",
        "bucket = 'M1' and days_p",
        [{"decision": "contact"}],
    ),
    "case-for-nobody": (
        "8:12 never_case",
        "score_band = 'low_risk'",
        [{"decision": "contact", "score_band": "low_risk"}],
    ),
    "for-nobody": ("4:6 never_for", "days_past_due = 0 and da", [{"rule": None}]),
    "call-every-day": (
        "33:12 asked_daily",
        "1 day",
        [{"decision": "task", "task_kind": "call", "rule": "ring"}],
    ),
    "call-for-a-region": (
        "40:11 call_by_origin",
        "{kind: call",
        [{"decision": "task", "task_kind": "call"}, {"decision": "contact", "rule": "later"}],
    ),
    "call-to-a-changed-number": (
        "24:11 doubted_demand",
        "{kind: call",
        [{"decision": "task", "task_kind": "call", "rule": "did-not-arrive"}],
    ),
    "care-every-day": (
        "33:12 asked_daily",
        "1 day",
        [{"decision": "task", "task_kind": "care", "rule": "how-are-you"}],
    ),
    "verify-every-day": (
        "33:12 asked_daily",
        "1 day",
        [{"decision": "task", "task_kind": "verify_contact", "rule": "check-number"}],
    ),
    "demand-after-a-broken-plan": (
        "34:11 plan_demand",
        "{template: first_late",
        [{"decision": "contact", "template": "first_late"}],
    ),
    "demand-after-hardship": (
        "28:11 hardship_demand",
        "{template: first_late",
        [{"decision": "contact", "template": "first_late"}],
    ),
    "demand-to-a-changed-number": (
        "29:11 doubted_demand",
        "{template: first_late",
        [{"decision": "contact", "template": "first_late"}],
    ),
    "serious-by-lot": ("39:37 serious_by_arm", "serious", _SERIOUS_FIRST),
    "serious-for-a-language": ("39:37 serious_by_origin", "serious", _SERIOUS_FIRST),
    "serious-for-a-region": ("39:37 serious_by_origin", "serious", _SERIOUS_FIRST),
    "serious-for-the-poor": ("39:37 serious_by_origin", "serious", _SERIOUS_FIRST),
    "sooner-for-the-poor": (
        "5:3 sooner_by_origin",
        "default: after_grace + 4",
        [{"decision": "contact"}, {"decision": "wait", "reason": "patience"}],
    ),
    "call-a-stranger": (
        "49:36 reply_asked",
        "{kind: call}",
        [{"decision": "blocked", "reason": "identity_dispute", "rule": None}],
    ),
    "call-on-a-broken-promise": (
        "48:32 promise_demand",
        "{kind: call, script: you_promised}",
        [{"decision": "task", "task_kind": "ask_why", "rule": "ask-why"}],
    ),
    "dispute-as-a-plan": (
        "42:5 reply_ignored",
        "{on: reply dispute, hold: plan",
        [{"decision": "contact", "rule": "first"}],
    ),
    "call-who-opted-out": (
        "48:31 reply_asked",
        "{kind: ask_why}",
        [{"decision": "blocked", "reason": "opt_out"}],
    ),
    "calls-without-end": (
        "39:11 calls_pile_up",
        "{kind: call",
        [{"decision": "task", "task_kind": "call", "rule": "ring"}],
    ),
    "call-as-first-word": (
        "34:11 call_first",
        "{kind: call",
        [{"decision": "task", "task_kind": "call", "rule": "ring"}],
    ),
    "nag-before-due": (
        "40:11 notice_early",
        "{template: due_soon",
        [{"decision": "contact", "template": "due_soon"}],
    ),
    "oftener-for-the-poor": (
        "38:12 oftener_by_origin",
        "4 days",
        [{"decision": "contact", "rule": "poor"}, {"decision": "wait", "rule": "later"}],
    ),
    "serious-by-channel": ("39:37 serious_by_origin", "serious", _SERIOUS_FIRST),
}


def stands_at(one: Diagnostic) -> str:
    """Return what stands at the place of a diagnostic; every one of them has a column."""
    assert one.line
    assert one.column
    return (
        Path(one.file).read_text(encoding="utf-8").split("\n")[one.line - 1][int(one.column) - 1 :]
    )


@pytest.mark.parametrize("name", BAD_POLICIES)
def test_a_bad_policy_is_refuted_by_a_borrower_whom_the_real_plan_treats_so(
    name: str, tmp_path: Path
) -> None:
    path = BAD / f"{name}.yaml"
    expected, token, decisions = BAD_POLICIES[name]
    proof = proved(path)
    found = [case.diagnostic for case in proof.cases]
    assert [f"{one.line}:{one.column} {one.code}" for one in found] == [expected]
    assert {one.file for one in found} == {str(path)}
    assert stands_at(found[0]).startswith(token)
    (case,) = proof.cases
    assert case.realized
    assert len(case.people) == (len(decisions) or 1)
    book, out = tmp_path / "book", tmp_path / "plan"
    write_book(book, [one.tables for one in case.people], moment())
    made = []
    if decisions:
        plan = decided(book, out, path)
        made = [plan[one.loan_id] for one in case.people]
    else:
        with pytest.raises(DulyError, match="report_on is not after as_of"):
            decided(book, out, path)
        assert not out.exists()
    for row, wanted in zip(made, decisions, strict=True):
        assert {key: row[key] for key in wanted} == wanted
    for locale in ("en", "zh-CN"):
        assert "{" not in case.diagnostic.render(locale)
        lines = told(case, moment(), locale)
        assert "{" not in "".join(lines)
        assert any("2026-03-10" in line for line in lines)
    assert as_data(case, moment(), "en")[0]["features"] == dict(case.people[0].values.features)


def test_every_bad_policy_is_refuted_here_and_each_says_why_it_harms() -> None:
    files = {path.stem: path.read_text(encoding="utf-8") for path in BAD.glob("*.yaml")}
    assert set(files) == {*BAD_POLICIES, "skip-only-closed"}
    assert len(files) >= 40
    for name, text in files.items():
        assert text.startswith("# "), name
        assert f"\npolicy: {name}\n" in text


def test_skipping_only_closed_cases_asks_for_money_whatever_happened(tmp_path: Path) -> None:
    """It answers every reply as it should; whom it presses has not replied at all."""
    path = BAD / "skip-only-closed.yaml"
    proof = proved(path)
    found = [case.diagnostic for case in proof.cases]
    assert [one.code for one in found] == [
        "doubted_demand", "hardship_demand", "plan_demand", "promise_demand", "security_demand",
    ]  # fmt: skip
    assert {(one.line, one.column) for one in found} == {(12, "11")}
    assert stands_at(found[0]).startswith("{template: overdue")
    assert all(case.realized for case in proof.cases)
    people = [one for case in proof.cases for one in case.people]
    assert len(people) == len({one.loan_id for one in people}) == len(proof.cases)
    write_book(tmp_path / "book", [one.tables for one in people], moment())
    plan = decided(tmp_path / "book", tmp_path / "plan", path)
    for one in people:
        assert plan[one.loan_id]["decision"] == "contact"
        assert plan[one.loan_id]["template"] == "overdue"


def test_without_responses_it_ignores_everybody_who_objects(tmp_path: Path) -> None:
    text = (BAD / "skip-only-closed.yaml").read_text(encoding="utf-8")
    path = tmp_path / "silent.yaml"
    path.write_text(text[: text.index("responses:")], encoding="utf-8")
    (case,) = [one for one in proved(path).cases if one.diagnostic.code == "reply_ignored"]
    assert case.diagnostic.values["replies"] == (
        "dispute, fraud, hardship, complaint, paid_already, promise"
    )
    (one,) = case.people
    replies = [row for row in one.tables["contacts"] if row["direction"] == "in"]
    assert len(replies) == 1


def test_a_response_to_what_nobody_hears_is_noted(tmp_path: Path) -> None:
    text = (BAD / "skip-only-closed.yaml").read_text(encoding="utf-8")
    path = tmp_path / "refusal.yaml"
    path.write_text(text + "  - {on: reply refusal, hold: complaint}\n", encoding="utf-8")
    (note,) = [one for one in proved(path).notes if one.code == "not_heard"]
    assert (note.severity, note.line, note.column) == ("warning", 25, "10")
    assert stands_at(note).startswith("reply refusal")


@pytest.mark.parametrize(
    ("lines", "replies"),
    [
        (
            ["{on: reply dispute, hold: payment_pending}", "{on: reply dispute, hold: dispute}"],
            None,
        ),
        (["{on: reply dispute, task: {kind: review}}", "{on: reply dispute, hold: dispute}"], None),
        (["{on: reply dispute, hold: promise}"], "dispute"),
        (["{on: reply question, hold: dispute}"], "dispute"),
    ],
)
def test_a_response_is_credited_with_what_is_done_of_it(
    lines: list[str], replies: str | None, tmp_path: Path
) -> None:
    text = (BAD / "skip-only-closed.yaml").read_text(encoding="utf-8")
    one = "  - {on: reply dispute, hold: dispute, task: {kind: review}}\n"
    assert text.count(one) == 1
    path = tmp_path / "policy.yaml"
    path.write_text(text.replace(one, "".join(f"  - {line}\n" for line in lines)), "utf-8")
    found = {
        case.diagnostic.code: case.diagnostic.values
        for case in proved(path).cases
        if case.diagnostic.code.startswith("reply_")
    }
    assert found.get("reply_ignored", {}).get("replies") == replies
    assert set(found) <= {"reply_ignored"}


def test_the_one_who_is_less_late_differs_in_lateness_alone() -> None:
    (case,) = proved(BAD / "softer-with-days.yaml").cases
    less, more = (one.values.features for one in case.people)
    apart = {name for name in less if less[name] != more[name]}
    assert apart == {"days_delinquent"}
    assert less["days_delinquent"] == 30
    assert int(str(more["days_delinquent"])) > 30


def test_a_timeline_tells_what_happened_before_and_after_in_order() -> None:
    (case,) = proved(BAD / "dispute-that-lapses.yaml").cases
    lines = [line.strip() for line in told(case, moment(), "en")]
    order = [next(place for place, line in enumerate(lines) if part in line) for part in (
        "falls due", "the borrower replies", "signal: payment on its way", "the plan decides",
    )]  # fmt: skip
    assert order == sorted(order)
    assert "D-4 (2026-03-06)  signal: payment on its way" in lines
    assert "Decided again by the real plan: it does the same." in lines
