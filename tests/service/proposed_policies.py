"""The built-in policy as somebody proposes it anew: another version, another floor."""

from __future__ import annotations

from duly.core import digest
from duly.plan.kept import policy_bytes

BUILT_IN = policy_bytes("cn-installment").decode()
BASE = digest.of_bytes(BUILT_IN.encode())


def another(version: int = 2, floor: str = "50.00") -> str:
    """Return the built-in policy as another version, with another floor."""
    found = BUILT_IN.replace("version: 1\n", f"version: {version}\n", 1)
    found = found.replace('floor: "20.00"', f'floor: "{floor}"', 1)
    assert found.count(f'floor: "{floor}"') == 1
    return found
