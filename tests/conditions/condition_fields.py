"""The names that the tests of conditions use: one of each kind."""

from __future__ import annotations

from duly.conditions import Field

_FIELDS = (
    Field(name="days_past_due", kind="integer", doc_key="x"),
    Field(name="days_to_due", kind="integer", doc_key="x", nullable=True),
    Field(name="late_count", kind="integer", doc_key="x"),
    Field(name="overdue_total", kind="money", doc_key="x"),
    Field(name="monthly_income", kind="money", doc_key="x", nullable=True),
    Field(name="yen", kind="money", doc_key="x", decimals=0),
    Field(name="product", kind="text", doc_key="x", nullable=True),
    Field(name="bucket", kind="text", doc_key="x", values=("M0", "M1", "M7+")),
    Field(name="replied", kind="boolean", doc_key="x"),
    Field(name="undelivered", kind="boolean", doc_key="x", nullable=True),
    Field(name="changed_on", kind="date", doc_key="x", nullable=True),
    Field(name="class", kind="text", doc_key="x"),
    Field(name="at", kind="text", doc_key="x"),
)
VOCABULARY = {field.name: field for field in _FIELDS}
