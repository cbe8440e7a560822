"""Goal: while a stop stands nothing of its scope is submitted, whoever starts again.

Method: a server of the test's own that is stopped and started under each stop; real workers over a
sandbox that writes down what reached it.
"""

from __future__ import annotations

import asyncio
import json

import pytest
from django.db import connections
from outgoing import AT, fill, lender, states

from duly.core.errors import Refused
from duly.service import migrating, postgres, setting_up
from duly.service.operations import releasing
from duly.service.operations.asking import standing
from duly.service.outbox.worker import Worker
from duly.service.store.models import Audit, Message, Stopped

SCOPES = [("all", ""), ("run", "a" * 64), ("template", "overdue"), ("route", "box")]


def work(url, log):
    worker = Worker(url, lender(log=str(log)), now=lambda: AT)
    return asyncio.run(worker.run(once=True))


def test_each_scope_holds_over_restarts_of_worker_and_database(own_server, tmp_path):
    log = tmp_path / "wire"
    url = postgres.start(own_server).url
    with setting_up.using(url):
        migrating.migrate()
        ids = fill(2)
        for scope, name in SCOPES:
            # Which route takes a message is only known once it is claimed.
            assert releasing.stop(scope, name, by="Li") == (0 if scope == "route" else 2)
            setting_up.close()
            assert postgres.stop(own_server)
            setting_up.set_up(postgres.start(own_server).url)

            for _ in range(2):
                assert work(url, log).submitted == 0
            assert states(url) == {"released": 2}
            assert not log.exists() or not log.read_text()
            with pytest.raises(Refused, match="second_name"):
                releasing.lift(scope, name, by=" LI ")
            releasing.lift(scope, name, by="Wang")

        assert work(url, log).submitted == 2
        assert len(log.read_text().splitlines()) == len(ids)
        setting_up.close()


@pytest.mark.parametrize(
    ("scope", "name"), [("run", "b" * 64), ("template", "first_late"), ("route", "mail")]
)
def test_what_a_stop_does_not_name_goes_on(store, tmp_path, scope, name):
    fill(2)
    if scope == "run":
        with pytest.raises(Refused, match="unknown_run"):
            releasing.stop(scope, name, by="Li")
        assert Stopped.objects.count() == 0
    else:
        assert releasing.stop(scope, name, by="Li") == 0
    assert work(store, tmp_path / "wire").submitted == 2


def test_a_stop_while_sending_lets_at_most_the_window_out(store, tmp_path):
    fill(300)
    log = tmp_path / "wire"
    log.touch()
    window = 10
    worker = Worker(store, lender(log=str(log), window=window), now=lambda: AT, batch=100)

    async def both():
        sending = asyncio.create_task(worker.run(once=True))
        while len(log.read_text().splitlines()) < 3 * window:
            await asyncio.sleep(0.01)
        gone = await asyncio.to_thread(stopped_over)
        await sending
        return gone

    gone = asyncio.run(both())
    sent = len(log.read_text().splitlines())
    assert sent <= gone + window < 300
    assert states(store)["released"] == 300 - sent


def stopped_over():
    """Stop in another thread; return how many had been submitted when the stop stood."""
    try:
        releasing.stop("all", "", by="Li")
        return Message.objects.exclude(state__in=("released", "claimed")).count()
    finally:
        connections.close_all()


def test_a_stop_that_stands_is_told_once(store):
    fill(1)
    for _ in range(2):
        assert releasing.stop("template", "overdue", by="Li") == 1
    assert Stopped.objects.count() == 1
    assert standing().stopped == ("template:overdue",)
    (row,) = Audit.objects.filter(kind="stopped")
    assert (row.subject, json.loads(row.payload)) == ("template:overdue", {"by": "Li"})
