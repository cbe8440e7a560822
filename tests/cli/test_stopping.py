"""A run that stops half way leaves no half-written output, and the next run works."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from duly.cli import main, settings
from duly.core.words import say

AT = "2026-03-10T09:00:00+08:00"
_LONGEST = 60.0  #: seconds


def _start(environment, sample, out, **more):
    def hears() -> None:
        """Hear an interrupt also where the tests run in the background, which ignores it."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    return subprocess.Popen(
        [sys.executable, "-m", "duly.cli.main", "plan", str(sample), "--at", AT, "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        **{"preexec_fn": hears} | more,
    )  # fmt: skip


def _wait_for_half(folder: Path) -> None:
    """Wait until something is being written into the folder."""
    until = time.monotonic() + _LONGEST
    while not any(folder.glob(".plan.half-*/*")):
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_asked_to_stop_takes_back_what_is_half_done(environment, sample, tmp_path, number):
    process = _start(environment, sample, tmp_path / "plan")
    _wait_for_half(tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=_LONGEST)
    assert (process.returncode, out, err) == (128 + number, "", "Stopped; nothing was written\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_the_engine_tells_as_its_own_error_ends_the_same(monkeypatch, capsys, number):
    def interrupted(*_: object) -> None:
        if number == signal.SIGTERM:
            with pytest.raises(main.Stopped):
                main._stop(number, None)
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(main, "_asked", [])
    monkeypatch.setattr("duly.book.check", interrupted)
    assert main.run(["check", "book"]) == 128 + number
    assert capsys.readouterr().err == say("cli", "interrupted", settings.locale()) + "\n"


def test_kernels_that_may_be_kept_nowhere_are_compiled_and_not_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("DULY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DULY_KERNELS_NOT_KEPT", "")  # So that it is put back afterwards.
    monkeypatch.delenv("DULY_KERNELS_NOT_KEPT")
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    main.prepare()
    assert os.environ["DULY_KERNELS_NOT_KEPT"] == "1"
    assert "NUMBA_CACHE_DIR" not in os.environ
    asked = "from duly.position import arrays; print(arrays._OPTIONS['cache'])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_another_error_of_a_command_is_not_taken_for_a_signal(monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("duly.book.check", broken)
    with pytest.raises(RuntimeError, match="broken"):
        main.run(["check", "book"])


def test_who_is_killed_leaves_no_plan_and_the_next_run_sweeps(environment, duly, sample, tmp_path):
    process = _start(environment, sample, tmp_path / "plan")
    _wait_for_half(tmp_path)
    process.kill()
    process.communicate(timeout=_LONGEST)
    assert not (tmp_path / "plan").exists()
    assert len(list(tmp_path.iterdir())) == 1
    assert duly("plan", sample, "--at", AT, "--out", tmp_path / "plan").returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_who_is_killed_leaves_an_earlier_plan_whole(environment, duly, sample, plan_dir, tmp_path):
    shutil.copytree(plan_dir, tmp_path / "plan")
    process = _start(environment, sample, tmp_path / "plan")
    _wait_for_half(tmp_path)
    process.kill()
    process.communicate(timeout=_LONGEST)
    assert (tmp_path / "plan" / "run.json").read_bytes() == (plan_dir / "run.json").read_bytes()


#: Bytes a file may have: the book's copy fails early, the tables of the plan late.
@pytest.mark.parametrize("limit", [4_000, 60_000])
def test_a_disk_that_is_full_is_told_and_nothing_is_left(environment, sample, tmp_path, limit):
    def narrow() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = _start(environment, sample, tmp_path / "plan", preexec_fn=narrow)
    out, err = process.communicate(timeout=_LONGEST)
    assert (process.returncode, out) == (2, "")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
