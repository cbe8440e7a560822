"""The law on the terminal: a lender's own pack, one entry of the rulebook, what is not read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PACK = """\
pack: mine
rules:
  - id: MY-HOURS-1
    force: policy
    source: {text: Our own promise, clause: none, confidence: [policy]}
    in_force: {from: 2026-01-01}
    says: {en: Not before nine., zh-CN: 九点前不联系。}
    window: {open: "09:00", close: "18:00", zone: local, channels: all}
    cases:
      - {given: {at: "2026-03-10T09:00:00+08:00"}, then: allow}
      - {given: {at: "2026-03-10T08:59:59+08:00"}, then: {delay_until: "2026-03-10T09:00:00+08:00"}}
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text(PACK, encoding="utf-8")
    return file


class TestAPackOfOnesOwn:
    def test_it_is_tested_listed_and_shown_by_its_file(self, duly: Any, pack: Path) -> None:
        tested = duly("rules", "test", "--pack", str(pack))
        assert (tested.returncode, tested.stdout) == (0, "2 cases passed, 0 failed\n")
        rows = json.loads(duly("rules", "list", "--json", "--pack", str(pack)).stdout)
        assert [(row["id"], row["pack"], row["confidence"]) for row in rows] == [
            ("MY-HOURS-1", "mine", ["policy"])
        ]
        assert "Not before nine." in duly("rules", "show", "MY-HOURS-1", "--pack", str(pack)).stdout

    def test_a_case_that_fails_names_its_line_and_exits_1(self, duly: Any, pack: Path) -> None:
        pack.write_text(PACK.replace('open: "09:00"', 'open: "09:30"'), encoding="utf-8")
        ran = duly("rules", "test", "--pack", str(pack))
        assert (ran.returncode, ran.stdout) == (1, "0 cases passed, 2 failed\n")
        assert ran.stderr.splitlines()[0].startswith(
            f"{pack}:10 case_failed a case of MY-HOURS-1 expects: allow; the rule answers: delay"
        )
        told = json.loads(duly("rules", "test", "--json", "--pack", str(pack)).stdout)
        assert [(one["rule"], one["file"], one["line"]) for one in told["failed"]] == [
            ("MY-HOURS-1", str(pack), 10), ("MY-HOURS-1", str(pack), 11),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("data", "place"),
        [
            (PACK.replace("window:", "reserve:").encode(), ":8:5 unknown "),
            (PACK.replace("    force: policy\n", "").encode(), ":3:5 absent "),
            (PACK.encode().replace("九".encode(), b"\xbe\xc5"), ":7:41 not_utf8 "),
            (b"# " + b"x" * 3_000_000, " too_big "),
            (b"", ":1:1 empty "),
        ],
        ids=["primitive", "no force", "gbk", "3 MB", "empty"],
    )
    def test_a_bad_file_is_refused_at_its_place(
        self, duly: Any, pack: Path, data: bytes, place: str
    ) -> None:
        pack.write_bytes(data)
        for command in (("test",), ("list", "--json"), ("show", "MY-HOURS-1")):
            ran = duly("rules", *command, "--pack", str(pack))
            assert (ran.returncode, ran.stdout) == (2, "")
            assert f"{pack}{place}" in ran.stderr

    def test_the_mistakes_of_all_packs_are_told_at_once(self, duly: Any, tmp_path: Path) -> None:
        missing = tmp_path / "none.yaml"
        ran = duly("rules", "test", "--pack", str(missing), "--pack", "desency")
        assert ran.returncode == 2
        assert ran.stderr.splitlines() == [
            f"{missing} unreadable the file cannot be opened: No such file or directory",
            "unknown desency is not a known pack; did you mean decency?",
        ]

    def test_marks_of_windows_editors_are_read_over(self, duly: Any, pack: Path) -> None:
        pack.write_bytes(b"\xef\xbb\xbf" + PACK.replace("\n", "\r\n").encode())
        assert duly("rules", "test", "--pack", str(pack)).returncode == 0


class TestTheRulebook:
    def test_an_entry_that_another_rule_keeps_is_shown_with_its_cases(self, duly: Any) -> None:
        ran = duly("rules", "show", "CN-HOURS-3")
        assert ran.returncode == 0
        assert ran.stdout.startswith("CN-HOURS-3 · implemented\n")
        assert "Answered by: CN-HOURS-1." in ran.stdout
        assert ran.stdout.count("→") == 3

    @pytest.mark.parametrize(
        ("language", "first", "reason"),
        [
            ("en_US.UTF-8", "CN-OUTS-1 · not applicable", "Agencies are listed"),
            ("zh_CN.UTF-8", "CN-OUTS-1 · 不适用", "委托机构"),
        ],
    )
    def test_what_is_not_implemented_says_why(
        self, duly: Any, language: str, first: str, reason: str
    ) -> None:
        ran = duly("rules", "show", "CN-OUTS-1", LANG=language, DULY_LOCALE="", LC_ALL="")
        assert ran.stdout.splitlines()[0] == first
        assert reason in ran.stdout

    def test_the_report_names_each_entry_once_with_its_reason(self, duly: Any) -> None:
        told = json.loads(duly("rules", "coverage", "--json").stdout)
        assert sum(told["counts"].values()) == len(told["rules"]) == 115
        assert all(row["why"] for row in told["rules"])
        assert all(row["asked"] for row in told["rules"] if row["as"] == "implemented")

    def test_the_report_speaks_chinese(self, duly: Any) -> None:
        ran = duly("rules", "coverage", DULY_LOCALE="zh-CN")
        assert "CN-REC-3        仅靠配置" in ran.stdout
        assert not any(word in ran.stdout for word in ("implemented", "Asked", "configuration"))

    def test_the_list_says_how_each_rule_was_checked(self, duly: Any) -> None:
        line = next(
            line
            for line in duly("rules", "list", DULY_LOCALE="en").stdout.splitlines()
            if line.startswith("CN-RATE-3 ")
        )
        assert "memory+clause+ours" in line


@pytest.mark.parametrize("language", ["", "C", "th_TH.UTF-8", "zh_CN.UTF-8"])
def test_the_calendars_do_not_hang_on_the_language_of_the_terminal(
    duly: Any, language: str
) -> None:
    ran = duly("rules", "test", "--pack", "cn", LANG=language, LANGUAGE=language)
    assert ran.returncode == 0, ran.stderr
