"""A stranger's check of a bundle, written from docs/evidence.md alone: nothing of Duly is used."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def files_of(archive: bytes) -> dict[str, bytes]:
    """Return the files of a ZIP by their names."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def h(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def node(left: bytes, right: bytes) -> bytes:
    return h(b"\x01" + left + right)


def root_from(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that a path leads to, by the recursion of RFC 9162, 2.1.3.1, backwards."""
    if size == 1:
        assert not path
        return leaf
    split = 1
    while split * 2 < size:
        split *= 2
    if index < split:
        return node(root_from(leaf, index, split, path[:-1]), path[-1])
    return node(path[-1], root_from(leaf, index - split, size - split, path[:-1]))


def old_and_new(before: int, size: int, proof: list[bytes], *, whole: bool, old: bytes):
    """Return both roots that a consistency proof gives, by the recursion of RFC 9162, 2.1.4.1."""
    if before == size:
        if whole:
            assert not proof
            return old, old
        (only,) = proof
        return only, only
    split = 1
    while split * 2 < size:
        split *= 2
    *rest, last = proof
    if before <= split:
        one, new = old_and_new(before, split, rest, whole=whole, old=old)
        return one, node(new, last)
    one, new = old_and_new(before - split, size - split, rest, whole=False, old=old)
    return node(last, one), node(last, new)


def check(files: dict[str, bytes], fingerprint: str) -> list[dict]:
    """Return the rows of a bundle; AssertionError or an invalid signature where it is not whole."""
    manifest = json.loads(files["manifest.json"])
    assert manifest["format"] == "duly-evidence/1"
    public = bytes.fromhex(manifest["public_key"])
    assert hashlib.sha256(public).hexdigest() == fingerprint == manifest["fingerprint"]
    key = Ed25519PublicKey.from_public_bytes(public)
    said = f"duly evidence v1\n{hashlib.sha256(files['manifest.json']).hexdigest()}\n"
    key.verify(bytes.fromhex(files["manifest.sig"].decode().strip()), said.encode())
    assert set(manifest["files"]) == set(files) - {"manifest.json", "manifest.sig"}
    for name, sha in manifest["files"].items():
        assert hashlib.sha256(files[name]).hexdigest() == sha, name
    log = json.loads(files["log.json"])
    root = bytes.fromhex(log["root"])
    signed(key, log)
    for day in log["days"]:
        signed(key, day)
        old = bytes.fromhex(day["root"])
        proof = [bytes.fromhex(one) for one in day["proof"]]
        found = old_and_new(day["size"], log["size"], proof, whole=True, old=old)
        assert found == (old, root), day["day"]
    rows = [json.loads(line) for line in files["rows.jsonl"].decode().splitlines()]
    numbers = [row["number"] for row in rows]
    assert numbers == sorted(set(numbers))
    for row in rows:
        if row["payload"] is not None:
            salted = bytes.fromhex(row["salt"]) + row["payload"].encode()
            assert hashlib.sha256(salted).hexdigest() == row["payload_sha256"]
        parts = (str(row["number"]), row["at"], row["kind"], row["subject"], row["payload_sha256"])
        leaf = h(b"\x00" + "\n".join(parts).encode())
        path = [bytes.fromhex(one) for one in row["proof"]]
        assert root_from(leaf, row["leaf_index"], log["size"], path) == root
    told = json.loads(rows[-1]["payload"])
    assert (rows[-1]["kind"], rows[-1]["subject"]) == ("evidence.exported", manifest["loan_id"])
    others = "\n".join(str(number) for number in numbers[:-1])
    assert told["rows"] == len(rows) - 1
    assert told["numbers_sha256"] == hashlib.sha256(others.encode()).hexdigest()
    for source in json.loads(files["sources.json"]):
        text = files[f"sources/{source['sha256']}.txt"]
        assert hashlib.sha256(text).hexdigest() == source["sha256"]
    return rows


def signed(key: Ed25519PublicKey, root: dict) -> None:
    """Check the signature of a root at its size."""
    said = f"duly log root v1\n{root['size']}\n{root['root']}\n"
    key.verify(bytes.fromhex(root["signature"]), said.encode())
