"""A bundle as files (docs/evidence.md): rows, log, sources, words, verifier, signed manifest."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC
from importlib import resources
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from duly.audit import bundle
from duly.audit.signing import SigningKey
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import LOCALES, catalogue, say
from duly.plan.write import write_whole
from duly.service import sealing
from duly.service.evidence.gathering import Gathered
from duly.service.operations.proving import Row

#: What a directory of ours may hold, and may therefore be written over.
_OURS = frozenset(
    {
        bundle.MANIFEST, bundle.SIGNATURE, bundle.LOG, bundle.ROWS, "sources", "sources.json",
        "words.json", "verify.py", "README.md", "README.zh-CN.md", "evidence.en.html",
        "evidence.zh-CN.html",
    }
)  # fmt: skip


def refuse_taken(out: Path) -> None:
    """Refuse a place where something else lies: a file, or a directory that is no bundle."""
    if out.suffix == ".zip":
        taken = out.exists()
    else:
        taken = out.exists() and not (
            out.is_dir() and {item.name for item in out.iterdir()} <= _OURS
        )
    if taken:
        raise Refused(Diagnostic(area="evidence", code="out_taken", values={"path": out}))


def rows_and_log(found: Gathered) -> dict[str, bytes]:
    """Return the rows, one a line, and the roots."""
    log = {
        "size": found.size,
        "root": found.root.hex(),
        "at": found.at.astimezone(UTC).isoformat(),
        "signature": found.signature.hex(),
        "days": [
            {"day": one.day, "size": one.size, "root": one.root.hex(),
             "at": one.at.astimezone(UTC).isoformat(), "signature": one.signature.hex(),
             "proof": [part.hex() for part in one.proof]}
            for one in found.days
        ],
    }  # fmt: skip
    lines = [json.dumps(_line(row), ensure_ascii=False) for row in found.rows]
    return {bundle.LOG: _json(log), bundle.ROWS: ("\n".join(lines) + "\n").encode()}


def _line(row: Row) -> dict[str, object]:
    payload = row.payload
    return {
        "number": row.number,
        "at": instant_of(row),
        "kind": row.kind,
        "subject": row.subject,
        "payload": None if payload is None else payload.text,
        "salt": None if payload is None else payload.salt.hex(),
        "payload_sha256": row.payload_sha256,
        "leaf_index": row.index,
        "proof": [one.hex() for one in row.proof],
    }


def instant_of(row: Row) -> str:
    """Return when a row was written, as its leaf says it."""
    return sealing.instant_of(row.at.astimezone(UTC))


def sources(kept: Sequence[Mapping[str, str]]) -> dict[str, bytes]:
    """Return the texts that decided and were said, each under its fingerprint, and their list."""
    files = {f"sources/{one['sha256']}.txt": one["text"].encode() for one in kept}
    named = [{name: one[name] for name in ("kind", "name", "sha256")} for one in kept]
    return {**files, "sources.json": _json(named)}


def standing() -> dict[str, bytes]:
    """Return what every bundle has: the verifier, its words, and how to use it."""
    words = {locale: catalogue("bundle", locale) for locale in LOCALES}
    return {
        "verify.py": resources.files("duly.audit").joinpath("bundle.py").read_bytes(),
        "words.json": _json(words),
        "README.md": say("evidence", "readme", "en").encode(),
        "README.zh-CN.md": say("evidence", "readme", "zh-CN").encode(),
    }


def signed(
    files: Mapping[str, bytes], *, head: Mapping[str, object], key: SigningKey
) -> dict[str, bytes]:
    """Return the files with a manifest that names each by its SHA-256, and its signature."""
    manifest = _json(
        {
            "format": bundle.FORMAT,
            **head,
            "public_key": key.public.hex(),
            "fingerprint": digest.of_bytes(key.public),
            "files": {name: digest.of_bytes(data) for name, data in files.items()},
        }
    )
    said = b"duly evidence v1\n" + digest.of_bytes(manifest).encode() + b"\n"
    signature = Ed25519PrivateKey.from_private_bytes(key.seed).sign(said)
    return {
        **files,
        bundle.MANIFEST: manifest,
        bundle.SIGNATURE: signature.hex().encode() + b"\n",
    }


def write(files: Mapping[str, bytes], out: Path) -> None:
    """Write a bundle at once, or nothing: a ZIP file where the name ends so, else a directory."""
    if out.suffix == ".zip":
        _write_archive(files, out)
        return

    def fill(folder: Path) -> None:
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)

    write_whole(out, fill, ours=_OURS)


def _write_archive(files: Mapping[str, bytes], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    half = out.with_name(f".{out.name}.half-{os.getpid()}")
    try:
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted(files.items()):
                # Without the file system's times: the same evidence gives the same bytes.
                item = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                item.compress_type = zipfile.ZIP_DEFLATED
                item.external_attr = 0o100644 << 16
                archive.writestr(item, data)
        half.replace(out)
    finally:
        half.unlink(missing_ok=True)


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
