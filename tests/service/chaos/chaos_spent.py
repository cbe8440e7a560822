"""What processes have spent, by Linux: the processor's seconds, memory."""

from __future__ import annotations

import os
from pathlib import Path

from chaos_store import Store


def seconds_of(pid: int, *, ended: bool = False) -> float:
    """Return the processor's seconds of a process; with `ended` those of its dead children too."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(one) for one in told[11 : 15 if ended else 13]) / os.sysconf("SC_CLK_TCK")


def of_server(store: Store) -> float:
    """Return those of a store's server, its connections with it."""
    postmaster = int((store.place.data / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return seconds_of(postmaster, ended=True) + sum(seconds_of(int(one)) for one in children)


def memory_of(pid: int) -> int:
    """Return the KiB that a process has in memory; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)
