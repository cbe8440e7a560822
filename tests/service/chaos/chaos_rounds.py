"""Rounds of a chaos run: who is killed, cut or restarted in them, and how each is ended."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from chaos_peer import HOOK_SECRET
from chaos_points import POINTS, SIDES
from chaos_spawn import Child, Nursery
from chaos_store import WINDOW, Found, Happened, Store, check
from prepared import SECRET_KEYS

PEER = Path(__file__).with_name("chaos_peer.py")
AT = "2026-03-10T10:00:00+08:00"
LANES = 2
_DEATH_SECONDS, _END_SECONDS = 8.0, 90.0
Death = tuple[str, str, int]  #: the point, before or after it, the how manieth time


@dataclass
class Peer:
    """The process on the other side of the wires."""

    log: Path
    seed: int
    faults: int
    hook_port: int = 0
    smpp: int = 0
    http: int = 0
    _process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, PEER, self.log, str(self.seed), str(self.faults), str(self.hook_port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.smpp, self.http = (int(one) for one in self._process.stdout.readline().split())

    def order(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self.order("stop")
        self._process.wait(timeout=30)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()


@dataclass
class World:
    """All that a run has: the store, the peer, `duly serve` for the webhooks, the seed's draws."""

    folder: Path
    seed: int
    faults: int = 12
    with_webhooks: bool = True
    store: Store = field(default_factory=Store)
    rounds: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.nursery = Nursery(self.folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            hook_port = free.getsockname()[1]
        self.log = self.folder / "wire"
        self.log.touch()
        self.hook_port = hook_port if self.with_webhooks else 0
        self.peer = Peer(self.log, self.seed, self.faults, self.hook_port)
        self.env = {
            "DULY_DATABASE_URL": self.store.url, "DULY_HOME": str(self.folder / "home"),
            "DULY_LOCALE": "en", "CHAOS_PASSWORD": "s3cr3t", "CHAOS_SECRET": "a secret",
            "CHAOS_HOOK": HOOK_SECRET, "DULY_SECRET_KEYS": SECRET_KEYS,
            "DULY_LENDER": str(self._lender()),
        }  # fmt: skip
        self.served = self._serve() if self.with_webhooks else None

    def _lender(self) -> Path:
        from importlib import resources

        text = resources.files("duly.book").joinpath("lender.example.yaml").read_text("utf-8")
        lender = yaml.safe_load(text)
        lender["routes"] = [
            {"name": "carrier-a", "channel": "sms", "kind": "smpp", "host": "127.0.0.1",
             "port": self.peer.smpp, "system_id": "duly", "password_env": "CHAOS_PASSWORD",
             "source": "1069000000", "window": WINDOW, "timeout_seconds": 1},
            {"name": "gateway-b", "channel": "email", "kind": "http", "window": WINDOW,
             "url": f"http://127.0.0.1:{self.peer.http}/send", "secret_env": "CHAOS_SECRET",
             "webhook_secret_env": "CHAOS_HOOK", "timeout_seconds": 1},
        ]  # fmt: skip
        path = self.folder / "lender.yaml"
        path.write_text(yaml.safe_dump(lender, allow_unicode=True), encoding="utf-8")
        return path

    def _serve(self) -> Child:
        return self.nursery.start("serve", "--port", str(self.hook_port), env=self.env)

    def worker(self, *more: str, die_at: tuple[str, str, int] | None = None) -> Child:
        """Start `duly worker` at ten in Shanghai."""
        return self.nursery.start(
            "worker", "--at", AT, "--concurrency", str(LANES), *more, env=self.env, die_at=die_at
        )

    def keep_serving(self) -> None:
        """Start `duly serve` again where it has ended: so does whoever runs it."""
        if self.served is not None and self.served.ended() is not None:
            self.served = self._serve()

    def round(self, count: int, happen: Happen) -> Found:
        """Write messages, let things happen while they are sent, end the round, and check it."""
        self.rounds += 1
        name = f"r{self.rounds:03}"
        self.store.fill(name, self.rounds, count)
        happened = happen(self)
        wrong = self._finish(name)
        found = check(self.store, name, self.log, happened)
        found.wrong += wrong
        return found

    def _finish(self, name: str) -> list[str]:
        """Let whole workers end what is due; a dead one's lock falls when its socket does."""
        until = time.monotonic() + _END_SECONDS
        while time.monotonic() < until:
            self.keep_serving()
            last = self.worker("--once")
            while last.ended() is None:
                if time.monotonic() > until:
                    last.kill()
                    return [f"a worker did not end: {last.words()}"]
                time.sleep(0.02)
            if last.ended():
                return [f"a worker ended with {last.ended()}: {last.words()}"]
            left = self.store.states(name)
            if not {"released", "claimed", "submitted", "planned"} & set(left):
                return []
        return []

    def close(self) -> None:
        if self.served is not None:
            self.served.kill()
        self.peer.close()
        self.nursery.close()
        self.store.close()


Happen = Callable[[World], Happened]


def at_points(deaths: Sequence[Death]) -> Happen:
    """Return what lets workers die at these points, two at a time, each the other's rival.

    One sealer works at a time, each second, so who dies of it works alone.
    """

    def happen(world: World) -> Happened:
        killed = 0
        alone = [[one] for one in deaths if one[0] == "seal"]
        others = [one for one in deaths if one[0] != "seal"]
        for group in [others[at : at + 2] for at in range(0, len(others), 2)] + alone:
            dying = [world.worker(die_at=death) for death in group]
            killed += sum([_until_dead(one) for one in dying])
        return Happened(
            kills=killed, missed=len(deaths) - killed, in_flight=killed * LANES * WINDOW
        )

    return happen


def _until_dead(one: Child) -> bool:
    """Wait until it dies as it should; it is stopped where it never comes to its point."""
    until = time.monotonic() + _DEATH_SECONDS
    while time.monotonic() < until:
        code = one.ended()
        if code is not None:
            return code == -signal.SIGKILL
        time.sleep(0.005)
    one.ask_to_end()
    while one.ended() is None:
        time.sleep(0.01)
    return False


def at_instants(kills: int) -> Happen:
    """Return what kills groups at random instants: workers in pairs, now and then the API."""

    def happen(world: World) -> Happened:
        done = workers = 0
        while done < kills:
            pair = [world.worker(), world.worker()]
            for one in pair:
                time.sleep(world.chance.uniform(0.02, 0.4))
                if done < kills and one.kill():
                    done += 1
                    workers += 1
            for one in pair:
                done_here = one.kill()
                done += done_here
                workers += done_here
            if world.served is not None and world.chance.random() < 0.1 and done < kills:
                done += world.served.kill()
            world.keep_serving()
        return Happened(kills=done, in_flight=workers * LANES * WINDOW)

    return happen


def cuts(count: int) -> Happen:
    """Return what cuts every connection of the wires, again and again."""

    def happen(world: World) -> Happened:
        pair = [world.worker(), world.worker()]
        for _ in range(count):
            time.sleep(world.chance.uniform(0.1, 0.6))
            world.peer.order("cut")
        return Happened(cuts=count, in_flight=_end(pair) + count * 2 * LANES * WINDOW)

    return happen


def restarts(hows: Sequence[str]) -> Happen:
    """Return what restarts the database while two workers send; both have to live through it."""

    def happen(world: World) -> Happened:
        pair = [world.worker(), world.worker()]
        while world.store.alive() < len(pair):
            time.sleep(0.01)
        for how in hows:
            time.sleep(world.chance.uniform(0.3, 1.0))
            world.store.restart(how)
        time.sleep(1.0)
        dead = [one for one in pair if one.ended() is not None]
        in_flight = _end(pair) + len(hows) * 2 * LANES * WINDOW
        dead += [one for one in pair if one not in dead and one.ended() not in (0, -9)]
        wrong = tuple(f"a worker did not survive: {one.words()[:4000]}" for one in dead)
        return Happened(restarts=len(hows), in_flight=in_flight, wrong=wrong)

    return happen


def _end(workers: Sequence[Child]) -> int:
    """Stop workers as an operator does."""
    for one in workers:
        one.ask_to_end()
    until = time.monotonic() + _DEATH_SECONDS
    killed = 0
    for one in workers:
        while one.ended() is None and time.monotonic() < until:
            time.sleep(0.01)
        killed += one.kill()
    return killed * LANES * WINDOW


def draws(chance: random.Random, each: int) -> list[Death]:
    """Return so many deaths at each point, in an order of their own."""
    found = [
        # The log is sealed once a second: who waits for a third time finds nothing to send.
        (point, SIDES[n % 2], 1 if point == "seal" else chance.choice((1, 1, 2, 3)))
        for point in POINTS
        for n in range(each)
    ]
    chance.shuffle(found)
    return found
