"""`duly bench`: how long book to snapshot and snapshot to plan take, beside DuckDB's own scan."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from duly.cli import arguments, output

DEFAULT_LOANS = (100_000, 1_000_000)
LOANS_MAX = 100_000_000


def bench(
    *,
    loans: Annotated[
        tuple[int, ...], arguments.worded("option.loans"), arguments.between(1, LOANS_MAX)
    ] = DEFAULT_LOANS,
    work: Annotated[Path | None, arguments.worded("option.work")] = None,
    threads: arguments.Threads = 0,
    json: arguments.Json = False,
) -> int:
    """Measure the batch and print seconds, peak memory and ratios."""
    from dataclasses import asdict

    from duly.simulate import hardware, run_bench, to_markdown

    with TemporaryDirectory() as temporary:
        folder = work or Path(temporary)
        with output.progress("bench"):
            result = run_bench(loans, folder, threads=threads)
    if json:
        output.as_json(asdict(result))
    else:
        output.line(to_markdown(result, hardware()))
    return output.DONE
