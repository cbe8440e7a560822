"""Goal: a slice of `make chaos` in each test run: twenty kills, cuts and a crash of the database.

Method: real processes over a real database; the other side's own log is held against the ledger.
"""

from __future__ import annotations

import random

import pytest
from chaos_points import POINTS
from chaos_rounds import World, at_instants, at_points, cuts, restarts
from chaos_store import Happened, check

SEED = 20260310


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("chaos"), SEED)
    yield found
    assert found.store.wrong_in_record() == []
    found.close()


def test_a_worker_dies_at_each_named_point(world):
    chance = random.Random(SEED)
    deaths = [(point, chance.choice(("before", "after")), 1) for point in POINTS]
    found = world.round(500, at_points(deaths))
    assert found.wrong == []
    assert found.kills == len(POINTS)


def test_groups_are_killed_at_random_instants(world):
    found = world.round(200, at_instants(13))
    assert found.wrong == []
    assert found.kills >= 12


def test_connections_are_cut_and_the_database_crashes(world):
    found = world.round(150, cuts(2))
    assert found.wrong == []
    found = world.round(150, restarts(["immediate"]))
    assert found.wrong == []


def test_the_check_sees_what_it_is_there_to_see(world):
    # The same line twice in the other side's log is a message sent twice; a message that nobody
    # ends is lost; a second text to one person is a cap exceeded.
    world.rounds += 1
    name = f"r{world.rounds:03}"
    world.store.fill(name, world.rounds, 10)
    numbers = [f"+861{world.rounds:03}0{n:05}" for n in (1, 1, 5)]
    numbers.append(f"+861{world.rounds:03}1{5:05}")
    with world.log.open("a", encoding="utf-8") as log:
        log.writelines(f'{{"to": "{to}", "fault": ""}}\n' for to in numbers)
    wrong = check(world.store, name, world.log, Happened()).wrong
    assert f"sent twice: {numbers[0]}" in wrong
    assert f"cap exceeded: {name}-b00005" in wrong
    assert sum(one.startswith("lost, left released") for one in wrong) == 12


def test_what_the_other_side_cut_off_counts_as_in_flight(world):
    world.rounds += 1
    name = f"r{world.rounds:03}"
    world.store.fill(name, world.rounds, 10)
    with world.log.open("a", encoding="utf-8") as log:
        for n, (wire, fault) in enumerate(
            [("smpp", "half"), ("smpp", "garbage"), ("smpp", "late"), ("http", "cut")], start=1
        ):
            log.write(f'{{"wire": "{wire}", "to": "+861{world.rounds:03}0{n:05}",'
                      f' "fault": "{fault}"}}\n')  # fmt: skip
    found = check(world.store, name, world.log, Happened(in_flight=40))
    assert found.at_most == 40 + 2 * 19
