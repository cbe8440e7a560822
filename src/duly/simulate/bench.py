"""Measure the batch: seconds and peak memory of each step beside DuckDB's own scan."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median_low

from duly.simulate import measure

AT = "2026-03-10T09:00:00+08:00"
SEED = 7
REPEATS = 3
SCAN = "scan"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One measured command; `makes` is removed before each run."""

    name: str
    argv: tuple[str, ...]
    makes: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """One step run once; `said` is the end of its stderr."""

    loans: int
    step: str
    wall_ms: int
    cpu_ms: int  #: user and system time, over all threads
    peak_kib: int
    exit_code: int
    finished: bool  #: exit code 0 or 1, and what the step makes is there
    said: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One step of one size: medians over its finished runs, None where none finished."""

    loans: int
    step: str
    wall_ms: int | None
    cpu_ms: int | None
    peak_kib: int | None
    ratio_percent: int | None  #: wall time in hundredths of the scan of the same files


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """All runs in the order they were made."""

    runs: tuple[Run, ...]
    threads: int

    def lines(self) -> tuple[Line, ...]:
        """Return the medians, in the order of the runs."""
        keys = dict.fromkeys((run.loans, run.step) for run in self.runs)
        walls = {key: self._median("wall_ms", *key) for key in keys}
        return tuple(
            Line(
                loans=loans,
                step=step,
                wall_ms=wall,
                cpu_ms=self._median("cpu_ms", loans, step),
                peak_kib=self._median("peak_kib", loans, step),
                ratio_percent=_ratio(wall, walls.get((loans, SCAN))),
            )
            for (loans, step), wall in walls.items()
        )

    def to_json(self) -> str:
        """Return the raw runs and the medians as JSON text."""
        value = {
            "threads": self.threads,
            "runs": [asdict(run) for run in self.runs],
            "lines": [asdict(line) for line in self.lines()],
        }
        return json.dumps(value, ensure_ascii=False, indent=2)

    def _median(self, figure: str, loans: int, step: str) -> int | None:
        done = [run for run in self.runs if (run.loans, run.step) == (loans, step) and run.finished]
        return median_low(getattr(run, figure) for run in done) if done else None


def _ratio(wall_ms: int | None, scan_ms: int | None) -> int | None:
    return None if wall_ms is None or not scan_ms else wall_ms * 100 // scan_ms


def steps(book: Path, work: Path, *, threads: int) -> tuple[Step, ...]:
    """Return what is measured on one book: the scan, book to snapshot, snapshot to plan."""
    duly = (sys.executable, "-m", "duly.cli.main")
    limit = ("--threads", str(threads)) if threads else ()
    snapshot, plan = work / "snapshot", work / "plan"
    scan = (sys.executable, "-m", "duly.simulate.scan", str(book), *limit[1:])
    return (
        Step(name=SCAN, argv=scan),
        Step(
            name="snapshot",
            argv=(*duly, "snapshot", str(book), "--out", str(snapshot), *limit),
            makes=snapshot,
        ),
        Step(
            name="plan",
            argv=(*duly, "plan", str(snapshot), "--at", AT, "--out", str(plan), *limit),
            makes=plan,
        ),
    )


def run_bench(
    loans: Sequence[int],
    work: Path,
    *,
    threads: int = 0,
    repeats: int = REPEATS,
    heard: Callable[[Run], None] = lambda _: None,
) -> BenchResult:
    """Generate a book of each size under `work` and measure its steps, each in a fresh process.

    A book already there is used again. A step that fails is recorded with its exit code, and the
    rest goes on. `heard` is told each run as it ends; `threads` 0 leaves the choice to each step.
    """
    runs: list[Run] = []
    for size in loans:
        folder = work / f"loans-{size}"
        book = _generated(folder, size)
        for step in steps(book, folder, threads=threads):
            for _ in range(repeats):
                runs.append(_run(step, size, folder))
                heard(runs[-1])
    return BenchResult(runs=tuple(runs), threads=threads)


def _generated(folder: Path, loans: int) -> Path:
    """Return the book of one size, written by a process of its own: ours stays small."""
    book = folder / "book"
    if not (book / "book.json").exists():
        shutil.rmtree(book, ignore_errors=True)
        script = (
            "import pathlib, sys; from duly.simulate.bulk import write_bulk; "
            "write_bulk(pathlib.Path(sys.argv[1]), loans=int(sys.argv[2]), seed=int(sys.argv[3]))"
        )
        argv = [sys.executable, "-c", script, str(book), str(loans), str(SEED)]
        subprocess.run(argv, check=True)  # noqa: S603
    return book


def _run(step: Step, loans: int, folder: Path) -> Run:
    if step.makes is not None:
        shutil.rmtree(step.makes, ignore_errors=True)
    note = folder / "measure.json"
    argv = [sys.executable, "-I", "-S", str(Path(measure.__file__)), str(note), *step.argv]
    done = subprocess.run(argv, check=True, stderr=subprocess.PIPE)  # noqa: S603
    measured = json.loads(note.read_text(encoding="utf-8"))
    note.unlink()
    said = done.stderr.decode(errors="replace")[-500:]
    # A crash also exits with 1: a finished step has left what it makes, or nothing to say.
    made = not said if step.makes is None else step.makes.exists()
    finished = made and measured["exit_code"] in {0, 1}
    return Run(loans=loans, step=step.name, finished=finished, said=said, **measured)


def hardware() -> str:
    """Return the machine in one line: processor, cores, memory, system, Python."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    cores = len(os.sched_getaffinity(0))
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{model}, {cores} cores, {gib} GiB; {system}"


def to_markdown(result: BenchResult, hardware: str) -> str:
    """Return the medians as a Markdown table under the line that names the machine."""
    rows = [
        f"| {line.loans:,} | {line.step} | {_shown(line.wall_ms, 1000, 's')} "
        f"| {_shown(line.cpu_ms, 1000, 's')} "
        f"| {_shown(line.peak_kib, 1 << 20, 'GiB')} | {_shown(line.ratio_percent, 100, '×')} |"
        for line in result.lines()
    ]
    head = [
        "| loans | step | wall time | processor time | peak memory | to the scan |",
        "|--:|---|--:|--:|--:|--:|",
    ]
    threads = str(result.threads) if result.threads else "all"
    return "\n".join([f"{hardware}; threads: {threads}.", "", *head, *rows, ""])


def _shown(value: int | None, unit: int, name: str) -> str:
    """Return `value / unit` with two decimals, rounded half up, or `failed`."""
    if value is None:
        return "failed"
    hundredths = (value * 200 + unit) // (2 * unit)
    return f"{hundredths // 100}.{hundredths % 100:02} {name}"
