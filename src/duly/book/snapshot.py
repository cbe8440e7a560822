"""The snapshot: a checked book as typed Parquet, named by its hash, immutable."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb

from duly.book import control, files, quarantine, queries, reading, schema
from duly.book.access import refuse_closed
from duly.book.engine import connect
from duly.book.expressions import quoted
from duly.book.findings import finding
from duly.book.lender import Lender
from duly.book.writing import Writer, put_in_order, write_all
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

CONTRACT = 1
_INDEX = "snapshot.json"
_GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A checked book.

    `book_sha256` names what the lender told us (its files' names and bytes), `sha256` the
    snapshot's own files. `cut_at` is naive UTC. `rows` counts every data row of each table;
    `sources` names its file within the book (nothing in snapshots of earlier releases).
    """

    path: Path
    book_sha256: str
    sha256: str
    cut_at: datetime | None
    rows: Mapping[str, int]
    sources: Mapping[str, str]
    quarantined_rows: int
    warnings: tuple[Diagnostic, ...]
    alerts: tuple[Diagnostic, ...]


def take_snapshot(
    book: Path,
    out: Path,
    *,
    lender: Lender,
    needs: schema.Needs,
    locale: str = "en",
    threads: int | None = None,
) -> Snapshot:
    """Check a book and write its snapshot to `out`, which appears complete or not at all.

    Refuses a book that is broken as a whole, and an `out` that holds something else.
    """
    refuse_closed(book)
    if is_snapshot(book):
        raise Refused(finding("is_snapshot", str(book)))
    if out.exists() and not is_snapshot(out) and (not out.is_dir() or any(out.iterdir())):
        raise Refused(finding("output_exists", str(out)))
    work = out.with_name(f".{out.name}.half-{os.getpid()}")
    try:
        _sweep(out)
        work.mkdir(parents=True)
        found = _take(book, work, lender=lender, needs=needs, locale=locale, threads=threads)
        _put(work, out)
    except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
        raise Refused(finding("cannot_write", str(out), why=_why(error))) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return found(out)


def _sweep(out: Path) -> None:
    """Remove what processes that were killed left beside `out`."""
    for left in out.parent.glob(f".{glob.escape(out.name)}.half-*"):
        process = left.name.rpartition("-")[2]
        if process == str(os.getpid()) or not Path(f"/proc/{process}").exists():
            shutil.rmtree(left, ignore_errors=True)


def _why(error: Exception) -> str:
    """Return the first line of an error, or what DuckDB wraps in JSON there."""
    first = str(error).split("\n")[0]
    wrapped = re.search(r'"exception_message":("(?:[^"\\]|\\.)*")', first)
    return str(json.loads(wrapped[1])) if wrapped else first


def _put(work: Path, out: Path) -> None:
    """Move the finished folder into place; an older snapshot there goes."""
    old = work.with_name(f"{work.name}-old")
    if out.exists():
        out.rename(old)
    work.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _take(
    folder: Path,
    work: Path,
    *,
    lender: Lender,
    needs: schema.Needs,
    locale: str,
    threads: int | None,
) -> Callable[[Path], Snapshot]:
    said = control.read(folder)
    spill = work / "spill"
    with connect() as con:
        opened = reading.open_book(con, folder, needs)
        _configure(con, opened, spill, threads)
        with ThreadPoolExecutor(max_workers=1) as pool:
            prints = pool.submit(_look, opened)
            try:
                writer, more = _write(con, work, opened, said, lender)
            except Refused as refused:
                # What is not UTF-8 cannot be read either: say the cause, not the effect.
                _raise_first(prints, refused)
                raise
            seen = prints.result()
        _refuse_surplus(writer, seen)
        identity = digest.of_value({label: one.sha256 for label, one in seen.items()})
        rows = quarantine.finish(writer, locale)
        alerts = tuple(quarantine.alerts(writer))
        warnings = (*opened.warnings, *more, *quarantine.warnings(writer))
        for table in ("installments", "payments"):
            put_in_order(writer, table)
    shutil.rmtree(spill, ignore_errors=True)
    counts = {table: writer.rows[table] for table in schema.TABLES if table in writer.rows}
    index = {
        "contract": CONTRACT,
        "duly": _version(),
        "book_sha256": identity,
        "cut_at": said.cut_at.isoformat() if said.cut_at else None,
        "rows": counts,
        "sources": {table: source.name for table, source in writer.book.sources.items()},
        "quarantined_rows": rows,
        "files": {file.name: digest.of_file(file) for file in sorted(work.glob("*.parquet"))},
        "warnings": [asdict(one) for one in warnings],
        "alerts": [asdict(one) for one in alerts],
    }
    text = json.dumps(index, ensure_ascii=False, indent=1, default=str)
    (work / _INDEX).write_text(text + "\n", encoding="utf-8")
    return lambda out: _snapshot(out, json.loads(text))


def _version() -> str:
    try:
        return metadata.version("duly")
    except metadata.PackageNotFoundError:
        return "unknown"


def _raise_first(prints: Future[dict[str, files.Seen]], refused: Refused) -> None:
    error = prints.exception()
    if isinstance(error, Refused):
        raise error from refused


def _configure(
    con: duckdb.DuckDBPyConnection, book: reading.Book, spill: Path, threads: int | None
) -> None:
    rows = sum(source.rows_hint for source in book.sources.values())
    limit = min(6 * _GIB, _GIB + 40 * rows)
    con.execute(f"SET memory_limit = '{limit // 1024}KiB'")
    con.execute(f"SET temp_directory = {quoted(str(spill))}")
    con.execute("SET preserve_insertion_order = true")
    if threads:
        con.execute(f"SET threads = {threads}")


def _write(
    con: duckdb.DuckDBPyConnection,
    work: Path,
    opened: reading.Book,
    said: control.Control,
    lender: Lender,
) -> tuple[Writer, list[Diagnostic]]:
    context = queries.Context(
        borrowers_known="borrowers" in opened.sources,
        creditor=lender.name,
        jurisdiction=lender.licence,
    )
    writer = Writer(con=con, folder=work, book=opened, context=context)
    write_all(writer)
    return writer, control.compare(writer, said)


def _look(book: reading.Book) -> dict[str, files.Seen]:
    told = [file for source in book.sources.values() for file in source.files]
    extra = book.folder / control.FILE
    if extra.exists():
        told.append(extra)
    named = {str(file.relative_to(book.folder)): file for file in told}
    return {label: files.look(named[label], label) for label in sorted(named)}


def _refuse_surplus(writer: Writer, seen: Mapping[str, files.Seen]) -> None:
    """Refuse a CSV file with a row of more fields than its header.

    DuckDB refuses too few, but drops empty fields beyond the last: there, an amount such as
    2,000.00 becomes 2. As no row has too few, a file has too many where it has more commas.
    """
    problems = []
    for name, source in writer.book.sources.items():
        label = str(source.files[0].relative_to(writer.book.folder))
        expected = (source.width - 1) * (writer.rows[name] + 1)
        if source.form == "csv" and seen[label].commas != expected:
            # A quote inside a cell without quotes misleads the count: reading row by row tells.
            fault = files.first_fault(source.files[0], label)
            problems += [fault] if fault else []
    if problems:
        raise Refused(*problems)


def is_snapshot(path: Path) -> bool:
    """Say whether a folder is a snapshot; one that may not be read is refused as a book is."""
    try:
        return (path / _INDEX).is_file()
    except PermissionError:
        return False


def open_snapshot(path: Path) -> Snapshot:
    """Open a snapshot; refuse one whose files are not those that were written."""
    snapshot = read_snapshot(path)
    verify_snapshot(path)
    return snapshot


def read_snapshot(path: Path) -> Snapshot:
    """Return what a snapshot says of itself; its files may yet turn out to be others.

    For who begins to read while `verify_snapshot` looks: nothing may leave before it has.
    """
    return _snapshot(path, _index(path))


def verify_snapshot(path: Path) -> None:
    """Refuse a snapshot whose files are not those that were written."""
    written = _index(path)["files"]
    try:
        differing = [one for one in written if digest.of_file(path / one) != written[one]]
    except OSError as error:
        raise Refused(finding("bad_snapshot", str(path), why=str(error))) from error
    if differing:
        raise Refused(*(finding("changed_file", str(path / one)) for one in differing))


def _index(path: Path) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads((path / _INDEX).read_text(encoding="utf-8"))
        if index["contract"] != CONTRACT:
            raise Refused(finding("bad_snapshot", _INDEX, why=f"contract {index['contract']}"))
        assert isinstance(index["files"], dict)
    except (OSError, ValueError, KeyError) as error:
        raise Refused(finding("bad_snapshot", str(path), why=str(error))) from error
    return index


def _snapshot(path: Path, index: Mapping[str, object]) -> Snapshot:
    written, rows, cut_at = index["files"], index["rows"], index["cut_at"]
    count = index["quarantined_rows"]
    sources = index.get("sources", {})
    assert isinstance(written, dict) and isinstance(rows, dict) and isinstance(count, int)
    assert isinstance(sources, dict)
    return Snapshot(
        path=path,
        book_sha256=str(index["book_sha256"]),
        sha256=digest.of_value(written),
        cut_at=datetime.fromisoformat(str(cut_at)) if cut_at else None,
        rows=rows,
        sources=sources,
        quarantined_rows=count,
        warnings=_findings(index["warnings"]),
        alerts=_findings(index["alerts"]),
    )


def _findings(items: object) -> tuple[Diagnostic, ...]:
    assert isinstance(items, list)
    return tuple(Diagnostic(**item) for item in items)
