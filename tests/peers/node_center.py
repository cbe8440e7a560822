"""Starts the short-message center on node's `smpp`, or skips the test where npm is missing."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).with_name("smpp")


def installed(folder: Path) -> Path:
    """Install the center's packages, as its lock file names them, into a folder."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("skipped: no npm")
    for name in ("package.json", "package-lock.json", "center.js"):
        shutil.copy(SOURCE / name, folder / name)
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder, capture_output=True, timeout=120,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("skipped: npm has no packages to install")
    return folder


@dataclass
class NodeCenter:
    """One center process; what reached it stands in `log`, whoever dies."""

    folder: Path
    log: Path
    delay_ms: int = 0
    port: int = 0
    _process: subprocess.Popen[str] | None = field(default=None)

    def start(self) -> None:
        """Start; a second time at the same port."""
        command = ["node", "center.js", self.log, str(self.port), str(self.delay_ms)]
        self._process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Let it die without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def reached(self) -> list[dict[str, Any]]:
        """Return what reached it so far; a line that is half written is left out."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines]
