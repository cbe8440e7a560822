"""The lawful time of the business date for each borrower, asked once per distinct situation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa

from duly.conditions import to_sql
from duly.plan import instants
from duly.plan.inputs import PlanInputs
from duly.rules import Rule, Slot, Window, cap_limits, slots
from duly.rules.windows import asks_region, in_regions
from duly.rules.zones import day_bounds, local_date, to_epoch, to_instant

#: Messages of one opening leave within half an hour, so that gateways and people can breathe.
SPREAD_SECONDS_MAX = 1800

#: Facts that are columns of a loan: a window may be asked of those who have such a loan.
_LOAN_FACTS = frozenset({"product"})

_SCHEMA = pa.schema(
    [
        ("slot", pa.int32()),
        ("text_open", pa.timestamp("us")),
        ("text_lawful_until", pa.timestamp("us")),
        ("text_close", pa.timestamp("us")),
        ("voice_open", pa.timestamp("us")),
        ("voice_close", pa.timestamp("us")),
        ("next_open_on", pa.date32()),
        ("text_delayed", pa.list_(pa.string())),
        ("voice_delayed", pa.list_(pa.string())),
        ("day_start", pa.timestamp("us")),
    ]
)

_PEOPLE_SLOTS = """
create table people_slots as
with keyed as (
    select p.borrower, p.borrower_id, p.voice_address, s.*
    from people_bound as p
    join slot_keys as k
      on k.time_zone = p.time_zone
     and k.region is not distinct from p.region
     and k.quiet_from is not distinct from p.quiet_from
     and k.quiet_until is not distinct from p.quiet_until
     {bound}
    join slots_found as s on s.slot = k.slot
)
select
    *,
    text_open + to_seconds(
        cast('0x' || substr(md5(borrower_id || chr(31) || '{salt}'), 1, 8) as bigint)
        % greatest(1, least({spread}, epoch_us(text_lawful_until - text_open) // 1000000))
    ) as text_at,
    text_close - interval 1 second as text_until,
    voice_open as voice_at,
    voice_close - interval 1 second as voice_until
from keyed
"""


def register(connection: duckdb.DuckDBPyConnection, inputs: PlanInputs) -> None:
    """Create `people_slots`: for each of `people` when a text or a call may leave today."""
    _bind(connection, inputs.rules)
    keys = connection.sql(
        "select distinct time_zone, region, quiet_from, quiet_until, bound from people_bound"
        " order by all nulls first"
    ).to_arrow_table()
    by_region = any(
        rule.about == "contact"
        and isinstance(rule.primitive, Window)
        and asks_region(rule.primitive)
        for rule in inputs.rules
    )
    regional = tuple(
        region
        for rule in inputs.rules
        if isinstance(rule.primitive, Window)
        for region in rule.primitive.regions
    )
    found: dict[tuple[object, ...], int] = {}
    rows: list[Mapping[str, object]] = []
    numbers: list[int] = []
    for key in keys.to_pylist():
        wanted = by_region or (regional and in_regions(key["region"], regional))
        region = key["region"] if wanted else None
        situation = (key["time_zone"], region, key["quiet_from"], key["quiet_until"], key["bound"])
        if situation not in found:
            found[situation] = len(rows)
            rows.append({"slot": len(rows), **_slot(inputs, *situation)})
        numbers.append(found[situation])
    connection.register("slot_keys", keys.append_column("slot", pa.array(numbers, pa.int32())))
    schema = _SCHEMA
    for days in counted_days(inputs.rules):
        schema = schema.append(pa.field(f"day_start_{days}", pa.timestamp("us")))
    connection.register("slots_found", pa.Table.from_pylist(rows, schema=schema))
    salt = f"spread:{inputs.business_date.isoformat()}"
    bound = "and k.bound = p.bound" if any(map(_is_conditional, inputs.rules)) else ""
    connection.execute(_PEOPLE_SLOTS.format(salt=salt, spread=SPREAD_SECONDS_MAX, bound=bound))


def _is_conditional(rule: Rule) -> bool:
    """Return whether a window speaks about some loans only, by a column of the book."""
    window = rule.primitive
    return (
        rule.about == "contact"
        and isinstance(window, Window)
        and window.when is not None
        and window.when.fields <= _LOAN_FACTS
    )


def _bind(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> None:
    """Create `people_bound`: people with the windows that speak about one of their loans.

    A window whose condition asks more than a column of the loan speaks about everybody.
    """
    tests = [
        f"bool_or(coalesce({to_sql(rule.primitive.when, 'l.')}, true)) then ' {rule.id}'"
        for rule in rules
        if _is_conditional(rule)
        and isinstance(rule.primitive, Window)
        and rule.primitive.when is not None
    ]
    if not tests:
        connection.execute("create view people_bound as select *, '' as bound from people")
        return
    bound = " || ".join(f"case when {test} else '' end" for test in tests)
    connection.execute(
        f"create view people_bound as select p.*, b.bound from people as p join (select"
        f" l.borrower, {bound} as bound from loans as l group by l.borrower) as b"
        " on b.borrower = p.borrower"
    )


def _slot(
    inputs: PlanInputs,
    time_zone: str,
    region: str | None,
    quiet_from: int | None,
    quiet_until: int | None,
    bound: str,
) -> Mapping[str, object]:
    asked = [rule for rule in inputs.rules if not _is_conditional(rule) or rule.id in bound.split()]

    def of(channel: str) -> Slot:
        return slots(
            asked,
            instant=inputs.instant,
            business_date=inputs.business_date,
            lender_zone=inputs.lender.time_zone,
            zone=time_zone,
            region=region,
            quiet_from=quiet_from,
            quiet_until=quiet_until,
            channel=channel,
        )

    texts, voice = (of("sms"), of("email")), of("voice")
    opens = [slot.open_at for slot in texts]
    is_open = all(moment is not None for moment in opens)
    text_open = max(moment for moment in opens if moment is not None) if is_open else None
    lawful_until = _earliest(slot.lawful_until for slot in texts)
    if text_open is not None and lawful_until is not None and text_open >= lawful_until:
        text_open = None
    day = local_date(time_zone, to_epoch(text_open or inputs.instant))
    return {
        "text_open": _naive(text_open),
        "text_lawful_until": _naive(lawful_until),
        "text_close": _naive(_earliest(slot.close_at for slot in texts)),
        "voice_open": _naive(voice.open_at),
        "voice_close": _naive(voice.close_at),
        "next_open_on": max(slot.next_open_on for slot in texts),
        "text_delayed": _union([slot.delayed_by for slot in texts]),
        "voice_delayed": list(voice.delayed_by),
        "day_start": _naive(to_instant(day_bounds(time_zone, day)[0])),
        **{
            f"day_start_{days}": _naive(
                to_instant(day_bounds(time_zone, day - timedelta(days=days - 1))[0])
            )
            for days in counted_days(inputs.rules)
        },
    }


def counted_days(rules: Sequence[Rule]) -> tuple[int, ...]:
    """Return the numbers of dates, beyond one, over which caps of the local day count."""
    found = {
        limit.days
        for limit in cap_limits(rules, "all")
        if limit.window == "calendar_day" and limit.days > 1 and limit.zone == "local"
    }
    return tuple(sorted(found))


def _earliest(moments: object) -> datetime | None:
    known = [moment for moment in moments if moment is not None]  # type: ignore[attr-defined]
    return min(known) if known else None


def _union(lists: Sequence[Sequence[str]]) -> list[str]:
    return sorted({name for names in lists for name in names})


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def day_start_sql(zone: str, inputs: PlanInputs, days: int = 1) -> str:
    """Return SQL for the start of the counted dates: the borrower's own, or those of a zone."""
    if zone == "local":
        return "k.day_start" if days == 1 else f"k.day_start_{days}"
    day = local_date(zone, to_epoch(inputs.instant)) - timedelta(days=days - 1)
    return instants.timestamp(to_instant(day_bounds(zone, day)[0]))


def horizon(inputs: PlanInputs, hours: int) -> datetime:
    """Return the earliest instant that any cap counts from."""
    return inputs.instant - timedelta(hours=max(hours, 48))


def windows(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules that are windows."""
    return tuple(rule for rule in rules if isinstance(rule.primitive, Window))
