"""Do what the policy of a loan says to a reply, a signal, a broken promise: where it happens.

The policy is that of the latest plan that decided the loan. What follows without any policy (the
floor: `hearing`, `events`) is done before and whatever the file says; see `duly.policy.following`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from duly.core import digest
from duly.core.errors import Refused
from duly.plan.proven import Proven
from duly.policy import Follows, Policy, follows, read
from duly.policy.following import Event
from duly.replies import TOLD, Reading, Sender, Signal, heard_as
from duly.service import journal
from duly.service.facts.cloud_events import NewWord
from duly.service.operations.recording import record
from duly.service.operations.tasks import Work, open_work
from duly.service.rows import as_dicts

SOURCE = "duly:policy"
#: Priority of a policy's task → that of the list; people in need stand before all of them.
_PRIORITY = {"first": 1, "normal": 3, "last": 5}
#: What a plan finds broken, and the day on which it was. One older than this is no news: the first
#: plan of a book that another system kept.
_BREACHES: tuple[tuple[Event, str], ...] = (
    ("promise_broken", "promise_broken_on"),
    ("plan_broken", "plan_broken_on"),
)
_NEWS_DAYS = 7
#: The policy of the latest plan that decided a loan, or any loan of a person where none is named.
_IN_FORCE = """
WITH asked AS (
    SELECT * FROM unnest(%(people)s::text[], %(loans)s::text[]) AS a(borrower_id, loan_id)
), mine AS (
    SELECT borrower_id, loan_id, loan_id AS of_loan FROM asked WHERE loan_id <> ''
    UNION SELECT a.borrower_id, '', l.loan_id FROM asked AS a
        JOIN store_book_loans AS l USING (borrower_id) WHERE a.loan_id = ''
    UNION SELECT a.borrower_id, '', l.loan_id FROM asked AS a
        JOIN store_message AS m USING (borrower_id) JOIN store_messageloan AS l USING (message_id)
        WHERE a.loan_id = ''
)
SELECT DISTINCT ON (m.borrower_id, m.loan_id) m.borrower_id, m.loan_id, s.sha256, s.text,
    r.summary->>'time_zone' AS time_zone
FROM mine AS m JOIN store_decision AS d
    ON d.loan_id = m.of_loan AND d.borrower_id = m.borrower_id
JOIN store_run AS r ON r.plan_sha256 = d.run_id AND r.kind = 'plan' AND r.state <> 'superseded'
LEFT JOIN store_source AS s
    ON s.kind = 'policy' AND s.sha256 = r.summary->'versions'->>'policy'
ORDER BY m.borrower_id, m.loan_id, d.business_date DESC, r.loaded_at DESC
"""
Asked = tuple[str, str]  #: borrower and loan, '' for any of his


@dataclass(frozen=True, kw_only=True)
class InForce:
    """The policy that decided a loan last, and the zone in which its lender counts days."""

    policy: Policy
    zone: ZoneInfo

    def follows(
        self, event: Event, *, replies: Iterable[str] = (), opened: Iterable[str] = ()
    ) -> Follows:
        """Return what the policy adds to an event."""
        return follows(self.policy.responses, event, replies=replies, opened=opened)

    def work(self, found: Follows, *, at: datetime) -> tuple[Work, ...]:
        """Return its tasks, each with the day on which it lapses."""
        return tuple(
            Work(
                kind=one.kind, priority=_PRIORITY[one.priority], script=one.script,
                expires_on=at.astimezone(self.zone).date() + timedelta(days=one.expires_days),
            )
            for one in found.tasks
        )  # fmt: skip

    def as_json(self, found: Follows) -> dict[str, object]:
        """Return what the record holds of it."""
        return {
            "policy": self.policy.fingerprint, "holds": list(found.holds),
            "tasks": [f"{one.kind} {one.script}".strip() for one in found.tasks],
            "left_out": list(found.left_out),
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Added:
    """What the policy in force adds to a reply; nothing where none is known."""

    signals: tuple[Signal, ...] = ()
    work: tuple[Work, ...] = ()
    told: Mapping[str, object] | None = None  #: for the record


def in_force(asked: Iterable[Asked]) -> Mapping[Asked, InForce]:
    """Return the policies of loans: none of one that no plan decided or whose text is gone."""
    wanted = sorted(set(asked))
    with connection.cursor() as cursor:
        given = {"people": [who for who, _ in wanted], "loans": [loan for _, loan in wanted]}
        cursor.execute(_IN_FORCE, given)
        rows = as_dicts(cursor)
    found: dict[Asked, InForce] = {}
    for row in rows:
        if row["text"] is None:
            continue
        try:
            policy = read(f"{row['sha256'][:12]}.yaml", row["text"].encode())
        except Refused as error:  # Of an older grammar: the floor stands alone.
            journal.broken("policy.unread", error)
            continue
        found[row["borrower_id"], row["loan_id"]] = InForce(
            policy=policy, zone=ZoneInfo(row["time_zone"])
        )
    return found


def to_reply(reading: Reading, sender: Sender, opened: Sequence[str], *, said: datetime) -> Added:
    """Return what is added to a reply; `opened` are the kinds of signals that the floor raised.

    The same reply gives the same ids of signals.
    """
    asked = (sender.borrower_id, sender.loan_id)
    mine = in_force([asked]).get(asked)
    if mine is None:
        return Added()
    # Nobody in danger or in mourning is asked for money either.
    floor = [*opened, "danger" if reading.in_danger else "", reading.fate or ""]
    found = mine.follows("reply", replies=heard_as(reading), opened=filter(None, floor))
    signals = tuple(
        Signal(
            signal_id=f"reply-{_name(reading.id, *asked, kind)}", borrower_id=asked[0],
            loan_id=asked[1], kind=kind, starts_at=said, detail={"reply": reading.id},
        )
        for kind in found.holds
    )  # fmt: skip
    return Added(signals=signals, work=mine.work(found, at=said), told=mine.as_json(found))


def to_signals(words: Sequence[NewWord], *, at: datetime) -> list[dict[str, Any]]:
    """Open the tasks that policies want where somebody told us a signal for the first time.

    Return the events of further holds, for the caller to store in the same transaction.
    """
    heard = [one for one in words if one.kind == "signal" and one.cells.get("kind") in TOLD]
    policies = in_force(_asked(one) for one in heard) if heard else {}
    told, events, about = [], [], {}
    for one in heard:
        mine = policies.get(_asked(one))
        if mine is None:
            continue
        who, loan = _asked(one)
        kind = str(one.cells["kind"])
        found = mine.follows("reply", replies=[TOLD[kind]], opened=[kind])
        open_work(mine.work(found, at=at), borrower_id=who, loan_id=loan or None, cause=one.key)
        events += [_hold(one.key, who, loan, hold, at) for hold in found.holds]
        told.append((one.key, mine.as_json(found)))
        about[one.key] = who
    record("signal.responded", told, about=about)
    return events


def to_broken(plan: Proven, *, at: datetime) -> list[dict[str, Any]]:
    """Open the tasks for promises and plans that a plan found broken, each breach once.

    Return the events of holds; the same breach gives the same events, whichever plan finds it.
    """
    today = plan.inputs.business_date
    mine = InForce(policy=plan.inputs.policy, zone=plan.inputs.zone)
    told, events, about = [], [], {}
    for event, column in _BREACHES:
        found = mine.follows(event)
        for row in plan.broken.to_pylist() if found.tasks or found.holds else ():
            broken: date | None = row[column]
            if broken is None or (today - broken).days > _NEWS_DAYS:
                continue
            who, loan = row["borrower_id"], row["loan_id"]
            cause = f"{event}-{_name(who, loan, broken.isoformat())}"
            since = datetime.combine(broken, time(), tzinfo=mine.zone)
            events += [_hold(cause, who, loan, hold, since) for hold in found.holds]
            if open_work(mine.work(found, at=at), borrower_id=who, loan_id=loan, cause=cause):
                told.append((cause, mine.as_json(found)))
                about[cause] = who
    record("signal.responded", told, about=about)
    return events


def _asked(word: NewWord) -> Asked:
    return str(word.borrower_id), word.loan_id or ""


def _hold(cause: str, who: str, loan: str, kind: str, since: datetime) -> dict[str, Any]:
    name = f"policy-{_name(cause, who, loan, kind)}"
    data = {"signal_id": name, "borrower_id": who, "loan_id": loan or None, "kind": kind,
            "starts_at": since.isoformat(), "detail": {"cause": cause}}  # fmt: skip
    return {"specversion": "1.0", "id": name, "source": SOURCE, "type": "signal.raised",
            "time": since.isoformat(), "data": data}  # fmt: skip


def _name(*parts: str) -> str:
    return digest.of_value(list(parts))[:16]
