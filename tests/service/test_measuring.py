"""Goal: a watcher sees what stands, nothing of anybody. Method: a filled store, a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta

import psycopg
import pytest
from outgoing import AT, fill
from prometheus_client.parser import text_string_to_metric_families

from duly.service.operations.keys import create
from duly.service.operations.measuring import figures
from duly.service.outbox.spending import lease, say_limit, spend

PHONE, NAME = "+8613800000001", "张伟"


def sample(text: str) -> dict[str, float]:
    """Return the samples of an exposition as `name{label=value}`."""
    found = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(one.labels.items()))
            found[f"{one.name}{{{labels}}}"] = one.value
    return found


def told(at=AT) -> dict[str, float]:
    from duly.service.api.metrics import exposed

    return sample(exposed(figures(at=at)).decode())


def test_an_empty_store_has_figures_that_are_nothing(store):
    found = told()
    assert found["duly_workers{}"] == 0
    assert found["duly_audit_unsealed{}"] == 0
    assert found["duly_audit_unsealed_seconds{}"] == 0
    assert found["duly_door_disagreements_total{}"] == 0
    assert not [name for name in found if name.startswith("duly_messages")]


def test_the_queue_is_what_may_leave_now(store):
    ids = fill(6)
    with psycopg.connect(store, autocommit=True) as ours:
        late = AT + timedelta(hours=1)
        ours.execute(
            "UPDATE store_message SET not_before = %s WHERE message_id = %s", (late, ids[0])
        )
        ours.execute("UPDATE store_message SET due_at = %s WHERE message_id = %s",
                     (AT - timedelta(seconds=90), ids[1]))  # fmt: skip
        ours.execute("UPDATE store_message SET state = 'blocked', reason = 'opted_out'"
                     " WHERE message_id = %s", (ids[2],))  # fmt: skip
    found = told()
    assert found["duly_queue_depth{channel=sms}"] == 4
    assert found["duly_queue_oldest_seconds{channel=sms}"] == 30 * 60
    assert found["duly_messages{state=released}"] == 5
    assert found["duly_door_blocked_total{reason=opted_out}"] == 1


def test_what_the_newest_day_costs_is_told(store):
    assert {name: value for name, value in told().items() if "budget" in name} == {
        f"duly_budget_{one}{{}}": 0 for one in ("limit", "spent", "beyond", "leased", "exhausted")
    }
    with psycopg.connect(store, autocommit=True) as ours:
        for day in (date(2026, 3, 9), date(2026, 3, 10)):
            say_limit(ours, day, limit=100_000, since=AT)
        lease(ours, date(2026, 3, 10), worker=1, block=70_000)
        spend(ours, date(2026, 3, 10), worker=1, within=450, beyond=900)
        ours.execute("UPDATE store_budget SET exhausted_at = now() WHERE day = '2026-03-10'")
    found = told()
    assert found["duly_budget_limit{}"] == 10
    assert found["duly_budget_spent{}"] == 0.045
    assert found["duly_budget_beyond{}"] == 0.09
    assert found["duly_budget_leased{}"] == 6.955
    assert found["duly_budget_exhausted{}"] == 1


def test_a_claim_of_a_dead_worker_is_told_from_one_of_a_living(store):
    from duly.service.outbox.identity import Identity

    ids = fill(3)
    alive = Identity(store)
    try:
        with psycopg.connect(store, autocommit=True) as ours:
            for name, number in zip(ids, (alive.number, alive.number, 7), strict=True):
                ours.execute(
                    "UPDATE store_message SET state = 'claimed', route = 'box', worker = %s"
                    " WHERE message_id = %s", (number, name),
                )  # fmt: skip
        found = told()
        assert found["duly_workers{}"] == 1
        assert found["duly_in_flight{state=claimed,worker_alive=yes}"] == 2
        assert found["duly_in_flight{state=claimed,worker_alive=no}"] == 1
    finally:
        alive.close()


class TestOverHttp:
    @pytest.fixture
    def watcher(self, facts):
        from duly.service.operations import keys

        key = keys.create("watcher", scopes=["metrics:read"], days=1).text
        yield facts, key
        keys.revoke("watcher")

    def test_a_key_that_may_see_counts_gets_them(self, watcher):
        served, key = watcher
        found = served.get("/metrics", key=key)
        assert found.status == 200
        assert found.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "duly_workers{}" in sample(found.body.decode())
        assert PHONE.encode() not in found.body

    def test_nobody_else_does(self, watcher):
        served, key = watcher
        assert served.get("/metrics", key=None).code == "no_key"
        assert served.get("/metrics", key="duly_0000000000_" + "x" * 43).code == "bad_key"
        other = create("events-only", scopes=["events:write"], days=1).text
        assert served.get("/metrics", key=other).code == "unscoped"
        assert served.ask("POST", "/metrics", {}, key=key).code == "method"
        assert served.get("/api/v1/runs", key=key).code == "unscoped"


def test_the_command_prints_the_same(store):
    fill(2)
    done = subprocess.run(
        [sys.executable, "-m", "duly.cli.main", "metrics"], capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "DULY_DATABASE_URL": store, "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert sample(done.stdout)["duly_messages{state=released}"] == 2
