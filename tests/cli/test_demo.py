"""`duly demo`: the whole job, from any directory, in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

WORDS = {
    "en": ("What happens to each loan today", "Three of the ", "One decision explained", "09:"),
    "zh-CN": ("今天对每笔借款做什么", "条消息中的三条", "一个决定的解释", "09:"),
}


@pytest.mark.parametrize("locale", WORDS)
def test_it_tells_a_person_what_happens_and_where_the_report_lies(duly, tmp_path, locale):
    ran = duly("demo", "--locale", locale, cwd=tmp_path, DULY_HOME="")
    assert ran.returncode == 0, ran.stderr
    assert [word for word in WORDS[locale] if word not in ran.stdout] == []
    assert "\x1b" not in ran.stdout
    report = tmp_path / ".duly" / "demo" / "report.html"
    assert str(report) in ran.stdout
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == [".duly"]


def test_it_runs_again_over_its_own_directory(duly, tmp_path):
    for _ in range(2):
        assert duly("demo", "--out", tmp_path / "demo").returncode == 0
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {
        ".duly-demo", "book", "plan", "positions", "report.html",
    }  # fmt: skip


def test_both_faces_are_filled_and_people_get_their_keys_once(duly, tmp_path, environment):
    folder = tmp_path / "demo"
    home = {"DULY_HOME": str(folder / "home")}
    try:
        first, again = (duly("demo", "--faces", "--out", folder, "--locale", "en")
                        for _ in range(2))  # fmt: skip
        assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
        told = [re.findall(r"password (\S+), recovery code (\S+)", one.stdout)
                for one in (first, again)]  # fmt: skip
        assert [len(one) for one in told] == [3, 3]
        assert not {*told[0]} & {*told[1]}  # Who lost them gets new ones.
        assert f"DULY_HOME={folder / 'home'} duly serve --lender" in first.stdout
        people = json.loads(duly("staff", "list", "--json", **home).stdout)
        assert [one["name"] for one in people] == ["demo.admin", "demo.agent", "demo.compliance"]
        standing = json.loads(duly("status", "--json", **home).stdout)
        states = standing["states"]
        # The demo loads its plan; a worker sends it.
        assert (states["released"] > 0, states["delivered"]) == (True, 0)
    finally:
        duly("db", "stop", **home)
    # The lender's own home knows nothing of it.
    assert not (Path(environment["DULY_HOME"]) / "pg").exists()
