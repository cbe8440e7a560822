"""The reference pages in the repository are what the code says today."""

from __future__ import annotations

from pathlib import Path

import pytest

from duly.book.schema import TABLES
from duly.cli import reference
from duly.core.reasons import REASONS
from duly.core.words import catalogue
from duly.policy import FEATURES
from duly.rules import FACTS, Bar, Require, load_packs, pack_names

COMMITTED = Path(__file__).parents[2] / "docs" / "reference"


class TestPages:
    @pytest.mark.parametrize("name", sorted(reference.PAGES))
    def test_the_committed_page_is_the_generated_one(self, name: str) -> None:
        generated = reference.PAGES[name]()
        assert (COMMITTED / name).read_text(encoding="utf-8") == generated, "run: make docs"

    def test_no_other_page_lies_there(self) -> None:
        assert {path.name for path in COMMITTED.iterdir()} == set(reference.PAGES)

    def test_generating_twice_writes_the_same(self, tmp_path: Path) -> None:
        first = {path.name: path.read_bytes() for path in reference.generate(tmp_path / "a")}
        second = {path.name: path.read_bytes() for path in reference.generate(tmp_path / "b")}
        assert first == second

    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    def test_pages_do_not_depend_on_the_language_of_the_terminal(
        self, locale: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DULY_LOCALE", locale)
        committed = (COMMITTED / "command-line.md").read_text(encoding="utf-8")
        assert reference.command_line() == committed


class TestContents:
    def test_every_column_of_the_book_stands_there(self) -> None:
        page = reference.book()
        for table in TABLES.values():
            section = page.split(f"\n## {table.name} (")[1].split("\n## ")[0]
            shown = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
            assert shown == list(table.names)

    def test_words_of_the_book_have_no_column_that_is_gone(self) -> None:
        known = {f"table.{name}" for name in TABLES}
        known |= {f"{table.name}.{name}" for table in TABLES.values() for name in table.names}
        for locale in ("en", "zh-CN"):
            assert set(catalogue("reference", locale)) == known

    def test_every_name_of_a_condition_stands_there(self) -> None:
        in_policy, in_rule = reference.conditions().split("\n## In a rule")
        for name in FEATURES:
            assert f"| `{name}` |" in in_policy
        for name in FACTS:
            assert f"| `{name}` |" in in_rule

    def test_every_reason_stands_there(self) -> None:
        page = reference.reasons()
        for codes in REASONS.values():
            for code in codes:
                assert page.count(f"| `{code}` |") == 1

    def test_every_rule_stands_there(self) -> None:
        page = reference.rules()
        every = load_packs(pack_names())
        for rule in every:
            versions = sum(other.id == rule.id for other in every)
            assert page.count(f"### {rule.id}: ") == versions
            assert rule.says["zh-CN"] in page

    def test_every_reason_of_a_rule_is_a_documented_reason(self) -> None:
        documented = {code for codes in REASONS.values() for code in codes}
        for rule in load_packs(pack_names()):
            given: tuple[str, ...] = ()
            if isinstance(rule.primitive, Bar):
                given = tuple(check.reason for check in rule.primitive.checks)
            elif isinstance(rule.primitive, Require):
                given = (rule.primitive.check.reason,)
            assert set(given) <= documented, rule.id
