"""A table as a file that a spreadsheet reads, in Chinese too, and takes no cell for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

#: What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet(
    name: str, head: Sequence[str], rows: Iterable[Sequence[str]]
) -> HttpResponse:  # fmt: skip
    """Return a table as a CSV file of that name."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    # The mark at the beginning lets a spreadsheet read Chinese.
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
