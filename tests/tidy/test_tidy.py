"""The repository keeps its own rules: goal, each rule of the house that a reader can check.

Method: read every tracked file once; each rule returns its findings as `FILE:LINE what; instead`.
"""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = "src/duly/"

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 400
TEST_LINES_MAX = 600  #: Cases beside each other read better than split.
COLUMNS_MAX = 100
BLOB_BYTES_MAX = 1 << 20

BANNED_NAMES = {
    "utils": "the idea that the functions share",
    "helpers": "the idea that the functions share",
    "manager": "what it does, as a noun",
    "common": "the idea that the parts share",
    "misc": "one file for each thing",
}


@dataclass(frozen=True, kw_only=True)
class Ban:
    """Something nobody writes, where, and what to write instead."""

    pattern: str
    instead: str
    within: tuple[str, ...] = ("",)  #: beginnings of the paths it holds for
    without: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = (".py",)


BANS = (
    Ban(
        pattern=r"\bfloat\(",
        instead="int minor units or Decimal",
        within=tuple(SOURCE + name for name in ("core/", "book/", "position/", "rules/", "plan/")),
        without=(SOURCE + "plan/report/",),  # Positions of bars in a chart are no money.
    ),
    Ban(
        pattern=r"\bdatetime\.(now|utcnow|today)\(|\bdate\.today\(|\btime\.time\(",
        instead="an argument: only cli reads a clock",
        within=(SOURCE,),
        without=(SOURCE + "cli/",),
    ),
    Ban(
        pattern=r"^\s*(import random|from random import)\b",
        instead="md5(id, salt)",
        within=(SOURCE,),
        without=(SOURCE + "simulate/",),
    ),
    Ban(
        pattern=r"\bduckdb\.connect\(",
        instead="book.engine.connect(): the engine draws bars of its own",
        within=(SOURCE,),
        without=(SOURCE + "book/engine.py",),
    ),
    Ban(
        pattern=r"\bprint\(",
        instead="a returned value: only cli prints",
        within=(SOURCE,),
        without=(SOURCE + "cli/",),
    ),
    Ban(
        pattern="TO" + "DO|FIX" + "ME",
        instead="an issue, or the work itself",
        suffixes=(".py", ".sql", ".md", ".toml", ".yaml", ".html", ".js", ".css", "Makefile"),
    ),
    Ban(
        pattern=r"(?i)(?<![\w-])(simply|just)(?![\w-])",
        instead="nothing",
        suffixes=(".md",),
    ),
    Ban(
        pattern=r"(?<![\w.\-}])/(wo" + r"rk|ro" + r"ot|ho" + r"me)(?![\w-])",
        instead="a path relative to the repository, or an argument",
        suffixes=(".py", ".sql", ".md", ".toml", ".yaml", ".html", ".json", ".lock", "Makefile"),
    ),
    Ban(
        # The guide's intent keeps the spelling of the guide.
        pattern=r"(?i)\b(instalment(?!_request)|behaviour|colour|organis|recognis)",
        instead="American spelling",
        without=("GLOSSARY.md", "tests/tidy/"),  # They name the words not to use.
        suffixes=(".py", ".sql", ".md"),
    ),
)


@cache
def tracked() -> tuple[Path, ...]:
    """Return the tracked files that are there, relative to the repository."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("skipped: no git checkout")
    names = (Path(name) for name in done.stdout.decode().split("\0") if name)
    return tuple(name for name in names if (ROOT / name).is_file())


@cache
def text(name: Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tree(name: Path) -> ast.Module:
    return ast.parse(text(name), filename=str(name))


def with_suffix(*suffixes: str) -> Iterator[Path]:
    return (name for name in tracked() if name.name.endswith(suffixes))


@pytest.mark.parametrize("ban", BANS, ids=lambda ban: ban.instead)
def test_banned_words_do_not_occur(ban):
    found = []
    pattern = re.compile(ban.pattern)
    for name in with_suffix(*ban.suffixes):
        path = name.as_posix()
        if not path.startswith(ban.within) or (ban.without and path.startswith(ban.without)):
            continue
        for number, line in enumerate(_words(name), start=1):
            if pattern.search(line):
                found.append(f"{path}:{number} {line.strip()}; instead: {ban.instead}")
    assert found == []


_CODE = re.compile(r"```.*?```|`[^`\n]*`", flags=re.DOTALL)


def _words(name: Path) -> list[str]:
    """Return a file's lines; of Markdown without what stands between backticks."""
    content = text(name)
    if name.suffix == ".md":
        content = _CODE.sub(lambda match: "\n" * match[0].count("\n"), content)
    return content.split("\n")


def test_no_module_has_a_name_that_says_nothing():
    found = [
        f"{name}; instead: {BANNED_NAMES[part]}"
        for name in with_suffix(".py", ".sql")
        for part in (*name.parts[:-1], name.stem)
        if part in BANNED_NAMES
    ]
    assert found == []


def test_functions_have_seventy_lines_at_most():
    found = [
        f"{name}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for name in with_suffix(".py")
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert found == []


def test_modules_have_four_hundred_lines_at_most():
    found = [
        f"{name} has {lines} lines; instead: one file for each thing"
        for name in with_suffix(".py", ".sql")
        if (lines := text(name).count("\n"))
        > (TEST_LINES_MAX if name.parts[0] == "tests" else MODULE_LINES_MAX)
        and name.parent.name != "migrations"  # Django writes them, a table after the other.
    ]
    assert found == []


_PRAGMA = re.compile(r"\s+# (type: ignore|noqa).*$")


def test_lines_have_a_hundred_columns_at_most():
    found = [
        f"{name}:{number} has {len(line)} columns"
        for name in with_suffix(".py", ".sql")
        for number, line in enumerate(text(name).split("\n"), start=1)
        if len(_PRAGMA.sub("", line)) > COLUMNS_MAX
    ]
    assert found == []


def test_text_files_end_with_one_line_end_and_have_no_trailing_spaces():
    found = []
    for name in with_suffix(".py", ".sql", ".toml", ".yaml", ".md"):
        content = text(name)
        if content and (not content.endswith("\n") or content.endswith("\n\n")):
            found.append(f"{name} does not end with one line end")
        if re.search(r"[ \t]$", content, flags=re.MULTILINE) and name.suffix != ".md":
            found.append(f"{name} has trailing spaces")
    assert found == []


def test_no_file_is_larger_than_a_mebibyte():
    found = [
        f"{name} has {size} bytes; instead: a generator or a package"
        for name in tracked()
        if (size := (ROOT / name).stat().st_size) > BLOB_BYTES_MAX
    ]
    assert found == []


def test_every_catalogue_says_the_same_things_in_both_locales():
    found = []
    for name in with_suffix(".en.toml"):
        other = name.with_name(name.name.replace(".en.toml", ".zh-CN.toml"))
        if other not in tracked():
            found.append(f"{name} has no {other.name}")
            continue
        english, chinese = _entries(name), _entries(other)
        found.extend(f"{other} lacks {key}" for key in sorted(english.keys() - chinese.keys()))
        found.extend(f"{name} lacks {key}" for key in sorted(chinese.keys() - english.keys()))
        found.extend(
            f"{other} {key}: holes {_holes(chinese[key])}, in English {_holes(english[key])}"
            for key in sorted(english.keys() & chinese.keys())
            if _holes(english[key]) != _holes(chinese[key])
        )
    assert found == []


def test_every_catalogue_in_chinese_has_its_english():
    names = set(tracked())
    found = [
        str(name)
        for name in with_suffix(".zh-CN.toml")
        if name.with_name(name.name.replace(".zh-CN.toml", ".en.toml")) not in names
    ]
    assert found == []


def _entries(name: Path) -> Mapping[str, str]:
    def flat(prefix: str, table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
        for key, value in table.items():
            if isinstance(value, dict):
                yield from flat(f"{prefix}{key}.", value)
            else:
                yield prefix + key, str(value)

    return dict(flat("", tomllib.loads(text(name))))


def _holes(sentence: str) -> list[str]:
    return sorted(set(re.findall(r"\{(\w+)\}", sentence)))


def test_each_package_lists_its_public_names():
    found = []
    for name in with_suffix("__init__.py"):
        if not name.as_posix().startswith(SOURCE):
            continue
        public, listed = _public(tree(name)), _listed(tree(name))
        if public != listed:
            found.append(f"{name}: not listed {public - listed}, not there {listed - public}")
    assert found == []


def _public(module: ast.Module) -> set[str]:
    """Return the names a package defines or takes from its own modules."""
    names: set[str] = set()
    for node in module.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("duly"):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def _listed(module: ast.Module) -> set[str]:
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            assert isinstance(node, ast.Assign)
            return set(ast.literal_eval(node.value))
    return set()


def test_a_name_of_a_test_file_is_there_once_where_folders_are_no_packages():
    seen: dict[str, list[str]] = {}
    for name in with_suffix(".py"):
        package = (ROOT / name).parent / "__init__.py"
        if name.name.startswith("test_") and not package.exists():
            seen.setdefault(name.name, []).append(str(name))
    assert [names for names in seen.values() if len(names) > 1] == []
