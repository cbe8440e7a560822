"""The bytes of the book's files: fingerprint, encoding, and why one could not be read."""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from duly.book import encodings
from duly.book.access import unread
from duly.book.findings import finding
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one pass over a file's bytes shows."""

    sha256: str
    commas: int  #: of a CSV file, those outside quotes; 0 for any other file


def look(file: Path, label: str) -> Seen:
    """Return what a file's bytes show; refuse a CSV that is not UTF-8, naming GBK where it fits."""
    seen = hashlib.sha256()
    is_csv = file.suffix == ".csv"
    decoder = codecs.getincrementaldecoder("utf-8")()
    commas, inside = 0, 0
    try:
        for chunk in encodings.chunks(file):
            seen.update(chunk)
            if is_csv:
                decoder.decode(chunk)
                pieces = chunk.split(b'"')
                commas += sum(piece.count(b",") for piece in pieces[inside::2])
                inside = (inside + len(pieces) - 1) % 2
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise Refused(encodings.not_utf8(file, label)) from error
    except OSError as error:
        raise Refused(unread(file, label, error)) from error
    return Seen(sha256=seen.hexdigest(), commas=commas)


def why_unread(
    files: Sequence[Path], folder: Path, columns: Sequence[str], error: Exception
) -> Refused:
    """Return the refusal for a table whose files the engine could not read to their end."""
    file, label = files[0], str(files[0].relative_to(folder))
    if file.suffix == ".parquet":
        for part in files:
            foreign = _foreign_text(part, str(part.relative_to(folder)), columns)
            if foreign:
                return Refused(foreign)
        return Refused(finding("cut_off_file", label, why=str(error).split("\n")[0]))
    look(file, label)  # What is not UTF-8 cannot be read either: say the cause.
    return Refused(first_fault(file, label) or finding("mixed_line_ends", label))


def _foreign_text(file: Path, label: str, columns: Sequence[str]) -> Diagnostic | None:
    """Find the first text column of Parquet whose bytes are not UTF-8 (only after a failure)."""
    try:
        with pq.ParquetFile(file) as opened:
            text = [
                one.name
                for one in opened.schema_arrow
                if one.name in columns and (pa.types.is_string(one.type) or _is_large(one.type))
            ]
            for column in text:
                strange = [
                    cell
                    for batch in opened.iter_batches(columns=[column])
                    for cell in batch.column(0).cast(pa.binary()).to_pylist()
                    if cell and not _is_utf8(cell)
                ]
                if strange:
                    named = " (GBK)" if all(encodings.is_gbk([one]) for one in strange) else ""
                    return finding("not_utf8_parquet", label, column=column, encoding=named)
    except (pa.ArrowInvalid, OSError):
        return None  # It is damaged: the engine's own words tell how.
    return None


def _is_large(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(kind))


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def first_fault(file: Path, label: str) -> Diagnostic | None:
    """Find the first row of a CSV file that cannot be read (the slow way, only after a failure)."""
    row = 0
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.reader(opened, strict=True)
        try:
            wanted = len(next(reader))
            for row, cells in enumerate((cells for cells in reader if cells), start=1):
                if len(cells) != wanted:
                    last = next((1 for cells in reader if cells), None) is None
                    code = "cut_off_file" if last and len(cells) < wanted else "wrong_field_count"
                    return finding(
                        code, label, line=row, why=f"row {row}", got=len(cells), wanted=wanted
                    )
        except csv.Error as error:
            return broken_quotes(label, str(error), line=row + 1)
    return None


def broken_quotes(label: str, why: str, line: int = 0) -> Diagnostic:
    """Return the finding for quotes that end too early, or never: then the file is cut off."""
    if why == "unexpected end of data":
        return finding("cut_off_file", label, line=line, why=why)
    return finding("bad_quotes", label, line=line)
