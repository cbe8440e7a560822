"""Processes of the tests' own scripts: real ones, to be killed, that begin with all imported.

A process that has imported the scripts forks each of them: two seconds of importing every time
would be most of what the tests do. Who dies while importing has done nothing yet.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing import forkserver
from pathlib import Path

import pytest

SCRIPTS = ("crashing_worker", "crashing_daily", "paced_worker")
_CONTEXT = multiprocessing.get_context("forkserver")


class Forked:
    """One process that runs `main` of a script, its words in `sys.argv`."""

    def __init__(self, script: str, *words: object, env: Mapping[str, str] | None = None) -> None:
        assert script in SCRIPTS
        _begin()
        self._told = Path(tempfile.mkdtemp(prefix="duly-tests-"))
        self._said: dict[str, str] = {}
        self._process = _CONTEXT.Process(
            target=_run,
            args=(script, [str(one) for one in words], dict(env or os.environ), self._told),
        )
        self._process.start()

    def poll(self) -> int | None:
        """Return how the process ended, None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """End it without a word."""
        self._process.kill()

    def ends(self, timeout: float = 300) -> int:
        """Wait until the process is gone and return how it ended; a signal is below nought."""
        self._process.join(timeout)
        found = self._process.exitcode
        assert found is not None, "it runs still"
        if self._told.exists():
            self._said = {one.name: one.read_text("utf-8") for one in self._told.iterdir()}
            shutil.rmtree(self._told)
        return found

    def said(self, stream: str) -> str:
        """Return what it wrote to `out` or `err` before it ended."""
        return self._said[stream]


def _begin() -> None:
    """Let the process that forks import the scripts; a second call changes nothing."""
    _CONTEXT.set_forkserver_preload(list(SCRIPTS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        forkserver.ensure_running()


def _run(script: str, words: list[str], env: dict[str, str], told: Path) -> None:
    """Be the script: its output in files, its words and surroundings as given."""
    for name, number in (("out", 1), ("err", 2)):
        opened = os.open(told / name, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = [script, *words]
    importlib.import_module(script).main()
