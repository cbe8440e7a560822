"""Runs command lines as forks of one process that has imported all: a start costs no second.

A fork has its own environment, folder, output and exit code, as a process of its own has. What
Python reads at its start (languages, encodings, caches) asks for a fresh one: see `READ_LATE`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

#: Settings that a command reads while it runs; any other needs a process that starts with it.
READ_LATE = frozenset(
    {"DULY_HOME", "DULY_LOCALE", "DULY_LENDER", "DULY_PLANS", "DULY_DATABASE_URL",
     "DULY_SECRET_KEYS"}
)  # fmt: skip
_LONGEST_SECONDS = 300

Ran = subprocess.CompletedProcess[str]


class Forks:
    """The process that waits beside one run of the tests, and forks for each command line."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._folder = tempfile.TemporaryDirectory(prefix="forks")
        self._door = str(Path(self._folder.name) / "door")
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._door], stdin=subprocess.DEVNULL, env=environment,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def run(self, tokens: Sequence[str], cwd: Path | None, extra: Mapping[str, str]) -> Ran:
        """Run one command line; raise TimeoutExpired where it does not end in five minutes."""
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            asked = {"tokens": tokens, "cwd": str(cwd or Path.cwd()), "out": str(out),
                     "err": str(err), "environment": {**self._environment, **extra}}  # fmt: skip
            code = self._code(json.dumps(asked))
            said = [one.read_text("utf-8", errors="replace") for one in (out, err)]
        return subprocess.CompletedProcess([*tokens], code, *said)

    def _code(self, asked: str) -> int:
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(_LONGEST_SECONDS)
            door.connect(self._door)
            door.sendall(asked.encode() + b"\n")
            with door.makefile() as answers:
                number = int(answers.readline())
                try:
                    return int(answers.readline())
                except TimeoutError as error:
                    os.kill(number, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(asked, _LONGEST_SECONDS) from error

    def close(self) -> None:
        """End the process; forks that still run are nobody's."""
        self._process.terminate()
        self._process.communicate()
        self._folder.cleanup()


def _serve(path: str) -> None:
    import duly.cli.main
    import duly.plan.making
    import duly.position
    from duly.messages.catalog import builtin_shelf

    builtin_shelf()
    duly.position.warm()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen(16)
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for those who answer.
        while True:
            caller, _ = door.accept()
            if os.fork() == 0:
                door.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _answer(caller)
            caller.close()


def _answer(caller: socket.socket) -> None:
    """Fork once more for the command, and tell its number and how it ended."""
    asked = json.loads(caller.makefile().readline())
    number = os.fork()
    if number == 0:
        caller.close()
        _become(asked)
    caller.sendall(f"{number}\n".encode())
    _, status = os.waitpid(number, 0)
    caller.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(asked: Mapping[str, object]) -> None:
    """Be the command: its environment, its folder, its streams."""
    from duly.cli.main import main

    os.environ.clear()
    environment = asked["environment"]
    assert isinstance(environment, dict)
    os.environ.update(environment)
    os.chdir(str(asked["cwd"]))
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(str(asked[name]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
    tokens = asked["tokens"]
    assert isinstance(tokens, list)
    sys.argv = ["duly", *map(str, tokens)]
    main()


if __name__ == "__main__":
    _serve(sys.argv[1])
