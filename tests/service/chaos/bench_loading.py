"""How long does `duly send` take to load a large plan? `bench_loading.py [--messages N]`.

A real plan of a sample book, its borrowers written down as often as it takes, goes into a database
of its own by `loading.load`: people, contacts, messages and their decisions by COPY, an audit row a
decision, in one transaction. Printed are the seconds, the processor's by part and process, and
this process's peak memory. Nothing is asserted: a figure belongs to its machine.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import duckdb  # noqa: E402
import prepared  # noqa: E402, F401 Models need Django's settings first.
from chaos_spent import of_server  # noqa: E402
from chaos_store import Store  # noqa: E402
from plans import AT, proven  # noqa: E402

from duly.plan.proven import Proven  # noqa: E402
from duly.service import setting_up  # noqa: E402
from duly.service.operations import loading  # noqa: E402

#: Table → what is another name in each writing of it. Ids of messages keep their length.
_NAMES = {
    "messages": "md5(message_id || k) AS message_id, borrower_id || '-' || k AS borrower_id,"
    " list_transform(loan_ids, lambda one: one || '-' || k) AS loan_ids",
    "facts": "md5(message_id || k) AS message_id",
    "decisions": "loan_id || '-' || k AS loan_id, borrower_id || '-' || k AS borrower_id,"
    " md5(message_id || k) AS message_id",
    "people": "borrower_id || '-' || k AS borrower_id",
    "contacts": "contact_id || '-' || k AS contact_id, borrower_id || '-' || k AS borrower_id",
    "signals": "signal_id || '-' || k AS signal_id, borrower_id || '-' || k AS borrower_id",
}
_PARTS = ("supersede", "_copy", "count_payments", "record_decisions", "keep_sources")


def written_often(plan: Proven, messages: int) -> Proven:
    """Return a plan of so many messages at least: the same, its people under many names."""
    times = -(-messages // plan.messages.num_rows)
    with duckdb.connect() as asked:
        tables = {}
        for name, names in _NAMES.items():
            asked.register(name, getattr(plan, name))
            which = "WHERE message_id IS NOT NULL" if name == "decisions" else ""
            question = (
                f"SELECT * REPLACE ({names}) FROM {name} CROSS JOIN range({times}) AS t(k) {which}"
            )
            tables[name] = asked.sql(question).to_arrow_table()
    return replace(plan, **tables)


def timed(spent: Counter[str], store: Store) -> None:
    """Let each part of a load note the processor's seconds."""

    def wrapped(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            began = time.process_time() + of_server(store)
            try:
                return work(*given, **named)
            finally:
                part = f"{name} {given[2].split()[2]}" if name == "_copy" else name
                spent[part] += time.process_time() + of_server(store) - began

        return called

    for name in _PARTS:
        setattr(loading, name, wrapped(name, getattr(loading, name)))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    given = parser.parse_args()
    store = Store()
    try:
        with tempfile.TemporaryDirectory(prefix="duly-bench-") as name:
            plan = written_often(proven(Path(name), loans=3000), given.messages)
            spent: Counter[str] = Counter()
            timed(spent, store)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began, ours, servers = time.perf_counter(), time.process_time(), of_server(store)
            with setting_up.using(store.url):
                loaded = loading.load(plan, at=AT)
            whole, ours = time.perf_counter() - began, time.process_time() - ours
            servers = of_server(store) - servers
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{loaded.messages:,} messages of {plan.decisions.num_rows:,} decisions:"
              f" {whole:.1f} s, {loaded.state}; of the processor {ours:.1f} s here,"
              f" {servers:.1f} s PostgreSQL")  # fmt: skip
        for part, seconds in spent.most_common():
            print(f"  {part}: {seconds:.1f} s of the processor")
        print(f"  memory: {before / 1024:,.0f} MiB with the plan, {peak / 1024:,.0f} MiB at most")
    finally:
        store.close()


if __name__ == "__main__":
    main()
