"""The Merkle tree of a log, as RFC 9162 (section 2.1) defines it, grown a batch at a time.

Kept are the hashes of complete subtrees, by (level, number): level 0 are the leaves. A tree of any
size is a row of complete subtrees, its peaks; nothing kept ever changes when the log grows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from duly.audit.bundle import begins, contains

EMPTY_ROOT = hashlib.sha256(b"").digest()

Peaks: TypeAlias = tuple[tuple[int, bytes], ...]  #: (level, hash), from the left, levels falling
Place: TypeAlias = tuple[int, int]  #: level and number of a complete subtree
Node: TypeAlias = Callable[[int, int], bytes]  #: gives the hash kept at a place


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, kw_only=True)
class Grown:
    """A log after some leaves were added: its size, its peaks, and the subtrees now complete."""

    size: int
    peaks: Peaks
    nodes: Mapping[Place, bytes] = field(default_factory=dict)


def grow(size: int, peaks: Peaks, leaves: Sequence[bytes]) -> Grown:
    """Return the log of `size` leaves with more leaf hashes added at its end."""
    stack, nodes = list(peaks), {}
    for leaf in leaves:
        level, found, number = 0, leaf, size
        nodes[level, number] = found
        while stack and stack[-1][0] == level:
            found = node_hash(stack.pop()[1], found)
            level, number = level + 1, number >> 1
            nodes[level, number] = found
        stack.append((level, found))
        size += 1
    return Grown(size=size, peaks=tuple(stack), nodes=nodes)


def root_of(peaks: Peaks) -> bytes:
    """Return the root over the peaks of a log."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1][1]
    for _, left in reversed(peaks[:-1]):
        root = node_hash(left, root)
    return root


def inclusion_proof(index: int, size: int, node: Node) -> tuple[bytes, ...]:
    """Return the hashes that lead from a leaf to the root of the log's first `size` leaves."""
    assert 0 <= index < size, "the leaf is in the log"
    return tuple(_path(index, 0, size, node))


def _path(index: int, start: int, end: int, node: Node) -> list[bytes]:
    if end - start == 1:
        return []
    split = start + _split(end - start)
    if index < split:
        return [*_path(index, start, split, node), _range(split, end, node)]
    return [*_path(index, split, end, node), _range(start, split, node)]


def consistency_proof(earlier: int, size: int, node: Node) -> tuple[bytes, ...]:
    """Return the hashes that show that a log of `size` leaves begins with its first `earlier`."""
    assert 0 < earlier <= size, "a log that grew"
    return tuple(_subproof(earlier, 0, size, node, whole=True))


def _subproof(earlier: int, start: int, end: int, node: Node, *, whole: bool) -> list[bytes]:
    if start + earlier == end:
        return [] if whole else [_range(start, end, node)]
    split = _split(end - start)
    if earlier <= split:
        left = _subproof(earlier, start, start + split, node, whole=whole)
        return [*left, _range(start + split, end, node)]
    right = _subproof(earlier - split, start + split, end, node, whole=False)
    return [*right, _range(start, start + split, node)]


def _split(count: int) -> int:
    """Return the largest power of two below a count of at least two."""
    power: int = 1 << ((count - 1).bit_length() - 1)
    return power


def _range(start: int, end: int, node: Node) -> bytes:
    """Return the hash over the leaves from `start` to `end`, of complete subtrees from the left."""
    count = end - start
    if count & (count - 1) == 0 and start % count == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    split = start + _split(count)
    return node_hash(_range(start, split, node), _range(split, end, node))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Return whether a proof leads from a leaf hash at an index to a root (RFC 9162, 2.1.3.2)."""
    return contains(leaf, index, size, proof, root)


def verify_consistency(
    earlier: int, size: int, proof: Sequence[bytes], earlier_root: bytes, root: bytes
) -> bool:
    """Return whether a log with one root begins with a log of another (RFC 9162, 2.1.4.2)."""
    return begins(earlier, size, proof, earlier_root, root)
