"""What a file is that is not the UTF-8 text or the Parquet that its name promises."""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from duly.book.findings import finding
from duly.core.diagnostic import Diagnostic

CHUNK_BYTES = 1 << 22
_HEAD_BYTES = 8

_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "RAR",
}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0"  #: workbooks of Excel before 2007
_PARQUET = b"PAR1"


def wrong_kind(file: Path, label: str) -> Diagnostic | None:
    """Return what a file's first bytes say that it is, where its name promises something else."""
    with file.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
    if head.startswith(_ZIP):
        return _zip(file, label)
    if head.startswith(_OLE):
        return finding("spreadsheet", label)
    for sign, kind in _PACKED.items():
        if head.startswith(sign):
            return finding("packed_file", label, kind=kind)
    if file.suffix == ".parquet":
        return None if head.startswith(_PARQUET) else finding("not_parquet", label)
    return finding("parquet_named_csv", label) if head.startswith(_PARQUET) else None


def _zip(file: Path, label: str) -> Diagnostic:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        names = []
    if any(name.startswith("xl/") for name in names):
        return finding("spreadsheet", label)
    return finding("packed_file", label, kind="ZIP")


def of_utf16(head: bytes) -> str:
    """Return the UTF-16 in which a text begins, for iconv; empty where it is none."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    if len(head) >= 4 and head[0] and head[2] and not head[1] and not head[3]:
        return "UTF-16LE"
    if len(head) >= 4 and head[1] and head[3] and not head[0] and not head[2]:
        return "UTF-16BE"
    return ""


def not_utf8(file: Path, label: str) -> Diagnostic:
    """Return the finding for a text file that is not UTF-8, with the command that mends it."""
    with file.open("rb") as opened:
        utf16 = of_utf16(opened.read(_HEAD_BYTES))
    named, source = ("UTF-16", utf16) if utf16 else ("", "")
    if not source and is_gbk(chunks(file)):
        named, source = "GBK", "GB18030"
    return finding(
        "not_utf8", label,
        encoding=f" ({named})" if named else "",
        how=f" (iconv -f {source} -t UTF-8)" if source else "",
    )  # fmt: skip


def is_gbk(pieces: Iterable[bytes]) -> bool:
    """Say whether bytes read as GBK and their letters beyond ASCII are those of Chinese text."""
    decoder = codecs.getincrementaldecoder("gb18030")()
    try:
        return all(
            letter <= "\x7f" or _is_chinese(letter)
            for piece in (*pieces, None)
            for letter in decoder.decode(piece or b"", final=piece is None)
        )
    except UnicodeDecodeError:
        return False


def _is_chinese(letter: str) -> bool:
    rare = "\U00020000" <= letter <= "\U0003ffff"
    return "\u3000" <= letter <= "\uffef" or rare or letter in "·—“”‘’…"


def chunks(file: Path) -> Iterator[bytes]:
    """Yield a file's bytes, a few megabytes at a time."""
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            yield chunk
