"""The bytes of the book's files: fingerprint, encoding, and why one could not be read."""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from duly.book.findings import finding
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

_CHUNK_BYTES = 1 << 22


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
        for chunk in _chunks(file):
            seen.update(chunk)
            if is_csv:
                decoder.decode(chunk)
                pieces = chunk.split(b'"')
                commas += sum(piece.count(b",") for piece in pieces[inside::2])
                inside = (inside + len(pieces) - 1) % 2
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        code = "not_utf8_gbk" if _is_gbk(file) else "not_utf8"
        raise Refused(_not_utf8(code, label)) from error
    except OSError as error:
        raise Refused(finding("unreadable", label, why=error.strerror)) from error
    return Seen(sha256=seen.hexdigest(), commas=commas)


def _not_utf8(code: str, label: str) -> Diagnostic:
    encoding = "GBK" if code == "not_utf8_gbk" else ""
    return finding("not_utf8", label, encoding=f" ({encoding})" if encoding else "")


def _is_gbk(file: Path) -> bool:
    """Say whether the file reads as GBK and its letters beyond ASCII are those of Chinese text."""
    decoder = codecs.getincrementaldecoder("gb18030")()
    try:
        for chunk in _chunks(file):
            for letter in decoder.decode(chunk):
                if letter > "\x7f" and not ("\u3000" <= letter <= "\uffef" or letter in "·—“”‘’…"):
                    return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            yield chunk


def why_unread(file: Path, label: str, error: Exception) -> Refused:
    """Return the refusal for a file that the engine could not read to its end."""
    if file.suffix == ".parquet":
        return Refused(finding("cut_off_file", label, why=str(error).split("\n")[0]))
    look(file, label)  # What is not UTF-8 cannot be read either: say the cause.
    return Refused(first_fault(file, label) or finding("mixed_line_ends", label))


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
            return finding("cut_off_file", label, line=row + 1, why=str(error))
    return None
