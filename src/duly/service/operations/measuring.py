"""What a watcher counts: queues, outcomes, the door, the record; asked of the store each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import connection

from duly.core import prices
from duly.service.outbox.identity import ALIVE
from duly.service.outbox.spending import Budget, budget_of

#: Samples of a figure: what its labels say, and the number.
Samples = Mapping[tuple[str, ...], float]

_MESSAGES = """
SELECT 'state', state, '', count(*) FROM store_message GROUP BY 2
UNION ALL
SELECT 'blocked', reason, '', count(*) FROM store_message WHERE state = 'blocked' GROUP BY 2
UNION ALL
SELECT 'attempt', route, coalesce(outcome, 'none'), count(*) FROM store_attempt GROUP BY 2, 3
UNION ALL
SELECT 'report', route, coalesce(state, kind), count(*) FROM store_report GROUP BY 2, 3
"""
_QUEUE = """
SELECT channel, count(*),
  max(extract(epoch FROM %(at)s - coalesce(due_at, not_before)))
FROM store_message
WHERE state = 'released' AND coalesce(due_at, not_before) <= %(at)s AND not_after >= %(at)s
    AND (retry_at IS NULL OR retry_at <= now())
GROUP BY channel ORDER BY channel
"""
_FLIGHT = f"""
SELECT state, (worker IN ({ALIVE})), count(*) FROM store_message
WHERE state IN ('claimed', 'submitted') GROUP BY 1, 2
"""
_STANDING = f"""
SELECT 'workers', '', count(*)::float FROM ({ALIVE}) AS alive
UNION ALL
SELECT 'unsealed', '', count(*) FROM store_unsealed
UNION ALL
SELECT 'unsealed_age', '', coalesce(max(extract(epoch FROM now() - a.at)), 0)
FROM store_unsealed AS u JOIN store_audit AS a ON a.id = u.audit_id
UNION ALL
SELECT 'disagreed', '', count(*) FROM store_audit WHERE kind = 'door.disagreed'
UNION ALL
SELECT 'stops', scope, count(*) FROM store_stopped WHERE lifted_at IS NULL GROUP BY scope
UNION ALL
SELECT 'runs', state, count(*) FROM store_run GROUP BY state
UNION ALL
SELECT 'posts', state, count(*) FROM store_eventpost GROUP BY state
UNION ALL
SELECT 'days', state, count(*) FROM store_businessday GROUP BY state
UNION ALL
SELECT 'day_faults', d.diagnostics->0->>'code', count(*)
FROM store_businessday AS d LEFT JOIN store_run AS r ON r.plan_sha256 = d.run_id
WHERE d.diagnostics <> '[]' AND (d.state IN ('begun', 'waiting') OR r.state = 'planned'
    OR d.state = 'skipped' AND d.ended_at > now() - interval '7 days')
GROUP BY 2
UNION ALL
SELECT 'day_age', '', coalesce(extract(epoch FROM now() - max(ended_at)), 0)
FROM store_businessday WHERE state = 'done'
UNION ALL
SELECT 'dead', reason, count(*) FROM store_deadletter WHERE ended IS NULL GROUP BY reason
UNION ALL
SELECT 'retries', '', count(*) FROM store_message WHERE state = 'released' AND retry_at > now()
"""
_BUDGET = {
    "limit": "What messages may cost on the newest day.",
    "spent": "What they have cost on it, within the limit.",
    "beyond": "What had to be sent on it though nothing was left.",
    "leased": "What workers hold of it and have not spent.",
    "exhausted": "1 where messages waited for money on it.",
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure with a sample for each value of its labels; times are seconds."""

    name: str
    says: str
    kind: Literal["gauge", "counter"]
    labels: tuple[str, ...]
    samples: Samples


def figures(*, at: datetime) -> tuple[Figure, ...]:
    """Return what stands in the store at a legal instant, each figure even where it is nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_MESSAGES)
        told = cursor.fetchall()
        cursor.execute(_QUEUE, {"at": at})
        queue = cursor.fetchall()
        cursor.execute(_FLIGHT)
        flight = cursor.fetchall()
        cursor.execute(_STANDING)
        standing = cursor.fetchall()
    spent = _of_the_budget(budget_of(connection.connection))
    return (*_of_messages(told), *_of_queues(queue, flight), *_of_the_rest(standing), *spent)


def _of_messages(rows: Sequence[tuple[str, str, str, int]]) -> tuple[Figure, ...]:
    def of(kind: str, *, both: bool) -> Samples:
        return {
            (first, second) if both else (first,): float(count)
            for name, first, second, count in sorted(rows)
            if name == kind
        }

    return (
        Figure(name="duly_messages", says="Messages by state.", kind="gauge",
               labels=("state",), samples=of("state", both=False)),
        Figure(name="duly_door_blocked", says="Messages that the door stopped for good.",
               kind="counter", labels=("reason",), samples=of("blocked", both=False)),
        Figure(name="duly_submissions", says="Submissions by route and outcome; none: no answer.",
               kind="counter", labels=("route", "outcome"), samples=of("attempt", both=True)),
        Figure(name="duly_reports", says="Receipts and replies by route and state.",
               kind="counter", labels=("route", "state"), samples=of("report", both=True)),
    )  # fmt: skip


def _of_queues(
    queue: Sequence[tuple[str, int, float]], flight: Sequence[tuple[str, bool, int]]
) -> tuple[Figure, ...]:
    held: Samples = {
        (state, "yes" if alive else "no"): float(count) for state, alive, count in flight
    }
    return (
        Figure(name="duly_queue_depth", says="Released messages that may leave now, by channel.",
               kind="gauge", labels=("channel",),
               samples={(channel,): float(count) for channel, count, _ in queue}),
        Figure(name="duly_queue_oldest_seconds",
               says="How long the oldest of them has been due, by channel.",
               kind="gauge", labels=("channel",),
               samples={(channel,): float(age) for channel, _, age in queue}),
        Figure(name="duly_in_flight",
               says="Messages that a worker holds, by state and whether that worker lives.",
               kind="gauge", labels=("state", "worker_alive"), samples=held),
    )  # fmt: skip


def _of_the_rest(rows: Sequence[tuple[str, str, float]]) -> tuple[Figure, ...]:
    def one(kind: str) -> Samples:
        return {(): next(float(count) for name, _, count in rows if name == kind)}

    def each(kind: str) -> Samples:
        return {(what,): float(count) for name, what, count in sorted(rows) if name == kind}

    return (
        Figure(name="duly_workers", says="Workers that live: they hold their lock.",
               kind="gauge", labels=(), samples=one("workers")),
        Figure(name="duly_door_disagreements",
               says="Messages that the door stopped on the very facts that the plan had.",
               kind="counter", labels=(), samples=one("disagreed")),
        Figure(name="duly_audit_unsealed", says="Audit rows that are not sealed yet.",
               kind="gauge", labels=(), samples=one("unsealed")),
        Figure(name="duly_audit_unsealed_seconds", says="Age of the oldest of them.",
               kind="gauge", labels=(), samples=one("unsealed_age")),
        Figure(name="duly_stops", says="Stops in force, by scope.",
               kind="gauge", labels=("scope",), samples=each("stops")),
        Figure(name="duly_runs", says="Runs by state; planned ones wait for a name or a brake.",
               kind="gauge", labels=("state",), samples=each("runs")),
        Figure(name="duly_days", says="Business dates of the daily run by state.",
               kind="gauge", labels=("state",), samples=each("days")),
        Figure(name="duly_day_faults",
               says="Business dates that wait, are held or were skipped in the last week, by code.",
               kind="gauge", labels=("code",), samples=each("day_faults")),
        Figure(name="duly_day_done_seconds", says="Time since a business date was done.",
               kind="gauge", labels=(), samples=one("day_age")),
        Figure(name="duly_dead_letters",
               says="Messages that no route took and that are not tried again, by reason.",
               kind="gauge", labels=("reason",), samples=each("dead")),
        Figure(name="duly_retries_waiting", says="Messages that wait to be tried again.",
               kind="gauge", labels=(), samples=one("retries")),
        Figure(name="duly_posts", says="Outgoing events by state; dead: nobody took them.",
               kind="gauge", labels=("state",), samples=each("posts")),
    )  # fmt: skip


def _of_the_budget(budget: Budget | None) -> tuple[Figure, ...]:
    """Return figures of the newest day's budget, in the currency's unit; nothing without one."""
    amounts: Mapping[str, float] = {}
    if budget is not None:
        amounts = {
            "limit": budget.limit / prices.SCALE,
            "spent": budget.spent / prices.SCALE,
            "beyond": budget.beyond / prices.SCALE,
            "leased": (budget.granted - budget.spent) / prices.SCALE,
            "exhausted": float(budget.exhausted_at is not None),
        }
    return tuple(
        Figure(name=f"duly_budget_{name}", says=says, kind="gauge", labels=(),
               samples={(): amounts.get(name, 0.0)})
        for name, says in _BUDGET.items()
    )  # fmt: skip
