"""What a terminal, a pipe, a narrow encoding or a full disk get to see."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("duckdb", "pyarrow", "numba", "numpy", "sqlglot", "minijinja", "ruamel")


def _shell(environment, line, **extra):
    """Run a shell line in which `duly` is the command line under test."""
    command = line.replace("duly", f"{sys.executable} -m duly.cli.main")
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, env={**environment, **extra}, timeout=120, check=False,
    )  # fmt: skip


class TestReaders:
    @pytest.mark.parametrize(
        ("line", "code"),
        [("duly rules list --json | head -1", 0), ("duly --help | head -1", 0),
         ("duly check {book} --json | head -1", 1)],
    )  # fmt: skip
    def test_a_reader_who_leaves_changes_neither_words_nor_code(
        self, environment, sample, line, code
    ):
        ran = _shell(environment, line.format(book=sample))
        assert (ran.returncode, ran.stderr) == (code, "")
        assert ran.stdout.count("\n") == 1

    def test_a_closed_output_is_no_failure(self, environment):
        assert _shell(environment, "duly rules test >&-").returncode == 0

    def test_a_full_output_is_told(self, environment):
        ran = _shell(environment, "duly rules test >/dev/full")
        told = "The output could not be written: No space left on device\n"
        assert (ran.returncode, ran.stderr) == (2, told)

    def test_a_full_place_for_diagnostics_leaves_the_code(self, environment):
        assert _shell(environment, "duly chek 2>/dev/full").returncode == 2

    def test_nothing_moves_or_is_coloured_in_a_pipe(self, planned):
        assert "\x1b" not in planned.stdout + planned.stderr
        assert "\r" not in planned.stdout + planned.stderr


class TestLanguages:
    @pytest.mark.parametrize(
        ("variables", "says"),
        [
            ({"LC_ALL": "C"}, "Our own policy"),
            ({"LANG": "zh_CN.UTF-8"}, "自定准则"),
            ({"LANG": "xx_YY.UTF-8"}, "Our own policy"),
            ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "Our own policy"),
            ({"LANG": "C", "DULY_LOCALE": "zh-CN"}, "自定准则"),
        ],
    )
    def test_the_terminal_chooses_the_language(self, duly, variables, says):
        ran = duly("rules", "show", "CN-FREQ-3", **variables)
        assert ran.returncode == 0
        assert says.lower() in ran.stdout.lower()

    @pytest.mark.parametrize(
        "variables",
        [{"PYTHONIOENCODING": "ascii"},
         {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    )  # fmt: skip
    def test_a_narrow_encoding_gets_escapes_and_valid_json(self, duly, sample, variables):
        shown = duly("rules", "show", "CN-FREQ-3", **variables)
        assert shown.returncode == 0
        assert "\\u6c11\\u6cd5\\u5178" in shown.stdout
        checked = duly("check", sample, "--json", DULY_LOCALE="zh-CN", **variables)
        assert checked.returncode == 1
        assert checked.stdout.isascii()
        assert "时区" in json.loads(checked.stdout)["rows"][0]["message"]


class TestHelp:
    def test_help_loads_nothing_heavy(self, environment):
        script = (
            "import sys; from duly.cli.main import run; code = run(['--help']);"
            f"print(code, [name for name in {HEAVY} if name in sys.modules])"
        )
        ran = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=environment,
            check=True,
        )  # fmt: skip
        assert ran.stdout.splitlines()[-1] == "0 []"

    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    def test_every_command_has_help_with_an_example_of_itself(self, locale, monkeypatch, capsys):
        from duly.cli.main import COMMANDS, GROUPS, run

        monkeypatch.setenv("DULY_LOCALE", locale)
        names = [*COMMANDS, *(f"{group} {name}" for group in GROUPS for name in GROUPS[group])]
        for name in names:
            assert run([*name.split(), "--help"]) == 0
            assert f"duly {name}" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="skipped: no pseudo terminals")
def test_on_a_terminal_progress_shows_on_stderr_only(environment, sample):
    near, far = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "duly.cli.main", "check", str(sample), "--json"],
        stdout=subprocess.PIPE, stderr=far, env={**environment, "TERM": "xterm"},
    ) as process:  # fmt: skip
        out, _ = process.communicate(timeout=120)
        os.close(far)
        seen = os.read(near, 1 << 16).decode()
    os.close(near)
    assert process.returncode == 1
    assert "Checking the book" in seen
    assert b"\x1b" not in out
