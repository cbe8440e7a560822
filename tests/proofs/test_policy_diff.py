"""Goal: a diff says in words what changed and in loans who is moved, harm first. Method: changed
copies of the built-in policy; tables of decisions by hand; a generated book planned twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pyarrow as pa
import pytest

from duly.cli.main import run
from duly.policy import load
from duly.proofs.moved import HARM, LESS, moves
from duly.proofs.wording import changes
from duly.simulate import write_sample

BUILT_IN = (
    resources.files("duly.policy").joinpath("builtin", "cn-installment.yaml").read_text("utf-8")
)
AT = ["--at", "2026-03-10T09:00:00+08:00"]


def _policy(tmp_path: Path, *replaced: tuple[str, str]) -> Path:
    text = BUILT_IN
    for old, new in replaced:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path / "new.yaml"
    path.write_text(text, encoding="utf-8")
    return path


class TestWords:
    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("version: 1\n", "version: 2\n", ["version: 1 → 2"]),
            ('floor: "20.00"', 'floor: "50"', ["floor: 20.00 → 50.00"]),
            ("texts_per_7_days: 2", "texts_per_7_days: 3", ["texts_per_7_days: 2 → 3"]),
            ("cooldown_days: 2", "cooldown_days: 3", ["cooldown_days: 2 → 3"]),
            (
                "default: after_grace + 1 day, at most 8 days",
                "default: 5 days",
                ["first_contact: after_grace + 1 day, at most 8 days → 5 days"],
            ),
            (
                "  - {if: days_delinquent < 61, tone: plain}\n",
                "",
                ["ceiling gone: days_delinquent < 61 → plain"],
            ),
            (
                "  - {on: reply question, task: {kind: review, script: question}}\n",
                "",
                [
                    "harm: reply question no longer opens task review",
                    "response gone: reply question → task review, question, 3 d, normal",
                ],
            ),
            (
                "  - {on: reply dispute, hold: dispute, task: {kind: review, script: dispute}}\n",
                "  - {on: reply dispute, hold: payment_pending, task: {kind: call}}\n",
                [
                    "harm: reply dispute no longer opens hold dispute, task review",
                    "harm: reply dispute now brings task call",
                    "response gone: reply dispute → hold dispute;"
                    " task review, dispute, 3 d, normal",
                    "new response: reply dispute → hold payment_pending; task call, -, 3 d, normal",
                ],
            ),
            (
                "    if: days_delinquent >= 31 and long_arrears_plan_possible\n",
                "    if: days_delinquent >= 40 and long_arrears_plan_possible\n",
                [
                    "treatment plan-offer, if: days_delinquent >= 31 and long_arrears_plan_possible"
                    " → days_delinquent >= 40 and long_arrears_plan_possible"
                ],
            ),
            ("  - id: patient\n", "  - id: calm\n", [
                "treatment patient is gone",
                "new treatment calm, after patient-first-late",
            ]),
        ],
    )  # fmt: skip
    def test_each_part_is_told(
        self, old: str, new: str, expected: list[str], tmp_path: Path
    ) -> None:
        found = changes(load("cn-installment"), load(_policy(tmp_path, (old, new))))
        assert [one.sentence("en") for one in found] == expected
        for one in found:
            assert "{" not in one.sentence("zh-CN")

    def test_a_treatment_that_moved_is_told_by_what_it_follows_now(self, tmp_path: Path) -> None:
        step = BUILT_IN[BUILT_IN.index("  - id: credit-notice") : BUILT_IN.index("  - id: serious")]
        path = _policy(tmp_path, (step, ""), ("  - id: no-answer ", step + "  - id: no-answer "))
        found = changes(load("cn-installment"), load(path))
        assert [one.sentence("en") for one in found] == [
            "treatment credit-notice moved, now after plan-broken"
        ]

    def test_the_same_policy_has_no_changes(self) -> None:
        assert changes(load("cn-installment"), load("cn-installment")) == ()


_COLUMNS = ("loan_id", "borrower_id", "decision", "reason", "tone", "channel", "template",
            "task_kind")  # fmt: skip
_TEXT = ("contact", "overdue", "plain", "sms", "overdue", None)
_GENTLE = ("contact", "overdue", "gentle", "sms", "overdue", None)
_CALL = ("task", "no_answer", None, "voice", None, "call")
_REVIEW = ("task", "review", None, None, None, "review")
_CARE = ("task", "care_after_hardship", None, "voice", None, "care")
_VERIFY = ("task", "verify_contact", None, "voice", None, "verify_contact")


def _wait(reason: str) -> tuple[str | None, ...]:
    return ("wait", reason, None, None, None, None)


def _table(*rows: tuple[str | None, ...]) -> pa.Table:
    names = [f"L{number}" for number in range(len(rows))]
    return pa.table(
        {
            "loan_id": names,
            "borrower_id": [f"B{number}" for number in range(len(rows))],
            **{
                column: pa.array([row[place] for row in rows], pa.string())
                for place, column in enumerate(_COLUMNS[2:])
            },
        }
    )


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (_wait("step_done"), _TEXT, "text_more"),
        (("none", "nothing_due", None, None, None, None), _TEXT, "text_more"),
        (_wait("patience"), _TEXT, "text_earlier"),
        (_wait("grace"), _TEXT, "text_earlier"),
        (_wait("cooldown"), _CALL, "call_more"),
        (_TEXT, _CALL, "call_for_text"),
        (_GENTLE, _TEXT, "tone_harsher"),
        (_TEXT, _wait("cap"), "meets_cap"),
        (_wait("cooldown"), _wait("cap"), "meets_cap"),
        (_TEXT, _wait("cooldown"), "text_less"),
        (_CALL, _wait("cooldown"), "call_less"),
        (_CALL, _REVIEW, "care_gained"),
        (_TEXT, _VERIFY, "care_gained"),
        (_VERIFY, _TEXT, "care_lost"),
        (_CARE, _CALL, "care_lost"),
        (_REVIEW, _TEXT, "care_lost"),
        (_CARE, _VERIFY, "changed"),
        (_CARE, _wait("cooldown"), "call_less"),
        (_wait("cooldown"), _CARE, "call_more"),
        (_CALL, _TEXT, "text_for_call"),
        (_TEXT, _GENTLE, "tone_gentler"),
        (_wait("patience"), _wait("cooldown"), "changed"),
        (_wait("patience"), _REVIEW, "changed"),
    ],
)
def test_a_move_is_called_what_it_does(
    before: tuple[str | None, ...], after: tuple[str | None, ...], kind: str
) -> None:
    found = moves(_table(_TEXT, before), _table(_TEXT, after))
    assert (found.loans, found.moved) == (2, 1)
    (group,) = found.groups
    assert (group.kind, group.loan_ids, group.borrowers) == (kind, ("L1",), 1)
    (one,) = group.transitions
    assert (one.before, one.after, one.loans) == (before[:4], after[:4], 1)


def test_a_second_loan_in_a_message_that_goes_out_anyway_is_no_contact_more() -> None:
    before, after = _table(_TEXT, _wait("one_conversation")), _table(_TEXT, _TEXT)
    one_borrower = pa.array(["B0", "B0"])
    before, after = (table.set_column(1, "borrower_id", one_borrower) for table in (before, after))
    (group,) = moves(before, after).groups
    assert group.kind == "changed"


def test_who_changes_arms_is_told_in_words(tmp_path: Path) -> None:
    told = """
holdout: {share: 5 %}
experiments:
  - {id: tempo, where: days_past_due >= 1, arms: {a: 50 %, b: 50 %}, measure: paid_7d,
     stop_on: [complaints]}
"""
    made = []
    for name, shares in (("old", "a: 50 %, b: 50 %"), ("new", "a: 40 %, b: 60 %")):
        path = tmp_path / f"{name}.yaml"
        path.write_text(BUILT_IN + told.replace("a: 50 %, b: 50 %", shares), encoding="utf-8")
        made.append(load(path))
    words = [one.sentence("en") for one in changes(*made)]
    assert words[-1].startswith("10 % of the borrowers of tempo change their arm")
    assert "holdout: - → 5 %; holdout" in [
        one.sentence("en") for one in changes(load("cn-installment"), made[0])
    ]
    assert changes(made[0], made[0]) == ()


def test_harm_stands_before_what_is_less() -> None:
    before = _table(_TEXT, _wait("step_done"), _TEXT, _wait("grace"))
    after = _table(_wait("cooldown"), _TEXT, _wait("cap"), _wait("patience"))
    kinds = [group.kind for group in moves(before, after).groups]
    assert kinds == ["text_more", "meets_cap", "text_less", "changed"]
    assert set(HARM).isdisjoint(LESS)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "book"
    write_sample(folder, loans=300)
    return folder


#: Loans by the day on which their only unpaid installment fell due; the business date is 10 March.
_DUE = {"L1": "2026-03-09", "L2": "2026-03-09", "L3": "2026-02-18", "L4": "2026-03-25"}


@pytest.fixture
def few(tmp_path: Path, write_book: Callable[..., Path]) -> Path:
    """Give a book of four borrowers: two are a day late, one 20 days, one not at all."""
    loans = [{"loan_id": name, "borrower_id": f"B{name[1]}"} for name in _DUE]
    rows = [{"loan_id": name, "number": 1, "due_on": due} for name, due in _DUE.items()]
    points = [{"borrower_id": f"B{name[1]}"} for name in _DUE]
    book = write_book(tmp_path, {"loans": loans, "installments": rows, "contact_points": points})
    (book / "book.json").write_text('{"cut_at": "2026-03-10T00:00:00+08:00"}', encoding="utf-8")
    return book


class TestCommand:
    def test_the_same_policy_moves_nobody(
        self, book: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["policy", "diff", "cn-installment", "cn-installment", str(book), *AT]) == 0
        out = capsys.readouterr().out
        assert "In words: 0 changes" in out
        assert "In loans: 0 of 300 are decided otherwise" in out

    def test_less_patience_is_told_as_harm_with_every_loan(
        self, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        new = _policy(
            tmp_path,
            ("default: after_grace + 1 day, at most 8 days", "default: after_grace"),
            ("then: after_grace + 4 days, at most 8 days", "then: after_grace"),
        )
        command = ["policy", "diff", "cn-installment", str(new), str(few), *AT]
        assert run([*command, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        codes = [one["code"] for one in found["changes"]]
        assert codes == ["part", "case_removed", "case_added"]
        assert (found["business_date"], found["loans"], found["moved"]) == ("2026-03-10", 4, 2)
        (earlier,) = found["harm"]
        assert (earlier["kind"], earlier["loans"], earlier["borrowers"]) == ("text_earlier", 2, 2)
        assert earlier["loan_ids"] == ["L1", "L2"]
        (one,) = earlier["transitions"]
        assert one["from"] == {"decision": "wait", "reason": "patience", "tone": None,
                               "channel": None}  # fmt: skip
        assert (one["to"]["decision"], one["to"]["channel"], one["loans"]) == ("contact", "sms", 2)
        assert (found["less"], found["other"]) == ([], [])
        assert run(command) == 0
        page = capsys.readouterr().out
        assert "In loans: 2 of 4 are decided otherwise" in page
        assert "a message today that would have come later: 2 loans of 2 borrowers" in page
        assert page.index("Harm first") < page.index("a message today") < page.index("Less, or")
        assert "loans L1, L2" in page

    def test_a_snapshot_gives_the_same_as_its_book(
        self, book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        new = _policy(tmp_path, ("texts_per_7_days: 2", "texts_per_7_days: 1"))
        assert run(["snapshot", str(book), "--out", str(tmp_path / "snapshot")]) == 1
        capsys.readouterr()
        pages = []
        for source in (book, tmp_path / "snapshot"):
            command = ["policy", "diff", "cn-installment", str(new), str(source), *AT, "--json"]
            assert run(command) == 0
            pages.append(capsys.readouterr().out)
        assert pages[0] == pages[1]

    def test_a_policy_that_is_not_sound_is_refused(
        self, book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        new = _policy(tmp_path, ("texts_per_7_days: 2", "texts_per_7_days: 9"))
        assert run(["policy", "diff", "cn-installment", str(new), str(book), *AT]) == 2
        out = capsys.readouterr()
        assert out.out == ""
        assert "out_of_bounds" in out.err
