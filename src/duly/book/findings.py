"""Diagnostics of this package: every sentence stands in the catalogue `book`."""

from __future__ import annotations

from duly.core.diagnostic import Diagnostic, Severity


def finding(code: str, file: str, severity: Severity = "error", **more: object) -> Diagnostic:
    """Return a diagnostic of this package; `line` and `column` go to its place."""
    line, column = more.pop("line", 0), more.pop("column", "")
    assert isinstance(line, int)
    return Diagnostic(
        area="book",
        code=code,
        severity=severity,
        file=file,
        line=line,
        column=str(column),
        values={"column": column, "row": line, **more},
    )
