"""docs/start.md is true: on the README's book, its commands print what it shows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "start.md"
README = ROOT / "README.md"
BUILT_IN = ROOT / "src/duly/policy/builtin/cn-installment.yaml"
_SESSION = re.compile(r"```\n(\$ .*?)```", flags=re.DOTALL)
_SECONDS = re.compile(r"[0-9.]+ s\b")


@pytest.fixture
def place(tmp_path, environment):
    """Give a directory with the README's book, and the files that the page tells of."""
    page = README.read_text(encoding="utf-8")
    (tmp_path / "book").mkdir()
    for table, rows in re.findall(r"`(\w+\.csv)`[^\n]*\n```\n(.*?)```", page, flags=re.DOTALL):
        (tmp_path / "book" / table).write_text(rows, encoding="utf-8")
    lines = "\n".join(_SESSION.findall(page)).split("\n")
    made = [line.removeprefix("$ ") for line in lines if line.startswith(("$ ", "    >"))]
    script = [line for line in made if not line.startswith(("duly", "cut"))]
    subprocess.run(["bash", "-e", "-c", "\n".join(script)], cwd=tmp_path, check=True)
    lender = re.search(r"```\n(lender: .*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert lender
    (tmp_path / "lender.yaml").write_text(lender[1], encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(lender[1].replace("limits:", "limts:"), encoding="utf-8")
    return tmp_path


def change(place: Path, command: str, seen: list[str]) -> None:
    """Do what the page says in words before a command: take out, mistake, repair."""
    if command.startswith("duly check book --lender"):
        rows = (place / "book/payments.csv").read_text(encoding="utf-8").splitlines()
        (place / "book/payments.csv").write_text("\n".join(rows[:-1]) + "\n", encoding="utf-8")
    if command == "duly policy check ours.yaml":
        text = BUILT_IN.read_text(encoding="utf-8")
        if command not in seen:
            text = text.replace("overdue_total", "overdue_totl", 1)
        else:
            text = text.replace("policy: cn-installment", "policy: ours", 1)
        (place / "ours.yaml").write_text(text, encoding="utf-8")


def test_its_commands_print_what_it_shows(environment, place):
    shutil.copytree(ROOT / "src/duly/policy/builtin", place / "src/duly/policy/builtin")
    duly = f'duly() {{ "{sys.executable}" -m duly.cli.main "$@"; }}'
    seen: list[str] = []
    for session in _SESSION.findall(PAGE.read_text(encoding="utf-8")):
        for step in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
            command, _, told = step.partition("\n")
            command = command.partition("  ")[0]
            change(place, command, seen)
            ran = subprocess.run(
                ["bash", "-c", f"{duly}\n{command}"], cwd=place, capture_output=True, text=True,
                encoding="utf-8", env={**environment, "DULY_LOCALE": "en"}, check=False,
            )  # fmt: skip
            assert ran.returncode in (0, 1, 2), ran.stderr
            assert "Traceback" not in ran.stderr
            seen.append(command)
            if told.strip():
                printed = _SECONDS.sub("0 s", ran.stderr + ran.stdout)
                assert printed.strip() == _SECONDS.sub("0 s", told).strip()
    assert len(seen) == 11
