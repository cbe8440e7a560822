"""What would the database alone cost? `bench_floor.py [--messages N]`: the states, nothing else.

The statements by which a worker moves messages from `released` to `delivered`, window by window,
one after another: no question is asked, no rule, nothing is recorded or sealed, nothing is sent.
What is printed is the least that the promises cost a message, whatever a worker would be written
in: the processor's milliseconds of PostgreSQL and of who asks it.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import prepared  # noqa: E402, F401 Models need Django's settings first.
import psycopg  # noqa: E402
from chaos_spent import of_server  # noqa: E402
from chaos_store import DAY, Store  # noqa: E402
from outgoing import AT  # noqa: E402

from duly.service.outbox import reports, submitting, written  # noqa: E402
from duly.service.outbox.connecting import connect  # noqa: E402

CLAIM, WINDOW = 200, 50
_DUE = """
SELECT message_id, borrower_id FROM store_message WHERE state = 'released'
ORDER BY not_before, message_id LIMIT %s FOR UPDATE SKIP LOCKED
"""


def claimed(ours: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    with ours.transaction():
        rows = ours.execute(_DUE, (CLAIM,)).fetchall()
        names, people = [row[0] for row in rows], [row[1] for row in rows]
        given = {"ids": names, "people": people, "days": [DAY] * len(rows), "at": AT}
        ours.execute(written._RESERVE, given)
        ours.execute(written._CLAIM, (1, names, ["wire"] * len(rows)))
    return rows


def sent(ours: psycopg.Connection[Any], names: list[str], *, receipts: bool = True) -> None:
    """Submit, answer and report one window, in as many commits as a worker makes of it."""
    with ours.transaction():
        given = {"ids": names, "worker": 1, "at": AT}
        going = [row[0] for row in ours.execute(submitting._SUBMIT, given)]
    named, accepted = [f"n-{name}" for name in going], ["accepted"] * len(going)
    with ours.transaction():
        given = {"ids": going, "outcomes": accepted, "codes": [""] * len(going), "route": "wire",
                 "parts": named, "of": going, "ended": going, "states": accepted}  # fmt: skip
        ours.execute(submitting._ANSWERED, given)
    if not receipts:
        return
    raw = [f"id:{name} stat:DELIVRD" for name in named]
    delivered = ["delivered"] * len(going)
    with ours.transaction():
        found = ours.execute(reports._LOCK_NAMED, ("wire", named)).fetchall()
        ours.execute(reports._KEEP, ("wire", ["receipt"] * len(going), raw, raw, named, delivered,
                                     [""] * len(going), going))  # fmt: skip
        codes = [""] * len(going)
        ours.execute(reports._MOVE, ([row[1] for row in found], delivered, codes, going))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--without-receipts", action="store_true")
    given = parser.parse_args()
    store = Store()
    try:
        store.fill_plain(given.messages)
        with connect(store.url) as ours:
            began, ours_ms, servers = time.perf_counter(), time.process_time(), of_server(store)
            while rows := claimed(ours):
                names = [row[0] for row in rows]
                for start in range(0, len(names), WINDOW):
                    window = names[start : start + WINDOW]
                    sent(ours, window, receipts=not given.without_receipts)
            whole, ours_ms = time.perf_counter() - began, time.process_time() - ours_ms
            servers = of_server(store) - servers
            moved = ours.execute(
                "SELECT count(*) FROM store_message WHERE state IN ('accepted', 'delivered')"
            ).fetchone()
        assert moved == (given.messages,)
        each = 1000 / given.messages
        print(f"{given.messages} messages moved in {whole:.1f} s; ms of the processor a message:"
              f" PostgreSQL {servers * each:.3f}, who asks {ours_ms * each:.3f}")  # fmt: skip
    finally:
        store.close()


if __name__ == "__main__":
    main()
