"""Check a bundle of evidence (docs/evidence.md) offline: needs Python 3.11 and `cryptography`.

This one file is also in every bundle, as `verify.py`. It imports nothing of Duly.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = "duly-evidence/1"
MANIFEST, SIGNATURE, LOG, ROWS = "manifest.json", "manifest.sig", "log.json", "rows.jsonl"
FILES_MAX, FILE_BYTES_MAX, BYTES_MAX = 10_000, 1 << 28, 1 << 30
KEY_DIGITS_MIN = 16
_CELLS: Mapping[str, Any] = {
    "number": int, "at": str, "kind": str, "subject": str, "payload_sha256": str,
    "leaf_index": int, "proof": list, "payload": str | None, "salt": str | None,
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_HEX = re.compile(r"([0-9a-f]{2})*")
#: What a damaged or hostile archive makes the library raise.
_UNREADABLE = (
    OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError,
)  # fmt: skip
Rows = list[tuple[int, dict[str, Any]]]  # by their lines


class RefusedBundle(Exception):
    """What was given is no bundle that may be opened: a code, and the file it is about."""

    def __init__(self, code: str, file: str = "") -> None:
        self.code, self.file = code, file
        super().__init__(f"{file} {code}".strip())


@dataclass(frozen=True)
class Wrong:
    """One thing that does not fit: a code, the file, and its line where it has lines."""

    code: str
    file: str
    line: int = 0


@dataclass(frozen=True)
class Checked:
    """What a bundle says, and what of it does not fit; nothing wrong means that it is whole."""

    loan_id: str
    made_at: str
    rows: int
    forgotten: int
    size: int
    root: str
    fingerprint: str
    days: int
    wrong: tuple[Wrong, ...]


def check(bundle: Path, *, key: str | None = None) -> Checked:
    """Check a bundle, a directory or a ZIP file, against itself and against a key's fingerprint.

    `key` is the SHA-256 of the lender's public key in hex, or its first 16 digits or more; without
    it the bundle is held against the key that it names itself. Refused (RefusedBundle): what cannot
    be read, names that lead elsewhere, sizes beyond all measure.
    """
    files = read(bundle)
    manifest = _object(files, MANIFEST)
    if manifest.get("format") != FORMAT:
        raise RefusedBundle("unknown_format", MANIFEST)
    public = _bytes(manifest.get("public_key"))
    if public is None or len(public) != 32:
        raise RefusedBundle("no_public_key", MANIFEST)
    fingerprint = hashlib.sha256(public).hexdigest()
    wrong = _key(fingerprint, key) + _manifest(files, manifest, public)
    log = _object(files, LOG)
    wrong += _log(log, public)
    rows, more = _rows(files.get(ROWS, b""), log)
    loan = str(manifest.get("loan_id"))
    wrong += more + _whose(rows, loan) + _sources(files)
    return Checked(
        loan_id=loan, made_at=str(manifest.get("made_at")), rows=len(rows),
        forgotten=sum(row.get("payload") is None for _, row in rows), size=_number(log.get("size")),
        root=str(log.get("root")), fingerprint=fingerprint, days=len(_list(log.get("days"))),
        wrong=tuple(wrong),
    )  # fmt: skip


def read(bundle: Path) -> dict[str, bytes]:
    """Return the files of a bundle by their names; refuse what leads out of it."""
    try:
        if bundle.is_dir():
            return _of_directory(bundle)
        with zipfile.ZipFile(bundle) as archive:
            return _of_archive(archive)
    except _UNREADABLE as failure:
        raise RefusedBundle("unreadable", str(bundle)) from failure


def _of_directory(folder: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink() and name == "sources":
            continue
        _admit(name, found, path.stat().st_size, regular=path.is_file() and not path.is_symlink())
        found[name] = path.read_bytes()
    return found


def _of_archive(archive: zipfile.ZipFile) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for item in archive.infolist():
        name, kind = item.orig_filename, stat.S_IFMT(item.external_attr >> 16)
        _admit(name, found, item.file_size, regular=kind in (0, stat.S_IFREG))
        with archive.open(item) as file:
            found[name] = file.read(item.file_size + 1)
        if len(found[name]) != item.file_size:
            raise RefusedBundle("unreadable", name)
    return found


def _admit(name: str, found: Mapping[str, bytes], size: int, *, regular: bool) -> None:
    """Refuse a file that leads elsewhere, comes twice, or is too large."""
    if not regular or name in found or not _NAME.fullmatch(name):
        raise RefusedBundle("unsafe_name", name)
    whole = sum(map(len, found.values())) + size
    if size > FILE_BYTES_MAX or whole > BYTES_MAX or len(found) >= FILES_MAX:
        raise RefusedBundle("too_large", name)


def _key(fingerprint: str, key: str | None) -> list[Wrong]:
    if key is None:
        return []
    wanted = key.replace(":", "").replace(" ", "").lower()
    if len(wanted) < KEY_DIGITS_MIN or not re.fullmatch(r"[0-9a-f]{1,64}", wanted):
        raise RefusedBundle("bad_fingerprint")
    return [] if fingerprint.startswith(wanted) else [Wrong("other_key", MANIFEST)]


def _manifest(
    files: Mapping[str, bytes], manifest: Mapping[str, Any], public: bytes
) -> list[Wrong]:
    """Hold every file against the manifest, and the manifest against its signature."""
    wrong = []
    said = b"duly evidence v1\n" + _sha256(files[MANIFEST]).encode() + b"\n"
    signature = _bytes(files.get(SIGNATURE, b"").decode("ascii", "replace").strip())
    if not _signed(public, signature, said):
        wrong.append(Wrong("manifest_signature", SIGNATURE))
    listed = manifest.get("files")
    listed = listed if isinstance(listed, dict) else {}
    for name in sorted({*listed, *files} - {MANIFEST, SIGNATURE}):
        if name not in files:
            wrong.append(Wrong("file_missing", name))
        elif name not in listed:
            wrong.append(Wrong("file_added", name))
        elif listed[name] != _sha256(files[name]):
            wrong.append(Wrong("file_changed", name))
    return wrong


def _log(log: Mapping[str, Any], public: bytes) -> list[Wrong]:
    """Check the newest root's signature, and that the log of each day's root begins it."""
    wrong = []
    size, root = _number(log.get("size")), _bytes(log.get("root"))
    if root is None or not _signed(public, _bytes(log.get("signature")), _statement(size, root)):
        wrong.append(Wrong("root_signature", LOG))
    for place, told in enumerate(_list(log.get("days")), start=1):
        day = told if isinstance(told, dict) else {}
        before, earlier = _number(day.get("size")), _bytes(day.get("root")) or b""
        if not _signed(public, _bytes(day.get("signature")), _statement(before, earlier)):
            wrong.append(Wrong("day_signature", LOG, place))
        proof = _proof(day.get("proof"))
        if root is None or proof is None or not begins(before, size, proof, earlier, root):
            wrong.append(Wrong("day_not_in_log", LOG, place))
    return wrong


def _rows(text: bytes, log: Mapping[str, Any]) -> tuple[Rows, list[Wrong]]:
    """Return the rows by their lines, and what is wrong with each: its words, its place."""
    rows, wrong, before, places = [], list[Wrong](), -1, set[int]()
    size, root = _number(log.get("size")), _bytes(log.get("root"))
    for line, raw in enumerate(text.removesuffix(b"\n").split(b"\n"), start=1):
        row = _row(raw)
        if row is None:
            wrong.append(Wrong("row_unreadable", ROWS, line))
            continue
        rows.append((line, row))
        if row["number"] <= before:
            wrong.append(Wrong("row_order", ROWS, line))
        before = row["number"]
        if row["payload"] is not None:
            salt = _bytes(row["salt"])
            if salt is None or _sha256(salt + row["payload"].encode()) != row["payload_sha256"]:
                wrong.append(Wrong("payload_changed", ROWS, line))
        proof = _proof(row["proof"])
        index = row["leaf_index"]
        if root is None or proof is None or index in places or not contains(
            leaf_of(row), index, size, proof, root
        ):  # fmt: skip
            wrong.append(Wrong("row_not_in_log", ROWS, line))
        places.add(index)
    return rows, wrong


def _row(raw: bytes) -> dict[str, Any] | None:
    """Return a row with each of its cells as it has to be, None for anything else."""
    try:
        row = json.loads(raw)
        fits = isinstance(row, dict) and set(row) == set(_CELLS)
        if not fits or not all(isinstance(row[name], kind) for name, kind in _CELLS.items()):
            return None
        # A line break would let one cell's words pass for two cells'.
        leaf = "".join(row[name] for name in ("at", "kind", "subject", "payload_sha256"))
        (leaf + (row["payload"] or "")).encode()
    except (ValueError, RecursionError):
        return None
    return None if "\n" in leaf else row


def _whose(rows: Rows, loan: str) -> list[Wrong]:
    """Hold the rows against the row of this very export: whose they are, and that all are here."""
    last = next((at for at in reversed(rows) if at[1]["kind"] == "evidence.exported"), None)
    told = _told(last[1]) if last is not None else {}
    if last is None or last[1]["subject"] != loan or told.get("loan_id") != loan:
        return [Wrong("other_loan", MANIFEST)]
    wrong, borrower = [], told.get("borrower_id")
    others = [row for at, row in rows if at != last[0]]
    numbers = "\n".join(str(row["number"]) for row in others)
    if told.get("rows") != len(others) or told.get("numbers_sha256") != _sha256(numbers.encode()):
        wrong.append(Wrong("rows_missing", ROWS))
    deleted = any(row["kind"] == "person.deleted" and row["subject"] == borrower for _, row in rows)
    for line, row in rows:
        if row["payload"] is None and not deleted:
            wrong.append(Wrong("payload_missing", ROWS, line))
        if _told(row).get("borrower_id", borrower) != borrower:
            wrong.append(Wrong("other_borrower", ROWS, line))
    return wrong


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return dict(json.loads(row["payload"] or "{}"))
    except (ValueError, TypeError, RecursionError):
        return {}


def _sources(files: Mapping[str, bytes]) -> list[Wrong]:
    """Check that each kept text is the one whose fingerprint names it."""
    kept = [(name, data) for name, data in sorted(files.items()) if name.startswith("sources/")]
    return [Wrong("source_changed", name) for name, data in kept if _sha256(data) not in name]


def leaf_of(row: Mapping[str, Any]) -> bytes:
    """Return the hash of a row's leaf."""
    parts = (str(row["number"]), row["at"], row["kind"], row["subject"], row["payload_sha256"])
    return hashlib.sha256(b"\x00" + "\n".join(parts).encode()).digest()


def contains(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether a leaf stands at an index of a log (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    first, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            return False
        if first & 1 or first == last:
            found = _node(one, found)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            found = _node(found, one)
        first, last = first >> 1, last >> 1
    return last == 0 and found == root


def begins(before: int, size: int, proof: Sequence[bytes], earlier: bytes, root: bytes) -> bool:
    """Return whether the log of a root begins with the log of an earlier (RFC 9162, 2.1.4.2)."""
    if before == size:
        return not proof and earlier == root
    if not 0 < before < size or not proof:
        return False
    path = list(proof) if before & (before - 1) else [earlier, *proof]
    first, last = before - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old, new = _node(one, old), _node(one, new)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            new = _node(new, one)
        first, last = first >> 1, last >> 1
    return last == 0 and old == earlier and new == root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _statement(size: int, root: bytes) -> bytes:
    return f"duly log root v1\n{size}\n{root.hex()}\n".encode()


def _signed(public: bytes, signature: bytes | None, said: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature or b"", said)
    except (InvalidSignature, ValueError):
        return False
    return True


def _object(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    try:
        found = json.loads(files[name])
    except KeyError:
        raise RefusedBundle("no_bundle", name) from None
    except (ValueError, RecursionError):
        raise RefusedBundle("unreadable", name) from None
    if not isinstance(found, dict):
        raise RefusedBundle("unreadable", name)
    return found


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _bytes(value: object) -> bytes | None:
    return bytes.fromhex(value) if isinstance(value, str) and _HEX.fullmatch(value) else None


def _proof(value: object) -> list[bytes] | None:
    found = [_bytes(one) for one in _list(value)]
    whole = [one for one in found if one is not None and len(one) == 32]
    return whole if isinstance(value, list) and len(whole) == len(found) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: object) -> int:
    return value if isinstance(value, int) else -1


def _words(bundle: Path) -> Mapping[str, str]:
    """Return the bundle's own words for what is found, in the reader's language."""
    said = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = "zh-CN" if next(filter(None, said), "").lower().startswith("zh") else "en"
    try:
        return dict(json.loads(read(bundle)["words.json"])[locale])
    except (RefusedBundle, ValueError, KeyError, TypeError):
        return {}


def main(words: Sequence[str]) -> int:
    """Check the bundle that is named: 0 whole, 1 something does not fit, 2 refused."""
    given, key = list(words), None
    if "--key" in given:
        at = given.index("--key")
        key = "".join(given[at + 1 : at + 2])
        del given[at : at + 2]
    bundle = Path(given[0]) if given else Path(__file__).parent
    said = _words(bundle)
    try:
        found = check(bundle, key=key)
    except RefusedBundle as refused:
        sys.stderr.write(f"{refused} {said.get(refused.code, '')}\n")
        return 2
    for one in found.wrong:
        place = f"{one.file}:{one.line}" if one.line else one.file
        sys.stderr.write(f"{place} {one.code} {said.get(one.code, '')}\n")
    told = {**vars(found), "pinned": key is not None, "wrong": len(found.wrong)}
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
