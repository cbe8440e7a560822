"""Goal: the built-in policy is proved, and what is not proved is never said to be. Method: its
proof; products, answers that do not come, and borrowers whose books come out otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from proof_world import BAD, moment, proved, world

from duly.cli.main import run
from duly.policy import load, places_of
from duly.proofs import prove as proving
from duly.proofs import rerun
from duly.proofs.prove import prove
from duly.proofs.search import Answer, Asker
from duly.proofs.story import told

BUILT_IN = resources.files("duly.policy").joinpath("builtin", "cn-installment.yaml")
AT = ["--at", "2026-03-10T10:00:00+08:00"]


def test_the_built_in_policy_is_proved_and_each_step_shown_by_a_plan() -> None:
    proof = proved("cn-installment")
    assert proof.cases == ()
    assert proof.sound
    treatments = load("cn-installment").treatments
    # Late before and of low risk, in arrears: only far beyond a year, with interest alone due.
    assert [(one.code, one.values["id"]) for one in proof.notes] == [("not_shown", "patient")]
    assert proof.shown == len(treatments) - 1
    for claim in ("hole", "reached", "tone_not_monotone", "security_demand", "inductive"):
        assert claim in proof.claims


def test_an_arm_and_a_holdout_are_proved_with_the_policy(tmp_path: Path) -> None:
    """The example of docs/experiments.md, in the built-in policy."""
    page = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n", 1)[1].split("```", 1)[0]
    declared, step = example.split("treatments:\n  …\n")
    text = BUILT_IN.read_text(encoding="utf-8")
    assert text.count("  - id: first-late\n") == 1
    path = tmp_path / "policy.yaml"
    text = text.replace("  - id: first-late\n", f"{step}\n  - id: first-late\n")
    path.write_text(f"{text}\n{declared}", encoding="utf-8")
    proof = proved(path)
    assert proof.sound
    assert proof.shown == len(load(path).treatments) - 1
    assert "serious_by_arm" in proof.claims


def _changed(tmp_path: Path, old: str, new: str, base: str = "hole-in-days") -> Path:
    text = (BAD / f"{base}.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = tmp_path / "policy.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_a_product_of_two_features_is_refused_at_its_star(tmp_path: Path) -> None:
    old = "days_past_due <= 30 or days_past_due >= 61"
    path = _changed(tmp_path, old, "days_past_due >= 1 or score * days_past_due > 9")
    proof = proved(path)
    assert [
        (case.diagnostic.code, case.diagnostic.line, case.diagnostic.column) for case in proof.cases
    ] == [("not_linear", 37, "37")]
    assert path.read_text(encoding="utf-8").split("\n")[36][36] == "*"
    assert not proof.sound


def test_a_hole_that_is_closed_is_no_hole(tmp_path: Path) -> None:
    old = "days_past_due <= 30 or days_past_due >= 61"
    assert proved(_changed(tmp_path, old, "days_past_due >= 1")).sound


def test_who_must_be_left_alone_is_said_to_be(tmp_path: Path) -> None:
    last = (
        "  - {id: end, if: days_past_due >= 1, from_day: 1, leave: {reason: left_alone}}\nlimits:"
    )
    assert proved(_changed(tmp_path, "limits:", last)).sound


def test_what_the_solver_does_not_answer_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Asker.ask

    def silent(self: Asker, *wanted: Any, **more: Any) -> Answer:
        if len(self.states) == 2:
            return Answer(verdict="unanswered")
        return ask(self, *wanted, **more)

    monkeypatch.setattr(Asker, "ask", silent)
    around = world("cn-installment")
    proof = prove(around, places_of("cn-installment"), seconds=7)
    assert not proof.sound
    assert {case.diagnostic.code for case in proof.cases} == {"not_proved"}
    claims = {case.diagnostic.values["claim"] for case in proof.cases}
    assert "tone_not_monotone" in claims
    assert claims.isdisjoint(proof.claims)
    assert {case.diagnostic.values["seconds"] for case in proof.cases} == {"7"}


def test_a_borrower_whose_book_comes_out_otherwise_is_not_printed_as_real(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide = rerun.decide

    def otherwise(*given: Any) -> Any:
        found = dict(decide(*given))
        for loan, one in found.items():
            decision = {**one.decision, "decision": "none", "reason": "closed"}
            found[loan] = rerun.Outcome(decision=decision, features=one.features)
        return found

    monkeypatch.setattr(proving, "decide", otherwise)
    proof = proved(BAD / "hole-in-days.yaml")
    (case,) = proof.cases
    assert case.diagnostic.code == "hole"
    assert not case.realized
    assert told(case, moment(), "en")[-1].startswith("Not realized")
    assert told(case, moment(), "zh-CN")[-1].startswith("未能落实")


class TestCommand:
    def test_a_sound_policy_exits_0_and_says_how_long_it_took(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["policy", "check", "cn-installment", *AT]) == 0
        out = capsys.readouterr()
        assert out.out.startswith("cn-installment version 1: 24 treatments, sha256 ")
        assert "\nproved in " in out.out
        assert ":153:9 not_shown " in out.err

    def test_a_bad_policy_exits_1_with_place_code_hint_and_timeline(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        path = str(BAD / "mail-only.yaml")
        books = tmp_path / "books"
        assert run(["policy", "check", path, "--books", str(books), *AT]) == 1
        out = capsys.readouterr()
        assert out.out == ""
        lines = out.err.split("\n")
        assert lines[0].startswith(f"{path}:39:54 no_way later writes to a borrower")
        assert "; add the channel" in lines[0]
        assert any("the plan decides: task, no_text_channel" in line for line in lines)
        (book,) = books.iterdir()
        assert book.name.startswith("01-no_way-")
        assert (book / "loans.csv").is_file()
        assert run(["policy", "check", path, "--books", str(books), *AT]) == 2

    def test_json_holds_the_borrower_with_features_book_and_decision(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = str(BAD / "mail-only.yaml")
        assert run(["policy", "check", path, "--json", *AT]) == 1
        (found,) = json.loads(capsys.readouterr().out)
        assert (found["code"], found["line"], found["column"]) == ("no_way", 39, "54")
        assert found["realized"] is True
        (one,) = found["borrowers"]
        assert one["features"]["has_email"] is False
        assert one["decision"]["reason"] == "no_text_channel"
        assert one["book"]["contact_points"][0]["channel"] == "sms"

    def test_mistakes_of_the_file_come_before_any_proof(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        path = _changed(tmp_path, "days_past_due <= 30 or", "dayz <= 30 or")
        assert run(["policy", "check", str(path), *AT]) == 1
        assert ":37:9 unknown_name " in capsys.readouterr().err

    def test_what_cannot_be_read_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["policy", "check", "nothing.yaml", *AT]) == 2
        assert "unreadable" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["duly.plan.making", "duly.cli.main", "duly.cli.policy_diff"])
def test_no_other_command_imports_the_solver(module: str) -> None:
    script = f"import sys, {module}; sys.exit('z3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
