"""Real `duly` processes, forked from one that has everything loaded: a start takes milliseconds.

Run as a program it reads one order a line, JSON, and answers each with one line. Each process is
the leader of its own group and runs the very command line `duly …`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

#: Many more instants between two claims to die at than with those that a worker makes.
_SMALL_CLAIMS = 60


@dataclass
class Nursery:
    """The process from which the others are forked."""

    folder: Path
    _process: subprocess.Popen[str] = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=self.folder,
        )  # fmt: skip

    def start(
        self, *argv: str, env: dict[str, str], die_at: tuple[str, str, int] | None = None,
        claims: int | None = _SMALL_CLAIMS,
    ):  # fmt: skip
        """Start `duly ARGV` in a group of its own; a worker claims so many, None: as it ships."""
        self._count += 1
        said = self.folder / f"said-{self._count:05}"
        order = {"argv": argv, "env": env, "die_at": die_at, "said": str(said), "claims": claims}
        return Child(self, self._ask({"start": order}), said)

    def ended(self, pid: int) -> int | None:
        return self._ask({"ended": pid})

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@dataclass
class Child:
    """One `duly` process, the leader of its group."""

    nursery: Nursery
    pid: int
    said: Path
    _code: int | None = None

    def ended(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        if self._code is None:
            self._code = self.nursery.ended(self.pid)
        return self._code

    def kill(self) -> bool:
        """Kill the whole group; return whether it ran until now."""
        if self.ended() is not None:
            return False
        os.killpg(self.pid, signal.SIGKILL)
        return True

    def ask_to_end(self) -> None:
        if self.ended() is None:
            os.killpg(self.pid, signal.SIGTERM)

    def words(self) -> str:
        return self.said.read_text(encoding="utf-8", errors="replace")


def main() -> None:
    """Fork and reap, as ordered."""
    import aiohttp  # noqa: F401 Loaded once for all.

    from duly.cli import main as line
    from duly.service import setting_up

    line.prepare()
    setting_up.prepare()
    from chaos_points import arm

    import duly.cli.audit
    import duly.cli.endpoints
    import duly.service.outbox.worker
    import duly.service.outgoing.poster  # noqa: F401

    codes: dict[int, int] = {}
    started: set[int] = set()
    for text in sys.stdin:
        order = json.loads(text)
        if "start" in order:
            answer = _fork(order["start"], arm, line)
            started.add(answer)
            # The number may have been another's, whose end is known: a long run uses all there are.
            codes.pop(answer, None)
        else:
            while True:
                try:
                    pid, status = os.waitpid(-1, os.WNOHANG)
                except ChildProcessError:
                    break
                if not pid:
                    break
                codes[pid] = os.waitstatus_to_exitcode(status)
            answer = codes.get(order["ended"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    # Whoever ordered is gone: nobody is left behind.
    for pid in started - set(codes):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _fork(order: dict[str, Any], arm: Any, line: Any) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        from duly.service.outbox import worker as working

        os.setsid()
        said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.environ.update(order["env"])
        if order["claims"]:
            working.Worker.__init__.__kwdefaults__["batch"] = order["claims"]
        if order["die_at"]:
            arm(*order["die_at"])
        code = line.run(list(order["argv"]))
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 The child must never come back into the loop of its parent.
        import traceback

        os.write(2, traceback.format_exc().encode())
        os._exit(70)
    os._exit(code)


if __name__ == "__main__":
    main()
