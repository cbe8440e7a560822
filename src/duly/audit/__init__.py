"""How do we prove what happened? A Merkle log: who is in it, and that it only grew."""

from duly.audit.merkle import (
    EMPTY_ROOT,
    Grown,
    Peaks,
    consistency_proof,
    grow,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

__all__ = [
    "EMPTY_ROOT",
    "Grown",
    "Peaks",
    "consistency_proof",
    "grow",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "root_of",
    "verify_consistency",
    "verify_inclusion",
]
