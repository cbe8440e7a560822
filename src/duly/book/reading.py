"""Where a book's tables stand and what their files hold, before any row is read."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from duly.book import encodings, expressions, families, files, schema
from duly.book.access import refuse_closed, unread
from duly.book.findings import finding
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.near import near

_HEADER_BYTES_MAX = 1 << 20
_CSV_OPTIONS = (
    "header=true, auto_detect=false, delim=',', quote='\"', escape='\"', strict_mode=true, "
    "max_line_size=16777216, encoding='utf-8'"
)


@dataclass(frozen=True, kw_only=True)
class Held:
    """One column of a file: its SQL, and how the file holds it (None: no value in any row)."""

    sql: str
    family: families.Family | None
    width: int = 0  #: digits of a DECIMAL
    places: int = 0  #: of those, after the point


@dataclass(frozen=True, kw_only=True)
class Source:
    """One table of the book as its files hold it."""

    table: schema.Table
    form: Literal["csv", "parquet"]
    files: tuple[Path, ...]
    columns: Mapping[str, Held]
    scan: str  #: SQL relation over the file, its columns as `columns` name them
    numbered: str  #: the same with `__row`, the 1-based data row
    rows_hint: int  #: rows, estimated for CSV
    width: int = 0  #: fields of a CSV file's header

    @property
    def name(self) -> str:
        """The file's name within the book, for people."""
        first = self.files[0]
        return f"{first.parent.name}/" if len(self.files) > 1 else first.name


@dataclass(frozen=True, kw_only=True)
class Book:
    """The files of a book and what was noticed while opening them."""

    folder: Path
    sources: Mapping[str, Source]
    warnings: tuple[Diagnostic, ...]


def open_book(con: duckdb.DuckDBPyConnection, folder: Path, needs: schema.Needs) -> Book:
    """Find every table and read every header; refuse a book that is broken as a whole."""
    found, warnings = _files_by_table(folder)
    problems: list[Diagnostic] = []
    sources: dict[str, Source] = {}
    for name, parts in found.items():
        try:
            source, noticed = _open_table(con, schema.TABLES[name], parts, folder)
        except Refused as refused:
            problems.extend(refused.diagnostics)
        else:
            sources[name] = source
            warnings.extend(noticed)
    for table in schema.TABLES.values():
        if table.name in found:
            continue
        if needs in table.needed_for:
            names = [item.file for item in warnings if item.code == "unknown_file"]
            hint = near(table.name, [Path(one).stem for one in names])
            problems.append(finding("missing_table", f"{table.name}.csv", found=_maybe(hint)))
        elif needs == "check" and "plan" in table.needed_for:
            warnings.append(finding("absent_table", f"{table.name}.csv", "warning"))
    if problems:
        raise Refused(*problems)
    return Book(folder=folder, sources=sources, warnings=tuple(warnings))


def _maybe(word: str) -> str:
    return f" ({word}?)" if word else ""


def _files_by_table(folder: Path) -> tuple[dict[str, tuple[Path, ...]], list[Diagnostic]]:
    refuse_closed(folder)
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise Refused(unread(folder, str(folder), error)) from error
    found: dict[str, list[tuple[Path, ...]]] = {}
    warnings = []
    for entry in entries:
        stem = entry.name if entry.is_dir() else entry.stem
        if stem not in schema.TABLES or not (entry.is_dir() or entry.suffix in _SUFFIXES):
            if _looks_meant(entry.name):
                meant = _maybe(near(_first_part(entry.name), tuple(schema.TABLES)))
                warnings.append(finding("unknown_file", entry.name, "warning", near=meant))
            continue
        found.setdefault(stem, []).append(_parts(entry) if entry.is_dir() else (entry,))
    twice = [finding("table_twice", name) for name, places in found.items() if len(places) > 1]
    if twice:
        raise Refused(*twice)
    return {name: places[0] for name, places in found.items()}, warnings


_SUFFIXES = (".csv", ".parquet")
#: What writers leave beside their parts; it holds no rows of its own.
_LEFTOVERS = ("_SUCCESS", "_metadata", "_common_metadata", "_committed_*", "_started_*", "*.crc")


def _first_part(name: str) -> str:
    return name.casefold().split(".")[0]


def _looks_meant(name: str) -> bool:
    """Say whether a name may be that of a table, wrongly written: PAYMENTS.CSV, payments.csv.gz."""
    return _first_part(name) in schema.TABLES or Path(name.casefold()).suffix in _SUFFIXES


def _parts(folder: Path) -> tuple[Path, ...]:
    """Return a table's parts; refuse a folder with anything else, for it may hold rows as well."""
    refuse_closed(folder)
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise Refused(unread(folder, f"{folder.name}/", error)) from error
    parts, strays = [], []
    for entry in entries:
        if entry.name.startswith(".") or any(map(entry.match, _LEFTOVERS)):
            continue
        if entry.suffix == ".parquet" and entry.is_file() and entry.name[0] != "_":
            parts.append(entry)
        else:
            strays.append(finding("stray_part", f"{folder.name}/{entry.name}"))
    if strays:
        raise Refused(*strays)
    if not parts:
        raise Refused(finding("empty_file", f"{folder.name}/"))
    return tuple(parts)


def _open_table(
    con: duckdb.DuckDBPyConnection,
    table: schema.Table,
    parts: tuple[Path, ...],
    folder: Path,
) -> tuple[Source, list[Diagnostic]]:
    for file in parts:
        _look_at_bytes(file, str(file.relative_to(folder)))
    label = str(parts[0].relative_to(folder))
    if parts[0].suffix == ".csv":
        header = _csv_header(parts[0], label)
        warnings = _check_header(table, header, label)
        return _csv_source(table, parts[0], header), [*warnings, *_cut_warning(parts[0], label)]
    schemas = [_parquet_schema(file, str(file.relative_to(folder))) for file in parts]
    for file, (names, _) in zip(parts, schemas, strict=True):
        if set(names) != set(schemas[0][0]):
            raise Refused(finding("parts_differ", str(file.relative_to(folder))))
    warnings = _check_header(table, schemas[0][0], label)
    return _parquet_source(con, table, parts, [rows for _, rows in schemas], label), warnings


def _look_at_bytes(file: Path, label: str) -> None:
    """Refuse a file that cannot be opened, is empty, or is a Parquet file without its end."""
    try:
        with file.open("rb") as opened:
            head = opened.read(4)
            size = opened.seek(0, io.SEEK_END)
            opened.seek(max(0, size - 4))
            tail = opened.read(4)
    except OSError as error:
        raise Refused(unread(file, label, error)) from error
    if not head or (size == 3 and head == codecs.BOM_UTF8):
        raise Refused(finding("empty_file", label))
    strange = encodings.wrong_kind(file, label)
    if strange:
        raise Refused(strange)
    if file.suffix == ".parquet" and (tail != b"PAR1" or size < 12):
        raise Refused(finding("cut_off_file", label, why="no footer"))


def _csv_header(file: Path, label: str) -> list[str]:
    with file.open("rb") as opened:
        data = opened.read(_HEADER_BYTES_MAX)
    if encodings.of_utf16(data):
        raise Refused(encodings.not_utf8(file, label))
    text = data.decode("utf-8-sig", errors="replace")
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except csv.Error as error:
        raise Refused(files.broken_quotes(label, str(error))) from error
    if "\ufffd" in "".join(header):
        files.look(file, label)
    if not any(one.strip() for one in header):
        more = text.replace(",", " ").strip()
        raise Refused(finding("blank_before_header" if more else "empty_file", label))
    return header


def _cut_warning(file: Path, label: str) -> list[Diagnostic]:
    with file.open("rb") as opened:
        opened.seek(-1, io.SEEK_END)
        last = opened.read(1)
    return [] if last in b"\r\n" else [finding("no_final_newline", label, "warning")]


def _check_header(table: schema.Table, header: Sequence[str], label: str) -> list[Diagnostic]:
    problems, warnings = [], []
    for column in table.columns:
        spellings = [one for one in header if one.casefold() == column.name]
        if len(spellings) > 1:
            problems.append(finding("column_twice", label, column=column.name))
        elif column.name not in header and column.required:
            unknown = [one for one in header if one not in table.names]
            meant = _maybe(near(column.name, unknown))
            problems.append(finding("missing_column", label, column=column.name, near=meant))
    if problems:
        raise Refused(*problems)
    for one in dict.fromkeys(header):
        if one not in table.names:
            meant = _maybe(near(one, table.names))
            warnings.append(finding("unknown_column", label, "warning", column=one, near=meant))
    return warnings


def _path_list(files: Sequence[Path]) -> str:
    literal = [expressions.quoted(_glob_safe(str(file))) for file in files]
    return "[" + ", ".join(literal) + "]"


def _glob_safe(path: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


def _csv_source(table: schema.Table, file: Path, header: Sequence[str]) -> Source:
    types = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(len(header)))
    scan = f"read_csv({_path_list([file])}, columns={{{types}}}, {_CSV_OPTIONS})"
    columns = {
        column: Held(sql=f"s.c{header.index(column)}", family="text")
        for column in table.names
        if column in header
    }
    return Source(
        table=table,
        form="csv",
        files=(file,),
        columns=columns,
        scan=scan,
        numbered=f"(SELECT row_number() OVER () AS __row, * FROM {scan})",
        rows_hint=file.stat().st_size // 50,
        width=len(header),
    )


def _parquet_schema(file: Path, label: str) -> tuple[list[str], int]:
    try:
        opened = pq.ParquetFile(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise Refused(finding("cut_off_file", label, why="no readable footer")) from error
    except UnicodeDecodeError as error:
        named = " (GBK)" if encodings.is_gbk([error.object]) else ""
        raise Refused(finding("names_not_utf8", label, encoding=named)) from error
    with opened:
        return list(opened.schema_arrow.names), opened.metadata.num_rows


def _parquet_source(
    con: duckdb.DuckDBPyConnection,
    table: schema.Table,
    files: tuple[Path, ...],
    rows: Sequence[int],
    label: str,
) -> Source:
    paths = _path_list(files)
    scan = f"read_parquet({paths}, union_by_name=false)"
    offsets = [sum(rows[:at]) for at in range(len(rows))]
    numbered = (
        f"(SELECT *, ({offsets}::BIGINT[])[(file_index + 1)::BIGINT]"
        f" + file_row_number::BIGINT + 1 AS __row "
        f"FROM {scan})"
    )
    types = {row[0]: str(row[1]) for row in con.execute(f"DESCRIBE FROM {scan}").fetchall()}
    columns: dict[str, Held] = {}
    problems = []
    for column in table.columns:
        if column.name not in types:
            continue
        held = _held(con, column, types[column.name], scan)
        if held is None:
            kind = types[column.name]
            problems.append(
                finding("wrong_type", label, column=column.name, type=kind, wanted=column.kind)
            )
        else:
            columns[column.name] = held
    if problems:
        raise Refused(*problems)
    return Source(
        table=table,
        form="parquet",
        files=files,
        columns=columns,
        scan=scan,
        numbered=numbered,
        rows_hint=sum(rows),
    )


def _held(
    con: duckdb.DuckDBPyConnection, column: schema.Column, sql_type: str, scan: str
) -> Held | None:
    """Return how the file holds the column; None where its type cannot hold such values."""
    family = families.family_of(sql_type)
    cell = f"s.{expressions.name(column.name)}"
    if family not in families.FAMILIES[column.kind]:
        counted = con.execute(f"SELECT count({cell}) FROM {scan} AS s").fetchone()
        assert counted is not None
        return Held(sql="NULL::VARCHAR", family=None) if counted[0] == 0 else None
    if family == "text":
        cell = f"nullif({cell}::VARCHAR, '')"
    width = places = 0
    if family == "decimal":
        width, places = (int(one) for one in sql_type[len("DECIMAL(") : -1].split(","))
    return Held(sql=cell, family=family, width=width, places=places)
