"""The lawful time of the business date for each borrower, asked once per distinct situation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa

from duly.plan import instants
from duly.plan.inputs import PlanInputs
from duly.rules import Rule, Slot, Window, slots
from duly.rules.windows import in_regions
from duly.rules.zones import day_bounds, local_date, to_epoch, to_instant

#: Messages of one opening leave within half an hour, so that gateways and people can breathe.
SPREAD_SECONDS_MAX = 1800

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
    from people as p
    join slot_keys as k
      on k.time_zone = p.time_zone
     and k.region is not distinct from p.region
     and k.quiet_from is not distinct from p.quiet_from
     and k.quiet_until is not distinct from p.quiet_until
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
    keys = connection.sql(
        "select distinct time_zone, region, quiet_from, quiet_until from people"
        " order by all nulls first"
    ).to_arrow_table()
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
        region = key["region"] if in_regions(key["region"], regional) and regional else None
        situation = (key["time_zone"], region, key["quiet_from"], key["quiet_until"])
        if situation not in found:
            found[situation] = len(rows)
            rows.append({"slot": len(rows), **_slot(inputs, *situation)})
        numbers.append(found[situation])
    connection.register("slot_keys", keys.append_column("slot", pa.array(numbers, pa.int32())))
    connection.register("slots_found", pa.Table.from_pylist(rows, schema=_SCHEMA))
    salt = f"spread:{inputs.business_date.isoformat()}"
    connection.execute(_PEOPLE_SLOTS.format(salt=salt, spread=SPREAD_SECONDS_MAX))


def _slot(
    inputs: PlanInputs,
    time_zone: str,
    region: str | None,
    quiet_from: int | None,
    quiet_until: int | None,
) -> Mapping[str, object]:
    def of(channel: str) -> Slot:
        return slots(
            inputs.rules,
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
    }


def _earliest(moments: object) -> datetime | None:
    known = [moment for moment in moments if moment is not None]  # type: ignore[attr-defined]
    return min(known) if known else None


def _union(lists: Sequence[Sequence[str]]) -> list[str]:
    return sorted({name for names in lists for name in names})


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def day_start_sql(zone: str, inputs: PlanInputs) -> str:
    """Return SQL for the start of the counted day: the borrower's own, or that of a fixed zone."""
    if zone == "local":
        return "k.day_start"
    day = local_date(zone, to_epoch(inputs.instant))
    return instants.timestamp(to_instant(day_bounds(zone, day)[0]))


def horizon(inputs: PlanInputs, hours: int) -> datetime:
    """Return the earliest instant that any cap counts from."""
    return inputs.instant - timedelta(hours=max(hours, 48))


def windows(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules that are windows."""
    return tuple(rule for rule in rules if isinstance(rule.primitive, Window))
