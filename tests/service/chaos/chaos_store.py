"""The store of a chaos run: a server of its own, people with messages, and what must hold after."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path

import psycopg
from outgoing import AT, DAY, FACTS
from served_home import forget

from duly.rules import BOOK_FACTS
from duly.service import migrating, postgres, sealing, setting_up
from duly.service.outbox.identity import ALIVE
from duly.service.postgres.server import _control

_MESSAGES = """
INSERT INTO store_message (message_id, run_id, borrower_id, business_date, loan_ids, channel,
    address, locale, message_class, template, text, params, segments, code, key_id, not_before,
    not_after, facts, state, attempts)
SELECT %(round)s || '-' || %(run)s::text || lpad(n::text, 5, '0'), %(run_id)s,
    %(round)s || '-b' || lpad(n::text, 5, '0'), %(day)s, jsonb_build_array(%(round)s || '-l' || n),
    CASE WHEN (n + %(run)s) %% 2 = 0 THEN 'sms' ELSE 'email' END,
    '+86' || %(prefix)s || %(run)s::text || lpad(n::text, 5, '0'), 'zh-CN', 'dunning', 'overdue',
    '【示例消金】您的借款已逾期，请勿转账给个人。核验码3P773SGS，不收短信回TD',
    '{}', 1, '3P773SGS', 'k1',
    %(at)s::timestamptz - interval '30 minutes', %(at)s::timestamptz + interval '9 hours',
    %(facts)s::jsonb, 'released', 0
FROM generate_series(1, %(count)s) AS n WHERE n %% %(each)s = 0
"""
#: Who got a text in each of the last three days gets none today: three in 168 hours.
_WRITTEN_TO = """
INSERT INTO store_contact (contact_id, borrower_id, channel, address, at, direction, outcome,
    contact_class)
SELECT %(round)s || '-c' || n || '-' || k, %(round)s || '-b' || lpad(n::text, 5, '0'), 'sms', NULL,
    %(at)s::timestamptz - make_interval(days => k), 'out', 'delivered', 'dunning'
FROM generate_series(1, %(count)s) AS n CROSS JOIN generate_series(1, 3) AS k WHERE n %% 7 = 0
"""
#: More than one text to a person on a local day, or more than three in 168 hours, by the ledger.
#: A submission that was put off is no contact where its message came again or went no further.
_OVER = """
WITH made AS (SELECT c.* FROM store_contact AS c WHERE NOT EXISTS (SELECT 1 FROM store_attempt AS a
    JOIN store_message AS m USING (message_id) WHERE c.contact_id = 'duly:' || a.message_id
        || CASE WHEN a.number > 1 THEN ':' || a.number ELSE '' END
    AND a.outcome IN ('throttled', 'not_sent')
    AND (a.number < m.attempts OR m.state IN ('released', 'cancelled', 'expired', 'blocked'))))
SELECT count(*) FROM (
    SELECT borrower_id FROM made WHERE direction = 'out' AND contact_class = 'dunning'
    AND borrower_id LIKE %(like)s
    GROUP BY borrower_id, (at AT TIME ZONE 'Asia/Shanghai')::date HAVING count(*) > 1
    UNION ALL
    SELECT borrower_id FROM made WHERE direction = 'out' AND contact_class = 'dunning'
    AND borrower_id LIKE %(like)s AND at > %(at)s::timestamptz - interval '168 hours'
    GROUP BY borrower_id HAVING count(*) > 3) AS over
"""
_SETTLED = ("delivered", "undelivered", "unknown", "accepted", "cancelled", "expired", "blocked")
WINDOW = 20  #: of each route
#: Faults of the other side after which nobody hears answers on that connection any more: whatever
#: else was on it is unknown, too. By HTTP each request has a connection of its own.
_BREAKS = ("cut", "half", "garbage")
#: What the wire may hold of a message in a state: nothing may have left of these.
_NOT_SENT = ("cancelled", "expired", "blocked")


_RUN = """
INSERT INTO store_run (plan_sha256, business_date, state, approvals_needed, messages_count, summary)
VALUES (%s, %s, 'released', 0, 0, '{}') ON CONFLICT DO NOTHING
"""
#: One message a person, by text: what a bench sends.
_PLAIN = """
INSERT INTO store_message (message_id, run_id, borrower_id, business_date, loan_ids, channel,
    address, locale, message_class, template, text, params, segments, code, key_id, not_before,
    not_after, facts, state, attempts)
SELECT 'p-' || lpad(n::text, 8, '0'), %(run_id)s, 'p-b' || n, %(day)s,
    jsonb_build_array('p-l' || n), 'sms', '+86138' || lpad(n::text, 7, '0') || '0', 'zh-CN',
    'dunning', 'overdue',
    '【示例消金】您的借款已逾期，请勿转账给个人。核验码3P773SGS，不收短信回TD',
    '{}', 1, '3P773SGS', 'k1',
    %(at)s::timestamptz - interval '30 minutes', %(at)s::timestamptz + interval '9 hours',
    -- No two people owe the same.
    %(facts)s::jsonb || jsonb_build_object('days_past_due', 1 + n %% 60, 'overdue_total', 10000 + n,
        'overdue_principal', 9000 + n, 'late_charge', n %% 997, 'outstanding_total', 90000 + 7 * n),
    'released', 0
FROM generate_series(1, %(count)s) AS n
"""


@dataclass
class Store:
    """A PostgreSQL server in a folder, with one migrated database."""

    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="duly-chaos-")))
    place: postgres.Place = field(init=False)
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.place = postgres.place_of(self.home)
        self.url = postgres.start(self.place).url
        setting_up.set_up(self.url)
        migrating.migrate()
        setting_up.close()

    def restart(self, how: str) -> None:
        """Restart the server while others use it: `fast` cuts them off, `immediate` crashes."""
        _control(self.place, "restart", "-m", how)

    def close(self) -> None:
        forget(self.home)

    def fill(self, name: str, number: int, count: int) -> int:
        """Write a round's people and messages; return how many messages.

        Half go by each wire. Every fifth person has a second message by the other one; every
        seventh was written to three times already: caps are at stake, and on both wires at once.
        """
        given = {"round": name, "at": AT, "facts": json.dumps(FACTS, default=list), "count": count,
                 "prefix": f"1{number:03}"}  # fmt: skip
        with psycopg.connect(self.url) as ours:
            for run, day in ((0, DAY), (1, DAY.replace(day=9))):
                ours.execute(_RUN, (f"{run}" * 64, day))
            ours.execute(
                "INSERT INTO store_borrower (borrower_id, time_zone, locale)"
                " SELECT %(round)s || '-b' || lpad(n::text, 5, '0'), 'Asia/Shanghai', 'zh-CN'"
                " FROM generate_series(1, %(count)s) AS n", given,
            )  # fmt: skip
            ours.execute(_WRITTEN_TO, given)
            made = 0
            for run, day, each in ((0, DAY, 1), (1, DAY.replace(day=9), 5)):
                more = {"run": run, "run_id": f"{run}" * 64, "day": day, "each": each}
                made += ours.execute(_MESSAGES, given | more).rowcount
        return made

    def fill_plain(self, count: int) -> None:
        """Write so many messages to as many people, all due, with the facts that a plan gives."""
        asked = {name: value for name, value in FACTS.items() if name in BOOK_FACTS}
        given = {"run_id": "0" * 64, "day": DAY, "at": AT, "count": count,
                 "facts": json.dumps(asked, default=list)}  # fmt: skip
        with psycopg.connect(self.url) as ours:
            ours.execute(_RUN, ("0" * 64, DAY))
            ours.execute(
                "INSERT INTO store_borrower (borrower_id, time_zone, locale)"
                " SELECT 'p-b' || n, 'Asia/Shanghai', 'zh-CN' FROM generate_series(1, %s) AS n",
                (count,),
            )
            ours.execute(_PLAIN, given)
        with psycopg.connect(self.url, autocommit=True) as ours:
            ours.execute("ANALYZE")

    def states(self, name: str) -> dict[str, int]:
        with psycopg.connect(self.url) as ours:
            return dict(
                ours.execute(
                    "SELECT state, count(*) FROM store_message WHERE message_id LIKE %s"
                    " GROUP BY 1", (name + "-%",),
                ).fetchall()
            )  # fmt: skip

    def alive(self) -> int:
        """Return how many workers live, by their locks."""
        with psycopg.connect(self.url) as ours:
            return len(ours.execute(ALIVE.encode()).fetchall())

    def wrong_in_record(self) -> list[str]:
        """Seal what is left and return what is wrong with the record."""
        with psycopg.connect(self.url, autocommit=True) as ours:
            while sealing.seal(ours):
                pass
            return [f"record: {one.code} {one.subject}" for one in sealing.verify(ours).wrong]


@dataclass(frozen=True, kw_only=True)
class Happened:
    """What was done to a round; `in_flight` is the most that can have been on the wire then."""

    kills: int = 0
    missed: int = 0  #: deaths that never came: their worker found nothing to do
    cuts: int = 0
    restarts: int = 0
    in_flight: int = 0
    wrong: tuple[str, ...] = ()


@dataclass
class Found:
    """What a round left: the figures of the table, and every violation by its name."""

    messages: int = 0
    wire: int = 0
    kills: int = 0
    missed: int = 0
    cuts: int = 0
    restarts: int = 0
    unknown: int = 0
    at_most: int = 0
    states: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def count(self, word: str) -> int:
        """Return how many violations begin with a word."""
        return sum(one.startswith(word) for one in self.wrong)

    def add(self, other: Found) -> None:
        """Add the figures of another round."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


def check(store: Store, name: str, log: Path, happened: Happened) -> Found:
    """Hold the ledger of a round against the log of the other side."""
    with psycopg.connect(store.url) as ours:
        rows = ours.execute(
            "SELECT m.address, m.state, m.borrower_id, (SELECT outcome FROM store_attempt"
            " AS t WHERE t.message_id = m.message_id ORDER BY number DESC LIMIT 1), EXISTS (SELECT"
            " 1 FROM store_audit AS a WHERE a.subject = m.message_id), EXISTS (SELECT 1 FROM"
            " store_contact AS c WHERE c.contact_id = 'duly:' || m.message_id)"
            " FROM store_message AS m WHERE m.message_id LIKE %s", (name + "-%",),
        ).fetchall()  # fmt: skip
        over = ours.execute(_OVER, {"like": name + "-%", "at": AT}).fetchone()
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    mine = {row[0] for row in rows}
    # What was put off was not taken: it comes again, and is taken once.
    taken = [line for line in lines if line["fault"] != "throttled"]
    wire = Counter(line["to"] for line in taken if line["to"] in mine)
    faulty = {line["to"] for line in lines if line["fault"]}
    broken = sum(line["to"] in mine and line["fault"] in _BREAKS for line in lines
                 if line.get("wire") == "smpp")  # fmt: skip
    found = Found(
        messages=len(rows), wire=len(wire), kills=happened.kills, missed=happened.missed,
        cuts=happened.cuts, restarts=happened.restarts,
        at_most=happened.in_flight + broken * (WINDOW - 1),
        wrong=list(happened.wrong),
    )  # fmt: skip
    found.wrong += [f"sent twice: {to}" for to, times in wire.items() if times > 1]
    texts: Counter[str] = Counter()
    for to, state, who, outcome, told, counted in rows:
        found.states[state] += 1
        texts[who] += to in wire
        if state not in _SETTLED:
            found.wrong.append(f"lost, left {state}: {to}")
        elif not told:
            found.wrong.append(f"no record: {to}")
        if to in wire and (state in _NOT_SENT or outcome == "not_sent"):
            found.wrong.append(f"sent and written down as {state} {outcome}: {to}")
        if to in wire and not counted:
            found.wrong.append(f"sent and no contact: {to}")
        if to not in wire and state in ("accepted", "delivered"):
            found.wrong.append(f"never sent and {state}: {to}")
        if outcome == "unknown" and to not in faulty:
            found.unknown += 1
    found.wrong += [f"cap exceeded: {who}" for who, times in texts.items() if times > 1]
    found.wrong += [f"cap exceeded: {who}" for who, n in texts.items()
                    if n and int(who[-5:]) % 7 == 0]  # fmt: skip
    assert over is not None
    if over[0]:
        found.wrong.append(f"cap exceeded in the ledger: {over[0]} people")
    if found.unknown > found.at_most:
        found.wrong.append(f"{found.unknown} unknown, {found.at_most} were in flight")
    return found
