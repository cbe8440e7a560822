"""Goal: each bad policy is refuted for its own reason. Method: its only finding by code and place;
its borrowers as books of one, planned as the command plans them, do what the file's comment says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from proof_world import BAD, decided, moment, proved

from duly.core.errors import DulyError
from duly.proofs.rerun import write_book
from duly.proofs.story import as_data, told

Decision = dict[str, Any]
_PLAIN_FIRST = [
    {"decision": "contact", "tone": "plain"},
    {"decision": "contact", "tone": "gentle"},
]
_GENTLE_FIRST = list(reversed(_PLAIN_FIRST))
_NOBODY = [{"decision": "wait", "reason": "step_done", "rule": None}]

#: File → code at line:column, and what the real plan decides for each borrower of the refutation.
BAD_POLICIES: dict[str, tuple[str, list[Decision]]] = {
    "hole-in-days": ("7:3 hole", _NOBODY),
    "hole-where-unknown": ("7:3 hole_unknown", _NOBODY),
    "hole-in-an-arm": ("7:3 hole_arm", _NOBODY),
    "ladder-that-ends": ("19:9 ladder_ends", _NOBODY),
    "shadowed": ("24:9 shadowed", [{"decision": "contact", "rule": "later"}]),
    "never-holds": ("20:9 never_holds", [{"rule": "first"}]),
    "day-contradicts": ("20:15 day_contradicts", [{"rule": "first"}]),
    "softer-with-days": ("23:37 tone_not_monotone", _PLAIN_FIRST),
    "harsher-for-low-risk": ("23:37 tone_not_monotone", _PLAIN_FIRST),
    "harsher-after-a-promise": ("23:37 harsher_after_promise", _GENTLE_FIRST),
    "harsher-after-hardship": ("22:37 harsher_after_hardship", _GENTLE_FIRST),
    "harsher-after-a-reply": ("22:37 harsher_after_reply", _GENTLE_FIRST),
    "harsher-when-undelivered": ("23:37 harsher_after_undelivered", _GENTLE_FIRST),
    "call-in-grace": (
        "24:11 call_in_grace",
        [{"decision": "task", "task_kind": "call", "rule": "quick-call"}],
    ),
    "plain-before-due": (
        "23:38 tone_in_grace",
        [{"decision": "contact", "template": "due_soon", "tone": "plain"}],
    ),
    "serious-too-early": ("27:37 serious_early", [{"decision": "contact", "tone": "serious"}]),
    "serious-as-first-word": ("28:37 serious_first", [{"decision": "contact", "tone": "serious"}]),
    "demand-under-a-security-signal": (
        "17:11 security_demand",
        [{"decision": "contact", "template": "first_late"}],
    ),
    "skip-only-closed": ("3:1 reply_ignored", [{"decision": "contact", "rule": "later"}]),
    "dispute-that-lapses": ("31:31 reply_lapses", [{"decision": "contact", "rule": "first"}]),
    "call-on-hardship": (
        "32:48 reply_asked",
        [{"decision": "hold", "reason": "hardship", "rule": None}],
    ),
    "demand-after-a-broken-promise": (
        "17:11 promise_demand",
        [{"decision": "contact", "template": "first_late"}],
    ),
    "credit-threat": ("23:22 text_untrue", []),  # Without a report the text cannot be written.
    "refused-card-that-was-not": (
        "23:22 text_untrue",
        [{"decision": "contact", "template": "card_refused"}],
    ),
    "demand-for-our-own-failure": (
        "20:9 held",
        [{"decision": "hold", "reason": "our_failure", "rule": None}],
    ),
    "mail-only": ("27:54 no_way", [{"decision": "task", "reason": "no_text_channel"}]),
    "waits-forever": (
        "20:9 waits_forever",
        [{"decision": "wait", "reason": "patience", "rule": "wait-for-an-answer"}],
    ),
    "limit-above-the-law": ("28:28 limit_above_cap", [{"decision": "wait", "reason": "cap"}]),
    "no-cooldown": ("28:46 cooldown_below_cap", [{"decision": "wait", "reason": "cap"}]),
    "every-below-cooldown": (
        "26:12 every_below_cooldown",
        [{"decision": "wait", "reason": "cooldown", "rule": "later"}],
    ),
    "every-above-the-limit": (
        "26:12 every_above_limit",
        [{"decision": "wait", "reason": "cap", "rule": "later"}],
    ),
    "silent-limit": ("29:28 limit_silences", [{"decision": "wait", "reason": "cap"}]),
    "ceiling-for-nobody": ("30:10 never_ceiling", [{"decision": "contact"}]),
    "case-for-nobody": ("8:12 never_case", [{"decision": "contact", "score_band": "low_risk"}]),
    "for-nobody": ("4:6 never_for", [{"rule": None}]),
}


@pytest.mark.parametrize("name", BAD_POLICIES)
def test_a_bad_policy_is_refuted_by_a_borrower_whom_the_real_plan_treats_so(
    name: str, tmp_path: Path
) -> None:
    path = BAD / f"{name}.yaml"
    expected, decisions = BAD_POLICIES[name]
    proof = proved(path)
    found = [case.diagnostic for case in proof.cases]
    assert [f"{one.line}:{one.column} {one.code}" for one in found] == [expected]
    assert {one.file for one in found} == {str(path)}
    (case,) = proof.cases
    assert case.realized
    assert len(case.people) == (len(decisions) or 1)
    made = []
    for number, one in enumerate(case.people):
        write_book(tmp_path / f"book{number}", [one.tables], moment())
        if not decisions:
            with pytest.raises(DulyError, match="report_on is not after as_of"):
                decided(tmp_path / f"book{number}", tmp_path / "plan", path)
            assert not (tmp_path / "plan").exists()
            continue
        plan = decided(tmp_path / f"book{number}", tmp_path / f"plan{number}", path)
        made.append(plan[one.loan_id])
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
    assert set(files) == set(BAD_POLICIES)
    assert len(files) >= 24
    for name, text in files.items():
        assert text.startswith("# "), name
        assert f"\npolicy: {name}\n" in text


def test_skipping_only_closed_cases_writes_to_everybody_who_objected() -> None:
    (case,) = proved(BAD / "skip-only-closed.yaml").cases
    assert case.diagnostic.values["replies"] == (
        "dispute, fraud, hardship, complaint, paid_already, promise"
    )
    (one,) = case.people
    replies = [row for row in one.tables["contacts"] if row["direction"] == "in"]
    assert len(replies) == 1


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
