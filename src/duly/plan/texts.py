"""Orders become texts: the templates rendered column by column, with segments and check codes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import duckdb
import pyarrow as pa

from duly.core.check_key import CheckKey
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.messages import Alike, Body, CannotSay, check_codes, fill_codes, render_alike
from duly.plan import instants
from duly.plan.inputs import PlanInputs

_SAID = frozenset({"text", "params", "segments"})
_WRITTEN_AS = ("template", "locale", "channel", "tone")

MESSAGE_SCHEMA = pa.schema(
    [
        ("message_id", pa.string()),
        ("borrower_id", pa.string()),
        ("loan_ids", pa.list_(pa.string())),
        ("channel", pa.string()),
        ("address", pa.string()),
        ("locale", pa.string()),
        ("class", pa.string()),
        ("template", pa.string()),
        ("tone", pa.string()),
        ("text", pa.string()),
        ("params", pa.string()),
        ("segments", pa.int32()),
        ("not_before", pa.timestamp("us")),
        ("not_after", pa.timestamp("us")),
    ]
)


def read_orders(
    connection: duckdb.DuckDBPyConnection, only: Collection[str] | None = None
) -> pa.Table:
    """Return the messages to write, sorted by message_id; of `only` these borrowers."""
    whose = ""
    if only is not None:
        connection.register("only_whom", pa.table({"borrower_id": sorted(only)}))
        whose = "where borrower_id in (select borrower_id from only_whom)"
    return connection.sql(f"select * from orders {whose} order by message_id").to_arrow_table()


def write_texts(orders: pa.Table, inputs: PlanInputs) -> tuple[pa.Table, tuple[Alike, ...]]:
    """Return the `messages` table, and which are alike in all but their values.

    `{code}` is unfilled in its texts; it is sorted by message_id. Refuses (Refused) a plan whose
    policy sends a text that the facts of a loan do not carry.
    """
    known = known_until(inputs)
    try:
        said, alike = render_alike(
            orders,
            inputs.lender,
            inputs.catalogue,
            as_of=known.date(),
            as_of_time=known.strftime("%H:%M"),
        )
    except CannotSay as error:
        values = {"template": error.template, "problem": "; ".join(error.problems)}
        raise Refused(Diagnostic(area="plan", code="cannot_say", values=values)) from error
    made = [
        said[field.name] if field.name in _SAID else orders.column(field.name).cast(field.type)
        for field in MESSAGE_SCHEMA
    ]
    return pa.table(made, schema=MESSAGE_SCHEMA), alike


def known_until(inputs: PlanInputs) -> datetime:
    """Return up to when the book knew payments, in the lender's zone: never after the plan.

    A book that does not say is known until 00:00 of the business date.
    """
    cut_at = inputs.cut_at or instants.midnight(inputs.business_date, inputs.zone)
    return min(cut_at, inputs.instant).astimezone(inputs.zone)


def versions_said(messages: pa.Table, inputs: PlanInputs) -> Mapping[str, str]:
    """Return the version and SHA-256 of each text that a message of the plan has."""
    return {body.key: f"{body.version} {body.sha256}" for body in bodies_said(messages, inputs)}


def bodies_said(messages: pa.Table, inputs: PlanInputs) -> tuple[Body, ...]:
    """Return the texts from which the messages of the plan were written, by their keys."""
    kinds = messages.select(_WRITTEN_AS).group_by(list(_WRITTEN_AS)).aggregate([]).to_pylist()
    found = {}
    for kind in kinds:
        template = inputs.catalogue.served(kind["template"], kind["locale"], inputs.lender.locale)
        assert template is not None, "a message was written from a template"
        body = template.bodies[kind["channel"], kind["tone"]]
        found[body.key] = body
    return tuple(body for _, body in sorted(found.items()))


def sign(messages: pa.Table, key: CheckKey) -> pa.Table:
    """Return the messages with their check codes filled in, in the contract's column order."""
    codes = check_codes(key.secret, messages.column("message_id"))
    texts = fill_codes(messages.column("text"), codes)
    signed = messages.set_column(messages.schema.get_field_index("text"), "text", texts)
    at = signed.schema.get_field_index("segments") + 1
    signed = signed.add_column(at, "code", codes)
    return signed.add_column(at + 1, "key_id", pa.repeat(key.key_id, len(codes)))
