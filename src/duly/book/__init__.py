"""What were we told? Schema, reading, quarantine, the snapshot and its hash."""

from duly.book.check import CheckResult, check
from duly.book.lender import (
    Answers,
    Console,
    Daily,
    Lender,
    Limits,
    PaymentProvider,
    Payments,
    People,
    Portal,
    Relief,
    Route,
)
from duly.book.lender_file import load_lender
from duly.book.schema import TABLES
from duly.book.snapshot import (
    Snapshot,
    is_snapshot,
    open_snapshot,
    read_snapshot,
    take_snapshot,
    verify_snapshot,
)

__all__ = [
    "TABLES",
    "Answers",
    "CheckResult",
    "Console",
    "Daily",
    "Lender",
    "Limits",
    "PaymentProvider",
    "Payments",
    "People",
    "Portal",
    "Relief",
    "Route",
    "Snapshot",
    "check",
    "is_snapshot",
    "load_lender",
    "open_snapshot",
    "read_snapshot",
    "take_snapshot",
    "verify_snapshot",
]
