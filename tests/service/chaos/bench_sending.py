"""How fast is the whole path beside the bare client? `bench_sending.py [--messages N]`.

In one run, against the same local peers: the client library alone, then two `duly worker` over a
real database (claim, door, submission, answers, receipts). SMPP against node's `smpp`, HTTP against
aiohttp's server. While the workers send at full speed, payments are told for people whose message
waits: how long until each is cancelled. Nothing is asserted: a figure belongs to its machine; the
ratio is what to compare, and beside neighbors the processor's milliseconds a message, by process.

`--memory` prints the memory of a worker each time that so many more were submitted (one round of
one wire is enough for it).
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "peers")]

import prepared  # noqa: E402 Models need Django's settings first.
import psycopg  # noqa: E402
import yaml  # noqa: E402
from bench_payments import Payments  # noqa: E402
from chaos_rounds import AT  # noqa: E402
from chaos_spawn import Child, Nursery  # noqa: E402
from chaos_spent import memory_of, of_server, seconds_of  # noqa: E402
from chaos_store import Store  # noqa: E402
from node_center import NodeCenter, installed  # noqa: E402
from submit_speed import messages, ours  # noqa: E402

WINDOW, LANES, WORKERS = 50, 2, 2
_SPAN = """
SELECT extract(epoch FROM max(at) FILTER (WHERE kind = 'message.answered')
    - min(at) FILTER (WHERE kind = 'message.claimed')),
    count(*) FILTER (WHERE kind = 'message.answered') FROM store_audit
"""
#: Numbers that were given out to submissions: to count them would take longer and longer.
_SUBMITTED = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM store_attempt_id_seq"


@dataclass
class Whole:
    """What two workers did."""

    rate: float
    waits: list[float] = field(default_factory=list)  #: seconds until a payment had cancelled
    memory: list[tuple[int, int]] = field(default_factory=list)  #: submitted by then, KiB of one
    spent: dict[str, float] = field(default_factory=dict)  #: ms of the processor for a message


async def bare_http(port: int, count: int) -> None:
    """Post prepared bodies, as many at a time as the window, by aiohttp alone."""
    import aiohttp

    left = iter(range(count))
    body = b'{"id":"m0","channel":"sms","to":"+8613800000000","text":"' + b"x" * 80 + b'"}'
    url = f"http://127.0.0.1:{port}/send"

    async def lane(client: aiohttp.ClientSession) -> None:
        for _ in left:
            async with client.post(url, data=body) as found:
                assert found.status == 200
                await found.read()

    connector = aiohttp.TCPConnector(limit=WINDOW)
    async with aiohttp.ClientSession(connector=connector) as client:
        await asyncio.gather(*[lane(client) for _ in range(WINDOW)])


def measured(work: Callable[[], object], count: int) -> float:
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def lender(folder: Path, route: dict[str, object]) -> Path:
    from importlib import resources

    text = resources.files("duly.book").joinpath("lender.example.yaml").read_text("utf-8")
    told = yaml.safe_load(text)
    told["routes"] = [{"name": "wire", "channel": "sms", "window": WINDOW, **route}]
    path = folder / "lender.yaml"
    path.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    return path


def whole_path(
    nursery: Nursery, folder: Path, route: dict[str, object], count: int, *, paid: int, peer: int
) -> Whole:
    """Let two workers send so many messages, and tell payments meanwhile."""
    store = Store()
    try:
        store.fill_plain(count)
        env = {
            "DULY_DATABASE_URL": store.url, "DULY_HOME": str(folder / "home"),
            "DULY_LOCALE": "en", "SECRET": "s3cr3t", "DULY_SECRET_KEYS": prepared.SECRET_KEYS,
            "DULY_LENDER": str(lender(folder, route)),
        }  # fmt: skip
        workers = [
            nursery.start(
                "worker", "--once", "--at", AT, "--concurrency", str(LANES), env=env, claims=None
            )
            for _ in range(WORKERS)
        ]
        found = Whole(rate=0.0)
        payments = Payments(store.url, paid, count)
        beside = threading.Thread(target=payments.tell)
        beside.start()
        _watch(store, workers, peer, found)
        beside.join()
        found.waits = payments.waits
        with psycopg.connect(store.url) as ours_:
            seconds, answered = ours_.execute(_SPAN).fetchone()
        found.rate = answered / float(seconds)
    finally:
        store.close()
    return found


def _watch(store: Store, workers: list[Child], peer: int, found: Whole) -> None:
    """Wait for the workers; read the memory of one and the processor's time of all, as it goes."""
    began, ended = (0, {}), (0, {})
    with psycopg.connect(store.url, autocommit=True) as ours:
        while any(one.ended() is None for one in workers):
            row = ours.execute(_SUBMITTED).fetchone()
            assert row is not None
            times = {"workers": sum(seconds_of(one.pid) for one in workers),
                     "PostgreSQL": of_server(store), "peer": seconds_of(peer)}  # fmt: skip
            if row[0] and all(one.ended() is None for one in workers):
                began, ended = began if began[0] else (row[0], times), (row[0], times)
                found.memory.append((row[0], memory_of(workers[0].pid)))
            time.sleep(0.1)
    for one in workers:
        assert one.ended() == 0, one.words()
    count = max(ended[0] - began[0], 1)
    found.spent = {name: 1000 * (ended[1][name] - began[1][name]) / count for name in ended[1]}


def tell(name: str, bare: list[float], whole: list[Whole], *, each: int) -> None:
    """Print one wire's figures; with `each` the memory after every so many messages."""
    alone, path = statistics.median(bare), statistics.median(one.rate for one in whole)
    waits = sorted(wait for one in whole for wait in one.waits)
    print(f"{name}: bare {alone:,.0f}/s, two workers {path:,.0f}/s, ratio {path / alone:.2f}")
    if waits:
        at = waits[min(int(len(waits) * 0.99), len(waits) - 1)]
        print(f"  {len(waits)} payments: cancelled within {at * 1000:,.0f} ms (p99), "
              f"{waits[-1] * 1000:,.0f} ms (most)")  # fmt: skip
    spent = {name: statistics.median(one.spent[name] for one in whole) for name in whole[0].spent}
    told = ", ".join(f"{name} {ms:.3f}" for name, ms in spent.items())
    print(f"  ms of the processor a message: {told}, all {sum(spent.values()):.3f}")
    longest = max(whole, key=lambda one: len(one.memory)).memory
    at = each or max(longest[-1][0] // 10, 1)
    for submitted, kib in longest:
        if submitted >= at:
            print(f"  memory of a worker after {submitted:,} messages: {kib / 1024:.0f} MiB")
            at += each or longest[-1][0] // 2


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--payments", type=int, default=200)
    parser.add_argument("--wire", choices=("smpp", "http"), default="")
    parser.add_argument("--memory", type=int, default=0, metavar="EACH")
    given = parser.parse_args()
    count, some = given.messages, min(given.messages, 20_000)
    print(f"{count} messages, {given.rounds} rounds, {datetime.now(UTC):%Y-%m-%d %H:%M}Z")
    with tempfile.TemporaryDirectory(prefix="duly-bench-") as name:
        folder = Path(name)
        nursery = Nursery(folder)
        center = NodeCenter(folder=installed(folder), log=folder / "wire")
        center.start()
        http = subprocess.Popen(
            [sys.executable, HERE / "plain_peer.py"], stdout=subprocess.PIPE, text=True
        )
        assert http.stdout is not None
        port = int(http.stdout.readline())
        smpp_route = {"kind": "smpp", "host": "127.0.0.1", "port": center.port,
                      "system_id": "duly", "password_env": "SECRET",
                      "source": "1069000000"}  # fmt: skip
        http_route = {"kind": "http", "url": f"http://127.0.0.1:{port}/send",
                      "secret_env": "SECRET"}  # fmt: skip
        wires = {
            "smpp": (lambda: asyncio.run(ours(center, some, WINDOW)), smpp_route, center.pid),
            "http": (lambda: asyncio.run(bare_http(port, some)), http_route, http.pid),
        }
        try:
            for wire, (alone, route, peer) in wires.items():
                if given.wire not in ("", wire):
                    continue
                bare, whole = [], []
                for _ in range(given.rounds):
                    bare.append(measured(alone, some))
                    whole.append(
                        whole_path(nursery, folder, route, count, paid=given.payments, peer=peer)
                    )
                tell(wire.upper(), bare, whole, each=given.memory)
        finally:
            center.kill()
            http.kill()
            http.wait()
            http.stdout.close()
            nursery.close()


if __name__ == "__main__":
    messages(1)
    main()
