"""How fast is the whole path beside the bare client? `bench_sending.py [--messages N]`.

In one run, against the same local peers: the client library alone, then two `duly worker` over a
real database (claim, door, submission, answers, receipts). SMPP against node's `smpp`, HTTP against
aiohttp's server. While the workers send at full speed, payments are told for people whose message
waits: how long until each is cancelled. A worker's memory is read after each tenth. Nothing is
asserted: a figure belongs to its machine; the ratio is what to compare.
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
from chaos_store import Store  # noqa: E402
from node_center import NodeCenter, installed  # noqa: E402
from submit_speed import messages, ours  # noqa: E402

WINDOW, LANES, WORKERS = 50, 2, 2
_SPAN = """
SELECT extract(epoch FROM max(at) FILTER (WHERE kind = 'message.answered')
    - min(at) FILTER (WHERE kind = 'message.claimed')),
    count(*) FILTER (WHERE kind = 'message.answered') FROM store_audit
"""


@dataclass
class Whole:
    """What two workers did."""

    rate: float
    waits: list[float] = field(default_factory=list)  #: seconds until a payment had cancelled
    memory: list[int] = field(default_factory=list)  #: KiB of one worker, over the run


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
    nursery: Nursery, folder: Path, route: dict[str, object], count: int, *, paid: int
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
        _watch(workers, found)
        beside.join()
        found.waits = payments.waits
        with psycopg.connect(store.url) as ours_:
            seconds, answered = ours_.execute(_SPAN).fetchone()
        found.rate = answered / float(seconds)
    finally:
        store.close()
    return found


def _watch(workers: list[Child], found: Whole) -> None:
    """Wait for the workers and read the memory of one, ten times a second."""
    while any(one.ended() is None for one in workers):
        status = Path(f"/proc/{workers[0].pid}/status")
        try:
            lines = status.read_text().splitlines()
        except OSError:
            lines = []
        found.memory += [int(line.split()[1]) for line in lines if line.startswith("VmRSS")]
        time.sleep(0.1)
    for one in workers:
        assert one.ended() == 0, one.words()


def tell(name: str, bare: list[float], whole: list[Whole]) -> None:
    """Print one wire's figures."""
    alone, path = statistics.median(bare), statistics.median(one.rate for one in whole)
    waits = sorted(wait for one in whole for wait in one.waits)
    memory = max(whole, key=lambda one: len(one.memory)).memory
    tenth = max(len(memory) // 10, 1)
    print(f"{name}: bare {alone:,.0f}/s, two workers {path:,.0f}/s, ratio {path / alone:.2f}")
    if waits:
        at = waits[min(int(len(waits) * 0.99), len(waits) - 1)]
        print(f"  {len(waits)} payments: cancelled within {at * 1000:,.0f} ms (p99), "
              f"{waits[-1] * 1000:,.0f} ms (most)")  # fmt: skip
    print(f"  memory of a worker: {memory[tenth] / 1024:.0f} MiB after a tenth, "
          f"{memory[-tenth] / 1024:.0f} MiB at the end")  # fmt: skip


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--payments", type=int, default=200)
    parser.add_argument("--wire", choices=("smpp", "http"), default="")
    given = parser.parse_args()
    count = given.messages
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
            "smpp": (lambda: asyncio.run(ours(center, count, WINDOW)), smpp_route),
            "http": (lambda: asyncio.run(bare_http(port, count)), http_route),
        }
        try:
            for wire, (alone, route) in wires.items():
                if given.wire not in ("", wire):
                    continue
                bare, whole = [], []
                for _ in range(given.rounds):
                    bare.append(measured(alone, count))
                    whole.append(whole_path(nursery, folder, route, count, paid=given.payments))
                tell(wire.upper(), bare, whole)
        finally:
            center.kill()
            http.kill()
            http.wait()
            http.stdout.close()
            nursery.close()


if __name__ == "__main__":
    messages(1)
    main()
