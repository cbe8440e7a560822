"""The bench measures each step in a fresh process, keeps failures, and prints medians."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from duly.simulate import bench, measure, scan, write_bulk


def _run(step: str, wall_ms: int, *, loans: int = 1000, finished: bool = True) -> bench.Run:
    return bench.Run(
        loans=loans,
        step=step,
        wall_ms=wall_ms,
        cpu_ms=wall_ms * 2,
        peak_kib=wall_ms * 1024,
        exit_code=0 if finished else 2,
        finished=finished,
        said="" if finished else "refused",
    )


RESULT = bench.BenchResult(
    runs=(
        _run("scan", 200),
        _run("scan", 500),
        _run("scan", 300),
        _run("snapshot", 700),
        _run("snapshot", 10, finished=False),
        _run("plan", 10, finished=False),
    ),
    threads=2,
)


def test_lines_hold_medians_of_the_finished_runs_and_ratios_to_the_scan():
    assert [
        (line.step, line.wall_ms, line.cpu_ms, line.peak_kib, line.ratio_percent)
        for line in RESULT.lines()
    ] == [
        ("scan", 300, 600, 307_200, 100),
        ("snapshot", 700, 1400, 716_800, 233),
        ("plan", None, None, None, None),
    ]


def test_markdown_names_the_machine_and_a_failed_step():
    assert bench.to_markdown(RESULT, "One machine") == (
        "One machine; threads: 2.\n"
        "\n"
        "| loans | step | wall time | processor time | peak memory | to the scan |\n"
        "|--:|---|--:|--:|--:|--:|\n"
        "| 1,000 | scan | 0.30 s | 0.60 s | 0.29 GiB | 1.00 × |\n"
        "| 1,000 | snapshot | 0.70 s | 1.40 s | 0.68 GiB | 2.33 × |\n"
        "| 1,000 | plan | failed | failed | failed | failed |\n"
    )


def test_json_keeps_every_raw_run():
    value = json.loads(RESULT.to_json())
    assert [run["wall_ms"] for run in value["runs"]] == [200, 500, 300, 700, 10, 10]
    assert value["runs"][4]["said"] == "refused"


def test_measure_reports_the_child_alone():
    measured = measure.measure(
        [sys.executable, "-S", "-c", "x = bytes(50 << 20); raise SystemExit(3)"]
    )
    assert measured["exit_code"] == 3
    assert measured["wall_ms"] > 0 and measured["cpu_ms"] > 0
    assert measured["peak_kib"] > 50 * 1024


def test_scan_groups_each_table_by_its_key(tmp_path):
    write_bulk(tmp_path / "book", loans=200, seed=7)
    groups = scan.scan(tmp_path / "book", threads=1)
    assert groups["loans"] == groups["installments"] == groups["payments"] == 200
    assert groups["borrowers"] == groups["contact_points"] == 190


def test_a_run_of_two_sizes_reports_every_step_and_leaves_no_note(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "steps", _steps)
    heard: list[bench.Run] = []
    result = bench.run_bench([20, 40], tmp_path, threads=1, repeats=2, heard=heard.append)
    assert [(run.loans, run.step, run.exit_code, run.finished) for run in result.runs] == [
        (20, "scan", 0, True),
        (20, "scan", 0, True),
        (20, "crash", 1, False),
        (20, "crash", 1, False),
        (40, "scan", 0, True),
        (40, "scan", 0, True),
        (40, "crash", 1, False),
        (40, "crash", 1, False),
    ]
    assert tuple(heard) == result.runs
    assert "ValueError" in result.runs[2].said
    assert sorted(path.name for path in (tmp_path / "loans-20").iterdir()) == ["book"]


def test_the_steps_are_the_scan_and_the_two_commands():
    names = [(step.name, step.argv[1:4]) for step in bench.steps(Path("b"), Path("w"), threads=2)]
    assert names == [
        ("scan", ("-m", "duly.simulate.scan", "b")),
        ("snapshot", ("-m", "duly.cli.main", "snapshot")),
        ("plan", ("-m", "duly.cli.main", "plan")),
    ]


def _steps(book: Path, work: Path, *, threads: int) -> tuple[bench.Step, ...]:
    crash = (sys.executable, "-c", "raise ValueError")
    scanned = (sys.executable, "-c", f"assert {book.is_dir()}")
    return (
        bench.Step(name="scan", argv=scanned),
        bench.Step(name="crash", argv=crash, makes=work / "made"),
    )
