"""What came of the people who entered: cured, paid, harmed, as far as a book knows it by a day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import duckdb
import numpy as np
import pyarrow as pa

from duly.book import Snapshot
from duly.book.engine import connect
from duly.learn.arrays import Floats, Ints
from duly.learn.harm import NEVER
from duly.position import compute
from duly.position.coverage import local_days

_MEASURE = re.compile(r"(cured|paid)_([0-9]+)d")
#: The signals that count as each harm.
SIGNALS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "complaints": ("complaint",),
        "opt_outs": ("opt_out", "cease_contact"),
        "hardship": ("hardship",),
        "disputes": ("dispute", "identity_dispute", "fraud_claim"),
    }
)
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """One row a person, in the order of the entries; days are since 1970-01-01."""

    entered_on: Ints
    outcome: Floats  #: 1 or 0; NaN where it is not known yet, or the loans are not in the book
    lost: Ints  #: 1 where a loan of the entry is not in the book, or quarantined


def days_of(measure: str) -> int:
    """Return after how many days a measure is known.

    >>> days_of("cured_15d")
    15
    """
    found = _MEASURE.fullmatch(measure)
    assert found is not None, "the policy's reader knows its measures"
    return int(found[2])


class Observing:
    """A book as of a day, asked about entries of `exposing.entries` (of one experiment)."""

    def __init__(self, snapshot: Snapshot, *, as_of: date, time_zone: str) -> None:
        positions = compute(snapshot, as_of=as_of, time_zone=time_zone, installments=True)
        self._connection: duckdb.DuckDBPyConnection = connect()
        self._zone, self.as_of = time_zone, (as_of - _EPOCH).days
        self._connection.register("settled", positions.installments)
        self._connection.register("known", positions.loans.select(["loan_id"]))
        for name in ("loans", "payments", "signals", "contacts"):
            path = str(snapshot.path / f"{name}.parquet").replace("'", "''")
            self._connection.execute(f"create view {name} as select * from read_parquet('{path}')")

    def outcomes(self, entries: pa.Table, measure: str) -> Observed:
        """Return whether each person cured or paid within the measure's days of entry.

        Cured: all that was overdue on the day of entry is settled; where nothing was, the next
        installment. Paid: a payment that was not taken back. The day of entry counts.
        """
        kind, days = measure.partition("_")[0], days_of(measure)
        self._connection.register("entries", entries)
        query = _CURED if kind == "cured" else _PAID
        rows = self._connection.sql(
            query.replace("$days", str(days)).replace("$as_of", self._day())
        )
        told = rows.to_arrow_table()
        entered = _ints(told["entered"])
        outcome = np.array(told["yes"].cast(pa.float64()).to_numpy(), np.float64)
        lost = _ints(told["lost"])
        outcome[(entered + days > self.as_of) | (lost > 0)] = np.nan
        return Observed(entered_on=entered, outcome=outcome, lost=lost)

    def harmed_on(self, entries: pa.Table, harm: str) -> Ints:
        """Return the day of each person's first harm from his entry on; NEVER without one."""
        self._connection.register("entries", entries)
        self._connection.register("events", self._events(harm))
        told = self._connection.sql(_FIRST.replace("$as_of", str(self.as_of))).to_arrow_table()
        return _ints(told["harmed"].fill_null(NEVER))

    def _events(self, harm: str) -> pa.Table:
        """Return borrower and day of every harm of a kind."""
        if harm == "broken_promises":
            return self._broken()
        if harm == "undelivered":
            # `at` is a word of SQL's own.
            query = """select borrower, "at" as moment from contacts
                where direction = 'out' and outcome = 'undelivered'"""
        else:
            kinds = ", ".join(f"'{one}'" for one in SIGNALS[harm])
            query = f"select borrower, starts_at as moment from signals where kind in ({kinds})"
        return self._dated(query)

    def _dated(self, query: str) -> pa.Table:
        """Return a query with `day` in the place of the instant `moment`."""
        found = self._connection.sql(
            f"select * exclude (moment), epoch_us(moment) // 1000000 as second from ({query})"
            " where moment is not null"
        ).to_arrow_table()
        days = local_days(_ints(found["second"]), self._zone)
        return found.drop_columns(["second"]).append_column("day", pa.array(days, pa.int64()))

    def _broken(self) -> pa.Table:
        self._connection.register("promised", self._dated(_PROMISED))
        return self._connection.sql(_BROKEN.replace("$as_of", self._day())).to_arrow_table()

    def _day(self) -> str:
        return f"(date '1970-01-01' + {self.as_of})"


def _ints(column: pa.ChunkedArray) -> Ints:
    return np.array(column.cast(pa.int64()).to_numpy(), np.int64)


_CURED = """
with loans_in as (
    select experiment, borrower_id, entered_on, unnest(loan_ids) as loan_id from entries
),
marked as (
    select i.*, s.due_on, s.settled_on, s.due_on < i.entered_on as was_due,
        min(case when s.due_on >= i.entered_on then s.due_on end)
            over (partition by i.borrower_id, i.loan_id) as next_due,
        -- What an earlier day saw paid was not overdue on the day of entry.
        coalesce(s.settled_on < i.entered_on, false) as was_paid
    from loans_in as i join settled as s on s.loan_id = i.loan_id
),
asked as (
    select *, bool_or(was_due and not was_paid) over (partition by borrower_id, loan_id) as late
    from marked
),
judged as (
    select borrower_id, bool_and(coalesce(settled_on <= entered_on + $days, false)) as yes
    from asked
    where not was_paid and case when late then was_due else due_on = next_due end
    group by borrower_id
),
missing as (
    select i.borrower_id, count(*) as lost
    from loans_in as i left join known as k using (loan_id)
    where k.loan_id is null group by i.borrower_id
)
select date_diff('day', date '1970-01-01', e.entered_on) as entered,
    -- All is paid already: nothing was left to cure.
    cast(coalesce(j.yes, true) as double) as yes, coalesce(m.lost, 0) as lost
from entries as e
left join judged as j using (borrower_id)
left join missing as m using (borrower_id)
order by e.borrower_id
"""
_PAID = """
with loans_in as (
    select borrower_id, entered_on, unnest(loan_ids) as loan_id from entries
),
paid as (
    select distinct i.borrower_id
    from loans_in as i
    join loans as l using (loan_id)
    join payments as p on p.loan = l.loan and p.kind = 0
        and p.paid_on between i.entered_on and i.entered_on + $days and p.paid_on <= $as_of
        and (p.reversed_on is null or p.reversed_on > $as_of)
),
missing as (
    select i.borrower_id, count(*) as lost
    from loans_in as i left join known as k using (loan_id)
    where k.loan_id is null group by i.borrower_id
)
select date_diff('day', date '1970-01-01', e.entered_on) as entered,
    cast(p.borrower_id is not null as double) as yes, coalesce(m.lost, 0) as lost
from entries as e
left join paid as p using (borrower_id)
left join missing as m using (borrower_id)
order by e.borrower_id
"""
_FIRST = """
with people as (select distinct borrower_id, borrower from loans where borrower is not null)
select e.borrower_id, min(v.day) as harmed
from entries as e
left join people as p using (borrower_id)
left join events as v on v.borrower = p.borrower and v.day <= $as_of
    and v.day >= date_diff('day', date '1970-01-01', e.entered_on)
group by e.borrower_id
order by e.borrower_id
"""
#: Broken as the contract says (section 3): less than half was paid by the day after.
_PROMISED = """
select s.signal_id, s.borrower, s.loan, s.starts_at as moment,
    try_cast(json_extract_string(s.detail, '$.on') as date) as promised_on,
    cast(try_cast(json_extract_string(s.detail, '$.amount') as decimal(18, 4))
         * (10 ** c.decimals)::decimal(6, 0) as bigint) as promised
from signals as s
join (select borrower, max(decimals) as decimals from loans group by borrower) as c
    on c.borrower = s.borrower
where s.kind = 'promise'
"""
_BROKEN = """
with paid as (
    select r.signal_id, sum(p.amount) as paid
    from promised as r
    join loans as l on l.borrower = r.borrower and (r.loan is null or l.loan = r.loan)
    join payments as p on p.loan = l.loan and p.kind = 0
        and p.paid_on between date '1970-01-01' + cast(r.day as integer) and r.promised_on + 1
        and (p.reversed_on is null or p.reversed_on > $as_of)
    group by r.signal_id
)
select r.borrower, cast(date_diff('day', date '1970-01-01', r.promised_on) + 2 as bigint) as day
from promised as r left join paid as p using (signal_id)
where r.promised_on + 1 < $as_of and r.promised > 0
    and coalesce(p.paid, 0) * 2 < r.promised
"""
