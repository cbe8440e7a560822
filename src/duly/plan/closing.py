"""What happens where a finished text breaks a rule: another channel, else a person looks.

A channel on which a text is unlawful is closed to its loans, and these borrowers alone are decided
again: by the next channel of the treatment that reaches them, else `task`, `text_unlawful`. All
others keep what was decided. Each round closes a channel of every borrower in it, so rounds end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from duly.book import engine
from duly.core.diagnostic import Diagnostic
from duly.plan import required, saying, stages, texts
from duly.plan.inputs import PlanInputs
from duly.plan.narrow import narrow_to
from duly.plan.saying import Unlawful

#: Outcomes of an inner plan of these borrowers, under these closed channels.
Decide = Callable[[PlanInputs, pa.Table], pa.Table]

_CLOSED = pa.schema(
    [("loan_id", pa.string()), ("sms", pa.bool_()), ("email", pa.bool_()),
     ("rules", pa.list_(pa.string()))]
)  # fmt: skip
_OTHERWISE = """
insert into outcomes by name
select n.* replace (l.loan as loan, l.borrower as borrower)
from outcomes_anew as n join loans as l on l.loan_id = n.loan_id
"""


@dataclass(frozen=True, kw_only=True)
class Said:
    """Finished messages, sorted by message_id, and those that must not be sent."""

    messages: pa.Table
    unlawful: tuple[Unlawful, ...]

    @property
    def alerts(self) -> tuple[Diagnostic, ...]:
        """What the run must say of texts that were not sent."""
        return alerts(self.unlawful)


def say(orders: pa.Table, inputs: PlanInputs, *, own: bool) -> Said:
    """Write the texts of orders, with what the packs demand, and ask each what it says.

    `own`: every loan of the book is owed to the lender itself.
    """
    messages, alike = texts.write_texts(orders, inputs)
    groups = tuple(required.grouped(alike, orders, inputs, inputs.asked, own=own))
    messages, groups = required.add_required(messages, groups, inputs.rules)
    return Said(messages=messages, unlawful=saying.unlawful(messages, groups, inputs.asked))


def prepare(connection: duckdb.DuckDBPyConnection, closed: pa.Table | None = None) -> None:
    """Create the relation of closed channels that the stages ask; at first none is."""
    connection.register("closed_now", _CLOSED.empty_table() if closed is None else closed)
    connection.execute("create or replace table closed_texts as select * from closed_now")


def until_lawful(
    connection: duckdb.DuckDBPyConnection,
    inputs: PlanInputs,
    holes: Mapping[str, str],
    said: Said,
    *,
    own: bool,
    decide: Decide,
    work: Path | None,
) -> Said:
    """Return only messages that may be sent, and every one that may not; settle the others anew.

    `decide` runs the stages up to the outcomes of the book that it is given.
    """
    found = {_of(one): one for one in said.unlawful}
    messages, wrong = said.messages, said.unlawful
    while wrong:
        whom = {one.borrower_id for one in found.values()}
        closed = _closed(found.values())
        prepare(connection, closed)
        with TemporaryDirectory(dir=work) as folder:
            small = narrow_to(inputs.snapshot, sorted(whom), Path(folder) / "snapshot")
            anew = decide(replace(inputs, snapshot=small), closed)
        _settle(connection, holes, anew, whom)
        again = say(texts.read_orders(connection, whom), inputs, own=own)
        messages = _exchanged(messages, again.messages, whom)
        wrong = again.unlawful
        new = {_of(one): one for one in wrong}
        assert not new.keys() & found.keys(), "each round closes a channel of its loans"
        found |= new
    told = tuple(one for _, one in sorted(found.items()))
    return Said(messages=messages, unlawful=told)


def _of(one: Unlawful) -> tuple[str, str, tuple[str, ...]]:
    return one.message_id, one.channel, one.loan_ids


def _closed(unlawful: Iterable[Unlawful]) -> pa.Table:
    channels: dict[str, set[str]] = {}
    rules: dict[str, set[str]] = {}
    for one in unlawful:
        for loan in one.loan_ids:
            channels.setdefault(loan, set()).add(one.channel)
            rules.setdefault(loan, set()).update(broken.rule_id for broken in one.broken)
    rows = [
        {"loan_id": loan, "sms": "sms" in known, "email": "email" in known,
         "rules": sorted(rules[loan])}
        for loan, known in sorted(channels.items())
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=_CLOSED)


def _settle(
    connection: duckdb.DuckDBPyConnection,
    holes: Mapping[str, str],
    anew: pa.Table,
    whom: Iterable[str],
) -> None:
    """Put the new outcomes of these borrowers in place of the old, and settle all once more."""
    stages.undo(connection)
    connection.register("outcomes_anew", anew)
    connection.register("whom_anew", pa.table({"borrower_id": sorted(whom)}))
    connection.execute(
        "delete from outcomes where borrower_id in (select borrower_id from whom_anew)"
    )
    connection.execute(_OTHERWISE)
    for stage in stages.SETTLING:
        stages.run(connection, stage, holes)


def _exchanged(messages: pa.Table, anew: pa.Table, whom: Iterable[str]) -> pa.Table:
    """Return the messages with those of these borrowers exchanged, sorted by message_id."""
    with engine.connect() as beside:
        beside.register("old", messages)
        beside.register("new", anew)
        beside.register("whom", pa.table({"borrower_id": sorted(whom)}))
        found = beside.sql(
            "select * from (select * from old where borrower_id not in"
            " (select borrower_id from whom) union all select * from new) order by message_id"
        ).to_arrow_table()
    return found.cast(messages.schema)


def alerts(unlawful: Iterable[Unlawful]) -> tuple[Diagnostic, ...]:
    """Return what the run must say of texts that were not sent, one for each text and rule."""
    of_text: dict[tuple[str, str], list[tuple[Unlawful, int, int]]] = {}
    for one in unlawful:
        text = f"{one.template}.{one.locale}.{one.channel}.{one.tone}"
        for broken in one.broken:
            told = (one, broken.length, broken.over)
            of_text.setdefault((text, broken.rule_id), []).append(told)
    found = []
    for (text, rule), several in sorted(of_text.items()):
        first, length, over = max(several, key=lambda told: (told[2], told[0].message_id))
        values = {"text": text, "rule": rule, "count": len(several), "loan": first.loan_ids[0],
                  "length": length, "over": over}  # fmt: skip
        code = "text_too_long" if over else "text_breaks_rule"
        found.append(Diagnostic(area="plan", code=code, severity="warning", values=values))
    return tuple(found)
