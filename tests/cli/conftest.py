"""Fixtures of the end-to-end tests: the command line as a process, one sample book, one plan."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from command_forks import READ_LATE, Forks

from duly.simulate import write_sample

AT = "2026-03-10T09:00:00+08:00"
Ran = subprocess.CompletedProcess[str]
Duly = Callable[..., Ran]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give the environment of the processes: nothing of the machine's language or settings."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: os.environ[name] for name in ("PATH", "NUMBA_CACHE_DIR") if name in os.environ}
    # A key is there already, so that no run has to say that it made one.
    (home / "duly").mkdir()
    (home / "duly" / "secret_keys").write_text("k1:" + "5a" * 32 + "\n", encoding="utf-8")
    return {**kept, "HOME": str(home), "DULY_HOME": str(home / "duly"), "PYTHONUTF8": "1"}


@pytest.fixture(scope="session")
def forks(environment: Mapping[str, str]) -> Iterator[Forks]:
    """Give the process that has imported everything, and forks for each command line."""
    beside = Forks(environment)
    yield beside
    beside.close()


@pytest.fixture(scope="session")
def duly(environment: Mapping[str, str], forks: Forks) -> Duly:
    """Give the function that runs one command line as a process of its own."""

    def run(*tokens: object, cwd: Path | None = None, **extra: str) -> Ran:
        if extra.keys() <= READ_LATE:
            return forks.run([*map(str, tokens)], cwd, extra)
        return subprocess.run(
            [sys.executable, "-m", "duly.cli.main", *map(str, tokens)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8",
            errors="replace", timeout=300, cwd=cwd, env={**environment, **extra}, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the sample book: 600 loans, six rows that are bad on purpose."""
    folder = tmp_path_factory.mktemp("sample") / "book"
    write_sample(folder, loans=600)
    return folder


@pytest.fixture(scope="session")
def planned(duly: Duly, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Give the run of `duly plan` on the sample; its `plan` lies where `plan_dir` says."""
    out = tmp_path_factory.mktemp("planned") / "plan"
    ran = duly("plan", sample, "--at", AT, "--out", out)
    ran.args.append(out)
    return ran


@pytest.fixture(scope="session")
def plan_dir(planned: Ran) -> Path:
    """Give the directory of the session's plan."""
    found = planned.args[-1]
    assert isinstance(found, Path)
    return found


@pytest.fixture
def at_home(duly: Duly, tmp_path: Path) -> Iterator[Duly]:
    """Give a function that runs commands at a home of the test's own; its server is stopped."""
    settings = {"DULY_HOME": str(tmp_path / "home"), "DULY_SECRET_KEYS": "k1:" + "5a" * 32}

    def run(*words: object, **more: str) -> Ran:
        return duly(*words, **settings, **more)

    yield run
    run("db", "stop")
