"""Kill, cut and restart while real workers send, and count what must be nought: `make chaos`.

`run_chaos.py [--seed N] [--each N] [--instants N] [--cuts N] [--restarts N]`. Ends with 1 where a
message was sent twice or lost, a cap was exceeded, more is unknown than was in flight, or the
record is not whole. The seed fixes who dies at which point and when, and every fault of the other
side; in which order processes run is the machine's.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "peers")]

import prepared  # noqa: E402, F401 Models need Django's settings first.
from chaos_points import POINTS  # noqa: E402
from chaos_rounds import Happen, World, at_instants, at_points, cuts, draws, restarts  # noqa: E402
from chaos_store import Found  # noqa: E402

DEATHS_A_ROUND, INSTANTS_A_ROUND, CUTS_A_ROUND = 5, 10, 5
PEOPLE = 400


def phases(given: argparse.Namespace) -> Iterator[tuple[str, Happen]]:
    """Give what happens in each round, under the name of its line in the table."""
    chance = random.Random(given.seed)
    for point in POINTS:
        deaths = [one for one in draws(chance, given.each) if one[0] == point]
        for at in range(0, len(deaths), DEATHS_A_ROUND):
            yield f"at: {point}", at_points(deaths[at : at + DEATHS_A_ROUND])
    for _ in range(0, given.instants, INSTANTS_A_ROUND):
        yield "at random instants", at_instants(INSTANTS_A_ROUND)
    for _ in range(0, given.cuts, CUTS_A_ROUND):
        yield "connections cut", cuts(CUTS_A_ROUND)
    for n in range(0, given.restarts, 2):
        yield "database restarted", restarts(("fast", "immediate") if n % 4 else ("immediate",) * 2)


def run(given: argparse.Namespace) -> dict[str, Found]:
    """Run every round and return what each phase left; the record is verified after each phase."""
    found: dict[str, Found] = {}
    with tempfile.TemporaryDirectory(prefix="duly-chaos-") as folder:
        world = World(Path(folder), given.seed)
        try:
            for name, happen in phases(given):
                began = time.monotonic()
                one = world.round(PEOPLE, happen)
                whole = found.setdefault(name, Found())
                new = name if len(found) == 1 or whole.messages == 0 else ""
                if new or one.wrong:
                    one.wrong += world.store.wrong_in_record()
                whole.add(one)
                tell = f"round {world.rounds} {name}: {time.monotonic() - began:.1f} s"
                print(tell, *one.wrong[:20], sep="\n  ", file=sys.stderr, flush=True)
            last = Found(wrong=world.store.wrong_in_record())
            found.setdefault("the record", Found()).add(last)
        finally:
            world.close()
    return found


def table(found: dict[str, Found]) -> str:
    """Return the figures as a table in Markdown."""
    heads = ("", "messages", "on the wire", "kills", "cuts", "restarts", "unknown", "in flight",
             "sent twice", "lost", "caps", "other")  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    whole = Found()
    for one in found.values():
        whole.add(one)
    for name, one in (*found.items(), ("all", whole)):
        wrong = [one.count(word) for word in ("sent twice", "lost", "cap exceeded")]
        cells = (name, one.messages, one.wire, one.kills, one.cuts, one.restarts, one.unknown,
                 one.at_most, *wrong, len(one.wrong) - sum(wrong))  # fmt: skip
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run as asked for, print the table and the seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, count in (("seed", 0), ("each", 50), ("instants", 200), ("cuts", 50),
                        ("restarts", 20)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=count)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # So that the world is taken down.
    given.seed = given.seed or random.SystemRandom().randrange(1, 1 << 31)
    began = time.monotonic()
    found = run(given)
    wrong = [what for one in found.values() for what in one.wrong]
    print(table(found))
    print(f"seed {given.seed}, {time.monotonic() - began:,.0f} s, {len(wrong)} violations")
    for what in wrong[:50]:
        print(" ", what)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
