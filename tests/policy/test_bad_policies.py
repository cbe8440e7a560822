"""Goal: every mistake of a policy file is named at its line and column. Method: a right file, one
line of it replaced; the diagnostics expected, all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from duly.core.errors import Refused
from duly.policy import TREATMENTS_MAX, check, load

_TEMPLATES = """
    due_soon due_today first_late overdue card_refused returned_payment plan_offer credit_notice
    verify_security check_details receipt correction
"""
TEMPLATES = frozenset(_TEMPLATES.split())
RIGHT = """\
policy: mine
version: 3
for: product = 'installment'
floor: "20.00"
first_contact: {default: after_grace + 1 day}
treatments:
  - id: soon
    if: days_to_due = 3
    from_day: -3
    within_grace: true
    send: {template: due_soon, tone: gentle, channels: [preferred, sms]}
  - id: overdue
    if: days_past_due >= 1
    from_day: 1
    every: 10 days
    send: {template: overdue, tone: plain, channels: [sms]}
  - id: call
    if: texts_since_arrears >= 2
    from_day: 5
    task: {kind: call, script: no_answer, expires: 2 days, priority: first}
tone_ceiling:
  - {if: score_band = 'low_risk', tone: plain}
limits: {texts_per_7_days: 2, cooldown_days: 2}
responses:
  - {on: reply hardship, hold: hardship, task: {kind: care}}
experiments:
  - id: two-steps
    where: days_delinquent >= 1
    arms: {one: 50 %, two: 50 %}
    measure: cured_15d
    stop_on: [complaints]
"""

#: What to replace, with what; then each diagnostic as LINE:COLUMN code.
CASES: dict[str, tuple[str, str, list[str]]] = {
    "unknown key": ("floor:", "flor:", ["4:1 unknown_key"]),
    "missing key": ("version: 3\n", "", ["1:1 missing_key"]),
    "repeated key": ("version: 3", "version: 3\nversion: 4", ["3:1 duplicate_key"]),
    "key without value": ("version: 3", "version:", ["2:1 empty_value"]),
    "version no number": ("version: 3", "version: 3.1", ["2:10 not_whole"]),
    "version too small": ("version: 3", "version: 0", ["2:10 out_of_bounds"]),
    "name with capitals": ("policy: mine", "policy: Mine", ["1:9 bad_name"]),
    "floor with three decimals": ('"20.00"', "20.001", ["4:8 not_an_amount"]),
    "floor below zero": ('"20.00"', "-20.00", ["4:8 not_an_amount"]),
    "for with an unknown name": ("for: product", "for: produkt", ["3:6 unknown_name"]),
    "first contact in weeks": ("+ 1 day", "+ 1 week", ["5:26 not_an_offset"]),
    "first contact no mapping": ("{default: after_grace + 1 day}", "soon", ["5:16 not_a_mapping"]),
    "misspelled feature": ("days_to_due = 3", "day_to_due = 3", ["8:9 unknown_name"]),
    "unknown enum value": ("'low_risk'", "'low'", ["22:23 unknown_value"]),
    "days against text": ("days_past_due >= 1", "days_past_due >= '1'", ["13:9 kinds_differ"]),
    "a function": ("days_past_due >= 1", "abs(days_past_due) >= 1", ["13:9 function"]),
    "a broken condition": (
        "days_past_due >= 1",
        "days_past_due >= 1 and",
        ["13:28 syntax"],
    ),
    "mistake on the second line of a condition": (
        "days_past_due >= 1",
        "days_past_due >= 1\n      and lat_count_12m > 0",
        ["14:11 unknown_name"],
    ),
    "mistake in a folded condition": (
        "if: days_past_due >= 1",
        "if: >-\n      days_past_due >= 1\n      and lat_count_12m > 0",
        ["15:11 unknown_name"],
    ),
    "mistake in a quoted condition": (
        "if: days_past_due >= 1",
        "if: 'bucket = ''M9'''",
        ["13:19 unknown_value"],
    ),
    "condition too deep": (
        "days_past_due >= 1",
        "(" * 51 + "days_past_due >= 1" + ")" * 51,
        ["13:59 too_deep"],
    ),
    "two mistakes in one condition": (
        "days_past_due >= 1",
        "dayz >= 1 or zz = 2",
        ["13:9 unknown_name", "13:22 unknown_name"],
    ),
    "unknown template": ("template: overdue", "template: overdu", ["16:22 unknown_choice"]),
    "unknown tone": ("tone: plain, channels", "tone: harsh, channels", ["16:37 unknown_choice"]),
    "a text by voice": ("[sms]}", "[sms, voice]}", ["16:60 voice_is_no_text"]),
    "unknown channel": ("[sms]}", "[sms, fax]}", ["16:60 unknown_choice"]),
    "channel twice": ("[sms]}", "[sms, sms]}", ["16:60 duplicate"]),
    "no channel": ("[sms]}", "[]}", ["16:54 empty_list"]),
    "unknown task kind": ("kind: call,", "kind: cal,", ["20:18 unknown_choice"]),
    "expiry without unit": ("expires: 2 days", "expires: 2", ["20:52 not_days"]),
    "unknown priority": ("priority: first", "priority: high", ["20:70 unknown_choice"]),
    "days without unit": ("every: 10 days", "every: 10", ["15:12 not_days"]),
    "every zero days": ("every: 10 days", "every: 0 days", ["15:12 not_days"]),
    "flag in words": ("within_grace: true", "within_grace: yes", ["10:19 not_a_flag"]),
    "before due without within_grace": (
        "    within_grace: true\n",
        "",
        ["9:15 needs_within_grace"],
    ),
    "a demand within the grace": (
        "    from_day: 1\n",
        "    from_day: 1\n    within_grace: true\n",
        ["17:22 demand_in_grace"],
    ),
    "a treatment without an action": (
        "    task: {kind: call, script: no_answer, expires: 2 days, priority: first}\n",
        "",
        ["17:5 no_action"],
    ),
    "wait beside send": (
        "    every: 10 days",
        "    wait: {reason: patience, days: 3}",
        ["15:11 actions_exclude"],
    ),
    "unknown wait reason": (
        "task: {kind: call, script: no_answer, expires: 2 days, priority: first}",
        "wait: {reason: tired, days: 3}",
        ["20:20 unknown_choice"],
    ),
    "the same id": ("- id: call", "- id: overdue", ["17:9 duplicate_id"]),
    "the same condition": (
        "texts_since_arrears >= 2",
        "(days_past_due>=1)",
        ["18:9 unreachable"],
    ),
    "a treatment that is a word": (
        "tone_ceiling:",
        "  - call\ntone_ceiling:",
        ["21:5 not_a_mapping"],
    ),
    "treatments no list": (
        RIGHT[RIGHT.index("  - id: soon") : RIGHT.index("tone_ceiling")],
        "  soon: 1\n",
        ["7:3 not_a_list"],
    ),
    "ceiling without tone": (", tone: plain}\nlimits", "}\nlimits", ["22:5 missing_key"]),
    "limit too large": ("texts_per_7_days: 2", "texts_per_7_days: 8", ["23:28 out_of_bounds"]),
    "unknown event": ("on: reply hardship", "on: reply hardshi", ["25:10 unknown_choice"]),
    "response without action": (
        ", hold: hardship, task: {kind: care}",
        "",
        ["25:5 no_action"],
    ),
    "unknown hold": ("hold: hardship", "hold: forever", ["25:32 unknown_choice"]),
    "arms short of 100 %": ("two: 50 %", "two: 49.99 %", ["29:11 arms_sum"]),
    "an arm without unit": ("two: 50 %", "two: 50", ["29:28 not_a_share"]),
    "the same arm twice": ("two: 50 %", "one: 50 %", ["29:11 arms_sum", "29:23 duplicate_key"]),
    "unknown measure": ("measure: cured_15d", "measure: cured", ["30:14 unknown_choice"]),
    "an experiment on an arm": (
        "where: days_delinquent >= 1",
        "where: arm_two_steps = 'one'",
        ["28:12 unknown_name"],
    ),
    "an experiment on who somebody is": (
        "where: days_delinquent >= 1",
        "where: days_delinquent >= 1 and region = 'CN-11'",
        ["28:12 experiment_on_person"],
    ),
    "one arm alone": ("{one: 50 %, two: 50 %}", "{one: 100 %}", ["29:11 one_arm"]),
    "a control that is no arm": (
        "[complaints]",
        "[complaints]\n    control: ones",
        ["32:14 unknown_arm"],
    ),
    "an effect of nothing": (
        "[complaints]",
        "[complaints]\n    detect: 0 %",
        ["32:13 nothing_to_detect"],
    ),
    "an effect without unit": (
        "[complaints]",
        "[complaints]\n    detect: 2",
        ["32:13 not_a_share"],
    ),
    "two experiments with one salt": (
        "[complaints]\n",
        "[complaints]\n  - {id: other, where: days_past_due >= 1, arms: {a: 1 %, b: 99 %},\n"
        "     measure: paid_7d, stop_on: [hardship], salt: two-steps}\n",
        ["33:51 same_salt"],
    ),
    "an experiment named as the holdout": ("id: two-steps", "id: holdout", ["27:9 duplicate_id"]),
    "a holdout too large": (
        "version: 3",
        "version: 3\nholdout: {share: 10.01 %}",
        ["3:18 holdout_share"],
    ),
    "a holdout of nobody": (
        "version: 3",
        "version: 3\nholdout: {share: 0 %}",
        ["3:18 holdout_share"],
    ),
    "a holdout without share": (
        "version: 3",
        "version: 3\nholdout: {salt: x}",
        ["3:10 missing_key"],
    ),
    "a holdout misspelled": ("version: 3", "version: 3\nholdot: {share: 5 %}", ["3:1 unknown_key"]),
    "a holdout with an experiment's salt": (
        "version: 3",
        "version: 3\nholdout: {share: 5 %, salt: two-steps}",
        ["3:29 same_salt"],
    ),
    "not YAML": ("version: 3", "version: 3: 4", ["2:11 not_yaml"]),
    "a tab": ("version: 3", "\tversion: 3", ["2:1 not_yaml"]),
}


def _check(path: Path) -> list[str]:
    return [f"{one.line}:{one.column} {one.code}" for one in check(path, templates=TEMPLATES)]


def test_the_right_file_has_no_diagnostics(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(RIGHT, encoding="utf-8")
    assert _check(path) == []
    assert load(path, templates=TEMPLATES).version == 3


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_named_at_its_place(case: str, tmp_path: Path) -> None:
    old, new, expected = CASES[case]
    assert RIGHT.count(old) >= 1
    path = tmp_path / "policy.yaml"
    path.write_text(RIGHT.replace(old, new, 1), encoding="utf-8")
    assert _check(path) == expected
    with pytest.raises(Refused) as refused:
        load(path, templates=TEMPLATES)
    for one in refused.value.diagnostics:
        assert one.file == str(path)
        for locale in ("en", "zh-CN"):
            text = one.render(locale)
            assert text.startswith(f"{path}:{one.line}:{one.column} {one.code} ")
            assert "{" not in one.hint(locale)


def test_all_mistakes_of_a_file_are_gathered_in_its_order(tmp_path: Path) -> None:
    text = RIGHT
    for case in ("unknown key", "misspelled feature", "unknown tone", "arms short of 100 %"):
        text = text.replace(*CASES[case][:2], 1)
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    assert _check(path) == [
        "4:1 unknown_key",
        "8:9 unknown_name",
        "16:37 unknown_choice",
        "29:11 arms_sum",
    ]


def test_the_hint_says_what_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(RIGHT.replace("template: overdue", "template: overdu"), encoding="utf-8")
    (one,) = check(path, templates=TEMPLATES)
    assert one.render("en") == (
        f"{path}:16:22 unknown_choice 'overdu' is not known as template; did you mean overdue?"
    )
    assert one.hint("zh-CN") == "是不是 overdue?"


def test_a_template_is_any_name_where_the_known_ones_are_not_given(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(RIGHT.replace("template: overdue", "template: mine"), encoding="utf-8")
    assert check(path) == []


class TestFiles:
    def test_a_file_that_is_not_there_is_refused_with_the_names_that_are(self) -> None:
        (one,) = check("cn-installmnt")
        assert (one.code, one.file) == ("unreadable", "cn-installmnt")
        assert one.hint("en").endswith("did you mean cn-installment?")

    def test_a_directory_is_refused(self, tmp_path: Path) -> None:
        assert [one.code for one in check(tmp_path)] == ["unreadable"]

    @pytest.mark.parametrize(
        ("data", "code", "line"),
        [
            (b"policy: mine\nfor: '\xc9\xcf'\n", "not_utf8", 2),
            ("policy: mine\nfor: true  # \u202enothing\n".encode(), "turned", 2),
            (b"", "not_a_mapping", 1),
            (b"# nothing\n", "not_a_mapping", 1),
            (b"- a\n", "not_a_mapping", 1),
            (b"policy: [", "not_yaml", 1),
            (b"policy: *nobody\n", "not_yaml", 1),
            (b"a: 1\n---\nb: 2\n", "not_yaml", 2),
            (b"a: \x01\n", "not_yaml", 1),
            (b"a:\n" + b"[" * 900_000, "nested_too_deep", 2),
            (b"- " * 400_000, "nested_too_deep", 1),
            (b"#\n" * 2_000_001, "too_big", 2_000_001),
        ],
        ids=[
            "gbk",
            "turned",
            "empty",
            "remark",
            "list",
            "open",
            "alias",
            "two",
            "control",
            "deep",
            "deep list",
            "big",
        ],
    )
    def test_what_is_no_yaml_mapping_is_refused(
        self, data: bytes, code: str, line: int, tmp_path: Path
    ) -> None:
        path = tmp_path / "policy.yaml"
        path.write_bytes(data)
        assert [(one.code, one.line) for one in check(path)] == [(code, line)]

    def test_windows_line_ends_and_a_byte_order_mark_change_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "policy.yaml"
        path.write_bytes(b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode())
        assert check(path) == []

    def test_three_hundred_treatments_are_read_and_one_more_is_refused(
        self, tmp_path: Path
    ) -> None:
        head = RIGHT[: RIGHT.index("  - id: soon")]
        step = "  - {id: s%d, if: days_past_due = %d, from_day: 1, leave: {reason: left_alone}}\n"
        path = tmp_path / "policy.yaml"
        steps = "".join(step % (n, n) for n in range(TREATMENTS_MAX))
        path.write_text(head + steps, encoding="utf-8")
        assert check(path) == []
        path.write_text(head + steps + step % (300, 300), encoding="utf-8")
        assert _check(path) == ["307:5 too_many"]

    def test_ten_thousand_treatments_are_refused_where_the_three_hundred_and_first_begins(
        self, tmp_path: Path
    ) -> None:
        head = RIGHT[: RIGHT.index("  - id: soon")]
        step = (
            "  - id: step-%d\n    if: days_past_due = %d and score_band = 'low_risk'\n"
            "    from_day: 1\n    every: 10 days\n"
            "    send: {template: overdue, tone: plain, channels: [preferred, sms]}\n"
        )
        path = tmp_path / "policy.yaml"
        path.write_text(head + "".join(step % (n, n) for n in range(10_000)), encoding="utf-8")
        assert _check(path) == ["1507:5 too_many"]  # Six lines before, five a treatment.

    def test_a_condition_of_a_mebibyte_is_refused_where_it_begins(self, tmp_path: Path) -> None:
        long = "days_past_due >= 1 or " * 48_000 + "true"
        path = tmp_path / "policy.yaml"
        path.write_text(RIGHT.replace("if: days_past_due >= 1", f"if: {long}"), encoding="utf-8")
        assert _check(path) == ["13:9 too_long"]


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        (
            "days_past_due >= (select max(score) from loans)",
            ["13:27 not_allowed", "13:34 function"],
        ),
        ("days_past_due >= 1 union select 1", ["13:34 not_allowed"]),
        ("days_past_due >= 1; drop table loans", ["13:27 not_allowed"]),
        ("days_past_due >= 1 -- and false", ["13:28 comment"]),
        ("days_past_due >= 1 /* or */ and true", ["13:28 comment"]),
        ("pg_sleep(10) is null", ["13:9 function"]),
        ("read_csv(product) = 1", ["13:9 function"]),
        ("current_date = '2026-01-01'", ["13:9 function"]),
        ("days_past_due = $1", ["13:25 not_allowed"]),
    ],
)
def test_a_condition_that_tries_more_is_refused_where_it_does(
    tried: str, expected: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(RIGHT.replace("if: days_past_due >= 1", f"if: {tried}"), encoding="utf-8")
    assert _check(path) == expected
