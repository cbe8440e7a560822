"""Goal: from the store to a print house's spool and back, once, also when a worker is killed.

Method: workers over a real database and a real folder; what a print house finds is read there.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psycopg
from outgoing import AT, fill, states

from duly.book import Lender, Route
from duly.service.outbox.worker import Worker
from duly.service.store.models import Attempt, Report

ADDRESS = "周某某|示例市示例路1号|100000"


def lender(spool: Path) -> Lender:
    route = Route(
        name="post", channel="letter", kind="letter",
        settings={"spool": str(spool), "letterhead": {"zh-CN": "示例消费金融有限公司|95xxx"}},
    )  # fmt: skip
    return Lender(
        name="示例消费金融有限公司",
        signature="示例消金",
        hotline="95xxx",
        app="App",
        routes=(route,),
    )


def work(store: str, spool: Path) -> dict[str, int]:
    return dict(asyncio.run(Worker(store, lender(spool), now=lambda: AT).run(once=True)).outcomes)


def tell(spool: Path, name: str, **codes: str) -> None:
    receipts = [{"id": letter, "code": code} for letter, code in codes.items()]
    (spool / "receipts" / name).write_text(json.dumps({"receipts": receipts}), encoding="utf-8")


def test_letters_lie_there_once_and_what_the_print_house_tells_is_written_down(store, tmp_path):
    ids = fill(12, channel="letter", address=ADDRESS)
    assert work(store, tmp_path) == {"accepted": 12}
    assert sorted(one.name for one in (tmp_path / "ready").iterdir()) == ids
    tell(tmp_path, "a.json", **{ids[0]: "RETURNED", ids[1]: "DELIVERED", ids[2]: "POSTED"})
    assert work(store, tmp_path) == {}
    assert states(store) == {"accepted": 10, "undelivered": 1, "delivered": 1}
    assert list((tmp_path / "receipts").iterdir()) == []
    assert Report.objects.count() == 3


def test_an_address_that_is_none_is_undelivered_and_lies_nowhere(store, tmp_path):
    fill(1, channel="letter", address="周某某")
    assert work(store, tmp_path) == {"refused": 1}
    assert states(store) == {"undelivered": 1}
    assert list((tmp_path / "ready").iterdir()) == []
    assert Attempt.objects.get().code == "DULY:address"


#: A worker that is killed between the third letter's rename and its answer.
_DYING = """
    import os, signal, sys
    sys.path[:0] = [{tests!r}]
    from pathlib import Path
    from duly.service import setting_up
    setting_up.prepare()
    from test_letters_end_to_end import work
    from duly.delivery.letters.spool import Spool
    left = 3
    def settle(self):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
    Spool.settle = settle
    work({store!r}, Path({spool!r}))
"""


def test_a_killed_workers_letters_are_not_printed_again_and_a_late_receipt_still_finds_them(
    store, tmp_path
):
    ids = fill(5, channel="letter", address=ADDRESS)
    code = textwrap.dedent(_DYING).format(
        tests=str(Path(__file__).parent), store=store, spool=str(tmp_path)
    )
    died = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    lying = sorted(one.name for one in (tmp_path / "ready").iterdir())
    assert lying == ids[:3]
    _until_settled(store, tmp_path)
    # What was submitted is not sent again, the two that were never written among it.
    assert sorted(one.name for one in (tmp_path / "ready").iterdir()) == lying
    assert states(store) == {"unknown": 5}
    # No answer named them: the print house does, by the name of the folder.
    tell(tmp_path, "a.json", **{ids[0]: "DELIVERED", ids[2]: "RETURNED", "m99999": "DELIVERED"})
    assert work(store, tmp_path) == {}
    assert states(store) == {"unknown": 3, "delivered": 1, "undelivered": 1}


def test_a_receipt_that_came_before_its_worker_was_found_dead_is_not_lost(store, tmp_path):
    ids = fill(1, channel="letter", address=ADDRESS)
    code = textwrap.dedent(_DYING).format(
        tests=str(Path(__file__).parent), store=store, spool=str(tmp_path)
    ).replace("left = 3", "left = 1")  # fmt: skip
    subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert states(store) == {"submitted": 1}
    with psycopg.connect(store) as ours:
        ours.execute(
            "INSERT INTO store_report (route, kind, raw, raw_sha256, provider_id, state, code)"
            " VALUES ('post', 'receipt', '{}', repeat('a', 64), %s, 'delivered', 'DELIVERED')",
            (ids[0],),
        )
    _until_settled(store, tmp_path)
    assert states(store) == {"delivered": 1}


def _until_settled(store: str, spool: Path) -> None:
    """Let workers come until the dead one's lock has fallen."""
    for _ in range(50):
        work(store, spool)
        if "submitted" not in states(store):
            return
    raise AssertionError(states(store))
