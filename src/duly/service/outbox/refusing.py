"""A route certainly did not take a message: it comes back, goes by the next route, or is dead.

Only what is still `submitted` comes back, in the transaction that writes the answer down. A worker
that dies before leaves the message `unknown`, as everything whose end nobody wrote.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from duly.book import Route
from duly.delivery import Answer
from duly.delivery.refusals import about_of
from duly.delivery.retrying import Step, Terms, step_after
from duly.service.outbox.auditing import audit
from duly.service.outbox.dead_letters import Dead, bury
from duly.service.outbox.routing import taking
from duly.service.rows import Row, unpacked

#: The submissions to this route since a person last sent the message again.
_ASK = """
SELECT m.message_id, m.state, m.channel, m.message_class, m.not_after, m.passed_routes, m.attempts,
    (SELECT count(*) FROM store_attempt AS a WHERE a.message_id = m.message_id
        AND a.route = %(route)s AND a.number > coalesce((SELECT max(d.attempts)
            FROM store_deadletter AS d WHERE d.message_id = m.message_id), 0)) AS tries
FROM store_message AS m
WHERE m.message_id = ANY(%(ids)s) AND m.state IN ('submitted', 'unknown')
"""
_BACK = """
UPDATE store_message AS m SET state = 'released', worker = NULL, state_at = now(),
    retry_at = CASE WHEN n.seconds > 0 THEN now() + make_interval(secs => n.seconds) END,
    passed_routes = n.passed::jsonb
FROM unnest(%s::text[], %s::int[], %s::text[]) AS n(message_id, seconds, passed)
WHERE m.message_id = n.message_id AND m.state = 'submitted'
"""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What follows a refusal of one message; `onward` names the route that it goes by next."""

    message_id: str
    step: Step
    code: str
    attempts: int
    passed: tuple[str, ...] = ()
    onward: str = ""


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """What a lender states of the routes: in which order, and what follows a refusal of each."""

    routes: Sequence[Route]
    terms: Mapping[str, Terms]

    def decide(
        self,
        connection: psycopg.Connection[Any],
        route: str,
        answers: Sequence[Answer],
        *,
        at: datetime,
    ) -> dict[str, Decided]:
        """Return what follows each certain refusal, by message; the messages are locked."""
        told = {one.message_id: one for one in answers if about_of(one) is not None}
        if not told:
            return {}
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(_ASK, {"ids": list(told), "route": route}).fetchall()
        return {
            row["message_id"]: self._decided(row, route, told[row["message_id"]], at=at)
            for row in rows
        }

    def _decided(self, row: Row, route: str, answer: Answer, *, at: datetime) -> Decided:
        about = about_of(answer)
        assert about is not None, "only certain refusals are asked about"
        before = tuple(unpacked(row["passed_routes"]))
        passed = (*before, *(() if route in before else (route,)))
        onward = next(
            taking(self.routes, channel=row["channel"], kind=row["message_class"], passed=passed),
            None,
        )
        step = step_after(
            about,
            tries=row["tries"],
            terms=self.terms.get(route, Terms()),
            has_next=onward is not None,
            passed=bool(before),
            left_seconds=(row["not_after"] - at).total_seconds(),
            told=answer.retry_after_seconds,
        )
        if row["state"] == "unknown" and step.what != "dead":
            # Its worker was given up: what was unknown once is never sent again by itself.
            step = Step(what="dead", reason="answered_late")
        return Decided(
            message_id=row["message_id"],
            step=step,
            code=answer.code[:200],
            attempts=row["attempts"],
            passed=passed if step.what == "next" else before,
            onward=onward.name if onward is not None and step.what == "next" else "",
        )


def write_decided(
    connection: psycopg.Connection[Any], route: str, decided: Mapping[str, Decided]
) -> None:
    """Write down what follows, once the answers stand; what comes back gives its place in caps."""
    back = [one for one in decided.values() if one.step.what != "dead"]
    if back:
        ids = [one.message_id for one in back]
        seconds = [one.step.seconds for one in back]
        connection.execute(_BACK, (ids, seconds, [json.dumps(one.passed) for one in back]))
        connection.execute("DELETE FROM store_reservation WHERE message_id = ANY(%s)", (ids,))
        audit(
            connection, "message.waits_again",
            [(one.message_id, {"route": route, "attempt": one.attempts, "code": one.code,
                               "seconds": one.step.seconds})
             for one in back if one.step.what == "again"],
        )  # fmt: skip
        audit(
            connection, "message.falls_back",
            [(one.message_id, {"route": route, "attempt": one.attempts, "code": one.code,
                               "onward": one.onward}) for one in back if one.step.what == "next"],
        )  # fmt: skip
    bury(
        connection,
        [
            Dead(message_id=one.message_id, reason=one.step.reason, route=route, code=one.code)
            for one in decided.values()
            if one.step.what == "dead"
        ],
    )
