"""The READMEs are true: their books are planned, and what they print is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SESSION = re.compile(r"```\n(\$ .*?)```", flags=re.DOTALL)


@pytest.mark.parametrize(("name", "locale"), [("README.md", "en"), ("README.zh-CN.md", "zh-CN")])
def test_its_commands_print_what_it_shows(environment, tmp_path, name, locale):
    page = (ROOT / name).read_text(encoding="utf-8")
    (tmp_path / "book").mkdir()
    for table, rows in re.findall(r"`(\w+\.csv)`[^\n]*\n```\n(.*?)```", page, flags=re.DOTALL):
        (tmp_path / "book" / table).write_text(rows, encoding="utf-8")
    lines = "\n".join(_SESSION.findall(page)).split("\n")
    script = [line.removeprefix("$ ") for line in lines if line.startswith(("$ ", "    >"))]
    duly = f'duly() {{ "{sys.executable}" -m duly.cli.main "$@"; }}'
    ran = subprocess.run(
        ["bash", "-e", "-c", "\n".join([duly, *script])], cwd=tmp_path, capture_output=True,
        text=True, encoding="utf-8", env={**environment, "DULY_LOCALE": locale}, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    shown = " ".join(ran.stdout.split())
    told = [" ".join(line.split()) for line in lines if not line.startswith(("$ ", "    >"))]
    whole = [line for line in told if line and "…" not in line and "……" not in line]
    assert [line for line in whole if line not in shown] == []


def test_every_link_of_the_documents_leads_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    lost = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert lost == []
