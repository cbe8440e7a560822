"""The pictures of the report: the flow, drawn here, and the charts, drawn by ECharts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: One deep green-blue for contact, amber where a person is needed, warm greys for the rest.
_COLORS = {
    "contact": "#0f5f66",
    "task": "#c98a1b",
    "wait": "#c3bbae",
    "hold": "#8c8375",
    "blocked": "#4a443c",
    "none": "#e3ded5",
    "quarantined": "#e2bd77",
}
_CHANNELS = ("#0f5f66", "#7fa9a8", "#8c8375", "#c3bbae")
_ROW_PX = 58  #: least height of a row of the flow
_SPREAD_PX = 230  #: height shared out by the number of loans


@dataclass(frozen=True, kw_only=True)
class FlowRow:
    """One kind of decision at the right end of the flow."""

    decision: str
    loans: int
    height: int  #: pixels
    ribbon: str  #: path of the ribbon in a box 100 wide and as high as the flow
    color: str


@dataclass(frozen=True, kw_only=True)
class Flow:
    """The book on the left, its decisions on the right."""

    height: int
    book_top: int
    book_height: int
    rows: tuple[FlowRow, ...]


def flow(loans: Mapping[str, int]) -> Flow:
    """Return the flow from the book to its decisions; ribbons are as thick as their loans."""
    total = max(sum(loans.values()), 1)
    thick = {key: _SPREAD_PX * count // total for key, count in loans.items()}
    book_height = sum(thick.values())
    height = _ROW_PX * len(loans) + book_height
    left, top = (height - book_height) // 2, 0
    rows = []
    for key, count in loans.items():
        row_height = _ROW_PX + thick[key]
        right = top + _ROW_PX // 2
        width = max(thick[key], 1) if count else 0
        rows.append(
            FlowRow(
                decision=key,
                loans=count,
                height=row_height,
                ribbon=_ribbon(left, right, width),
                color=decision_color(key),
            )
        )
        left += thick[key]
        top += row_height
    start = (height - book_height) // 2
    return Flow(height=height, book_top=start, book_height=book_height, rows=tuple(rows))


def _ribbon(left: int, right: int, width: int) -> str:
    if width == 0:
        return ""
    return (
        f"M0 {left}C50 {left} 50 {right} 100 {right}V{right + width}"
        f"C50 {right + width} 50 {left + width} 0 {left + width}Z"
    )


def bars(rows: Sequence[tuple[str, int, str]], most: int) -> dict[str, object]:
    """Return horizontal bars of (label, value, decision); `most` sets the scale."""
    return {
        "kind": "bars",
        "labels": [label for label, _, _ in rows],
        "values": [value for _, value, _ in rows],
        "texts": [f"{value:,}" for _, value, _ in rows],
        "colors": [decision_color(decision) for _, _, decision in rows],
        "most": most,
    }


def columns(
    labels: Sequence[str], series: Mapping[str, Sequence[int]], texts: Sequence[str]
) -> dict[str, object]:
    """Return stacked columns, each labelled on top with its text."""
    return {
        "kind": "columns",
        "labels": list(labels),
        "series": [
            {"name": name, "values": list(values), "color": channel_color(index)}
            for index, (name, values) in enumerate(series.items())
        ],
        "texts": list(texts),
    }


def decision_color(decision: str) -> str:
    """Return the color of one kind of decision."""
    return _COLORS.get(decision, _COLORS["wait"])


def channel_color(index: int) -> str:
    """Return the color of the series at `index`."""
    return _CHANNELS[index % len(_CHANNELS)]


def embedded(charts: Mapping[str, object]) -> str:
    """Return the charts as JSON that may stand inside a script element."""
    text = json.dumps(charts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
