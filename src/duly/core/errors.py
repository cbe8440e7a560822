"""Refusals.

DulyError
└── Refused            nothing was written (exit 2)
"""

from __future__ import annotations

from duly.core.diagnostic import Diagnostic


class DulyError(Exception):
    """The root of every exception that Duly raises on purpose."""


class Refused(DulyError):
    """The operation was refused and nothing was written; the diagnostics say why."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__("\n".join(item.render("en") for item in diagnostics))
