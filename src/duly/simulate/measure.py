"""Run one command and note its wall time, its processor time and its own peak memory.

Run as a file, with the standard library only: a process starts with the peak of whoever started
it, and this one is small. `python measure.py RESULT.json COMMAND …`; the command's diagnostics
stay on stderr.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def measure(argv: list[str]) -> dict[str, int]:
    """Run `argv` to its end; return milliseconds, peak resident KiB and exit code."""
    started = time.perf_counter_ns()
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "wall_ms": (time.perf_counter_ns() - started) // 1_000_000,
        "cpu_ms": int((usage.ru_utime + usage.ru_stime) * 1000),
        "peak_kib": usage.ru_maxrss,
        "exit_code": process.returncode,
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(measure(sys.argv[2:])), encoding="utf-8")
