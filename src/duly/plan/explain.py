"""Why was this decided? Every figure, condition and verdict of one loan, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from duly.book.engine import connect
from duly.conditions import describe
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.near import ID, near
from duly.plan import explain_waits, kept, replay, verdict_columns
from duly.plan.inputs import PlanInputs
from duly.plan.narrow import narrow
from duly.plan.pipeline import Clock, Plan, make_plan
from duly.plan.saying import Unlawful
from duly.position.trace import trace
from duly.rules import CapLimit, Rule, cap_limits

NEAR_MAX = 10_000  #: loan ids among which a near one is looked for
Found = dict[str, Any]

#: Columns that no page and no program is told (contract, section 3, `abnormal_transaction`).
_UNNAMED = frozenset({"abnormal_other_since"})


def explain_loan(plan_dir: Path, loan_id: str, *, clock: Clock) -> Found:
    """Return everything behind the decision of one loan, ready for JSON.

    The borrower's loans are decided again from the inputs kept with the plan. Refuses a loan that
    the plan does not have (did you mean), and what `kept.reopen` refuses.
    """
    run = kept.read_run(plan_dir)
    decision = _decision(plan_dir, loan_id)
    inputs = kept.reopen(plan_dir)
    found: Found = {
        "loan_id": loan_id,
        "decision": decision,
        "lender": inputs.lender.name,
        "time_zone": inputs.lender.time_zone,
        "policy": {"name": inputs.policy.name, "version": inputs.policy.version},
        "plan_sha256": run["plan_sha256"],
        "message": _message(plan_dir, loan_id),
    }
    if decision["decision"] == "quarantined":
        return found | {"quarantine": _quarantine(inputs, loan_id)}
    with TemporaryDirectory() as work:
        small = narrow(inputs.snapshot, loan_id, Path(work) / "snapshot")
        assert small is not None, "a decided loan is in the snapshot"
        alone = replace(inputs, snapshot=small)
        traced = trace(
            small,
            loan_id,
            as_of=inputs.business_date,
            time_zone=inputs.lender.time_zone,
        )
        found |= _figures(asdict(traced))
        plan = make_plan(alone, clock=clock, threads=1, keep_stages=True)
        found |= _reasons(plan, loan_id, decision["reason"])
        plan.connection.close()
    return found


def _figures(traced: Mapping[str, Any]) -> Found:
    position = dict(traced["position"])
    capped = explain_waits.lawful(traced, position, traced["installments"])
    return {
        "cost_cap": capped,
        "position": _plain(position),
        "installments": _plain(traced["installments"]),
        "payments": _plain(traced["payments"]),
        "terms": _plain(
            {
                name: traced[name]
                for name in ("late_rate_e8", "late_base", "allocation", "tolerance", "paused")
            }
        ),
    }


def _reasons(plan: Plan, loan_id: str, reason: str) -> Found:
    features = _row(plan.connection, "scored", loan_id)
    if features is None:
        return {"conditions": [], "rules": [], "features": {}, "figures": None, "waits": [],
                "unlawful": []}  # fmt: skip
    verdict = _row(plan.connection, "verdicts", loan_id)
    assert verdict is not None, "each candidate has its verdicts"
    limits: dict[str, list[CapLimit]] = {}
    for limit in cap_limits(plan.inputs.rules, "all"):
        limits.setdefault(limit.rule_id, []).append(limit)
    counts = (
        _first(
            plan.connection,
            "select * from cap_counts as n join people as p using (borrower) limit 1",
        )
        or {}
    )
    rules = verdict_columns.ordered_rules(plan.inputs)
    compared = _first(
        plan.connection,
        # The row that disagrees speaks before a newer one that agrees.
        "select f.* from figures_compared as f join loans as l on l.loan = f.loan"
        " where l.loan_id = ? order by coalesce(abs(f.overdue_total - f.stated_overdue)"
        " > f.tolerance, false) or coalesce(abs(f.outstanding_total - f.stated_outstanding)"
        " > f.tolerance, false) desc, f.as_of desc limit 1",
        loan_id,
    )
    return {
        "lane": verdict["lane"],
        "step": verdict["step"],
        "hold": _plain(
            {
                "reason": verdict["hold_reason"],
                "since": verdict["hold_since"],
                "review_on": verdict["hold_review_on"],
            }
        ),
        "waits": _plain(explain_waits.waits(plan.inputs, reason, features, verdict, counts)),
        "features": _plain({name: features[name] for name in features if name not in _UNNAMED}),
        "conditions": _conditions(plan.inputs, features, verdict["step"]),
        "rules": [
            _rule(rule, verdict[f"rule_{number}"], limits.get(rule.id, ()), counts)
            for number, rule in enumerate(rules)
        ],
        "unlawful": [_unsaid(one, plan.inputs) for one in plan.unlawful if loan_id in one.loan_ids],
        "figures": _plain(compared) if compared else None,
    }


def _conditions(
    inputs: PlanInputs, features: Mapping[str, object], step: str | None
) -> list[Found]:
    """Return the treatments in order with their comparisons, up to the one that spoke."""
    told: list[Found] = []
    for one in inputs.policy.treatments:
        leaves = describe(one.condition, features)
        told.append(
            {
                "id": one.id,
                "spoke": one.id == step,
                "condition": one.condition.text,
                "from_day": one.from_day,
                "comparisons": [{"text": leaf.text, "held": leaf.held} for leaf in leaves],
            }
        )
        if one.id == step:
            break
    return told


def _rule(
    rule: Rule, column: object, limits: Sequence[CapLimit], counts: Mapping[str, object]
) -> Found:
    spoke = bool(column)
    return {
        "id": rule.id,
        "force": rule.force,
        "effect": rule.effect if spoke else "allow",
        "reason": column if isinstance(column, str) else "",
        "says": dict(rule.says),
        "source": rule.source.text,
        "clause": rule.source.clause,
        "confidence": list(rule.source.confidence),
        "counts": [
            {
                "count": int(str(counts.get(f"n_{limit.name}") or 0)),
                "of": limit.count,
                "window": str(limit.window),
            }
            for limit in limits
        ],
    }


def _unsaid(one: Unlawful, inputs: PlanInputs) -> Found:
    """Return a text that was written and must not be sent, with the rules that it breaks."""
    says = {rule.id: rule for rule in inputs.asked.rules}
    return {
        "channel": one.channel,
        "template": one.template,
        "text": one.text,
        "length": one.broken[0].length,
        "rules": [
            {"id": broken.rule_id, "words": broken.words, "over": broken.over,
             "says": dict(says[broken.rule_id].says), "source": says[broken.rule_id].source.text,
             "clause": says[broken.rule_id].source.clause}
            for broken in one.broken
        ],
    }  # fmt: skip


def _decision(plan_dir: Path, loan_id: str) -> Found:
    table = replay.read_table(plan_dir, "decisions")
    ids = table.column("loan_id").to_pylist()
    if loan_id not in ids:
        values = {"loan": loan_id, "near": near(loan_id, ids[:NEAR_MAX], likeness=ID)}
        raise Refused(Diagnostic(area="plan", code="unknown_loan", values=values))
    row = table.slice(ids.index(loan_id), 1).to_pylist()[0]
    found = _plain(row)
    assert isinstance(found, dict)
    return found


def _message(plan_dir: Path, loan_id: str) -> Found | None:
    for row in replay.read_table(plan_dir, "messages").to_pylist():
        if loan_id in replay.listed(row["loan_ids"]):
            found = _plain(row)
            assert isinstance(found, dict)
            return found
    return None


def _quarantine(inputs: PlanInputs, loan_id: str) -> list[Found]:
    """Return the broken rows of the loan, then those of its borrower.

    All of the book where it cannot be told whose they are: snapshots of earlier releases do not
    say, nor does a row that names another borrower's loan say both.
    """
    rows_of, loans = (
        f"read_parquet('{str(inputs.snapshot.path / name).replace(chr(39), chr(39) * 2)}')"
        for name in ("quarantine.parquet", "loans.parquet")
    )
    with connect() as connection:
        known = {row[0] for row in connection.execute(f"describe from {rows_of}").fetchall()}
        own = [one for one in ("loan", "borrower") if one in known]
        touched = [f"coalesce(q.{one} = l.{one}, false)" for one in own]
        first = "".join(f" {one} desc," for one in touched)
        rows = connection.execute(
            'select q."table", q.row, q."column", q.code, q.message,'
            f" {' or '.join(touched) or 'false'}"
            f" from {rows_of} as q left join {loans} as l on l.loan_id = ?"
            f" order by{first}"
            ' q."table", q.row, q."column", q.code limit 20',
            [loan_id],
        ).fetchall()
    names = ("table", "row", "column", "code", "message")
    rows = [row[:5] for row in rows if row[5]] or [row[:5] for row in rows]
    files = inputs.snapshot.sources
    return [
        {"file": files.get(row[0], row[0]), **dict(zip(names, row, strict=True))} for row in rows
    ]


def _row(connection: duckdb.DuckDBPyConnection, table: str, loan_id: str) -> Found | None:
    return _first(connection, f"select * from {table} where loan_id = ?", loan_id)


def _first(connection: duckdb.DuckDBPyConnection, query: str, *values: object) -> Found | None:
    cursor = connection.execute(query, list(values))
    names = [column[0] for column in cursor.description or ()]
    rows = cursor.fetchall()
    return dict(zip(names, rows[0], strict=True)) if rows else None


def _plain(value: object) -> Any:
    """Return a value as JSON has it: dates and instants as ISO text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return zoned.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value
