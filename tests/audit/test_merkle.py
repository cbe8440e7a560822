"""Goal: the log is the RFC's, its proofs hold, and no other claim passes for one.

Method: the definition of RFC 9162 written as it stands, beside the log; every pair up to a size;
the known vectors of certificate transparency.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duly.audit import (
    EMPTY_ROOT,
    consistency_proof,
    grow,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

#: The leaves of the reference tests of certificate transparency, and the roots of each size.
LEAVES = tuple(bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
))  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def root_by_the_book(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    left, right = root_by_the_book(leaves[:k]), root_by_the_book(leaves[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


class Log:
    """A log in memory: what a database keeps."""

    def __init__(self, leaves: Sequence[bytes], batch: int = 3) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.roots = [EMPTY_ROOT]
        self.size, self.peaks = 0, ()
        for start in range(0, len(leaves), batch):
            for leaf in leaves[start : start + batch]:
                grown = grow(self.size, self.peaks, [leaf_hash(leaf)])
                assert not set(grown.nodes) & set(self.nodes), "nothing kept is changed"
                self.nodes |= grown.nodes
                self.size, self.peaks = grown.size, grown.peaks
                self.roots.append(root_of(self.peaks))

    def node(self, level: int, number: int) -> bytes:
        return self.nodes[level, number]


NUMBERS = tuple(str(number).encode() for number in range(33))
LOG = Log(NUMBERS)


def test_the_roots_are_those_of_certificate_transparency() -> None:
    log = Log(LEAVES)
    assert [root.hex() for root in log.roots[1:]] == list(ROOTS)
    assert log.roots[0] == root_by_the_book(())


@given(st.lists(st.binary(max_size=8), max_size=40), st.integers(1, 9))
def test_growing_by_batches_gives_the_root_of_the_definition(
    leaves: list[bytes], batch: int
) -> None:
    size, peaks = 0, ()
    for start in range(0, len(leaves), batch):
        grown = grow(size, peaks, [leaf_hash(one) for one in leaves[start : start + batch]])
        size, peaks = grown.size, grown.peaks
    assert root_of(peaks) == root_by_the_book(leaves)


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_is_proven_and_no_other_is(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(index, size, LOG.node)
        leaf, root = leaf_hash(NUMBERS[index]), LOG.roots[size]
        assert verify_inclusion(leaf, index, size, proof, root)
        assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, root)
        assert not verify_inclusion(leaf, index, size, proof, LOG.roots[size - 1])
        assert not verify_inclusion(leaf, index, size, (*proof, root), root)
        if proof:
            assert not verify_inclusion(leaf, index, size, proof[:-1], root)
        for other in (-1, size, index + 1 if index + 1 < size else -1):
            assert not verify_inclusion(leaf, other, size, proof, root) or size == 1


@pytest.mark.parametrize("size", range(1, 34))
def test_a_log_that_grew_is_proven_and_one_that_was_changed_is_not(size: int) -> None:
    for earlier in range(1, size + 1):
        proof = consistency_proof(earlier, size, LOG.node)
        old, new = LOG.roots[earlier], LOG.roots[size]
        assert verify_consistency(earlier, size, proof, old, new)
        assert not verify_consistency(earlier, size, proof, old, LOG.roots[size - 1])
        assert not verify_consistency(earlier, size, (*proof, old), old, new)
        if earlier < size:
            assert not verify_consistency(earlier, size, proof, LOG.roots[earlier - 1], new)
            assert not verify_consistency(earlier, size, proof[:-1], old, new)
    assert not verify_consistency(0, size, (), EMPTY_ROOT, LOG.roots[size])
    assert not verify_consistency(size + 1, size, (), EMPTY_ROOT, LOG.roots[size])
