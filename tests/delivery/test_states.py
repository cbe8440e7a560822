"""Goal: a message goes forward only, and is never sent twice. Method: the whole diagram."""

from __future__ import annotations

import pytest

from duly.delivery import FINAL, OPEN, STATES, may_follow

#: Contract, section 5: state → what may come next, written out by hand.
DIAGRAM = {
    "planned": "released cancelled expired blocked",
    "released": "claimed cancelled expired blocked",
    "claimed": "released submitted cancelled expired blocked",
    "submitted": "accepted undelivered unknown",
    "accepted": "delivered undelivered unknown",
    "unknown": "accepted delivered undelivered",
    "undelivered": "delivered",
    "delivered": "",
    "cancelled": "",
    "expired": "",
    "blocked": "",
}


@pytest.mark.parametrize("after", DIAGRAM)
def test_only_the_diagram_is_followed(after: str) -> None:
    followed = {state for state in STATES if may_follow(state, after)}
    assert followed == set(DIAGRAM[after].split())


def test_nothing_that_may_have_been_sent_is_sent_again() -> None:
    reached, todo = set(), ["submitted"]
    while todo:
        state = todo.pop()
        reached.add(state)
        todo += [one for one in STATES if may_follow(one, state) and one not in reached]

    assert reached == {"submitted", "accepted", "unknown", "undelivered", "delivered"}


def test_only_the_proof_that_nobody_took_it_leads_back():
    followed = {state for state in STATES if may_follow("released", state, untaken=True)}
    assert followed == {"planned", "claimed", "submitted", "undelivered"}
    for state in STATES:
        others = {one for one in STATES if may_follow(one, state, untaken=True)} - {"released"}
        assert others == set(DIAGRAM[state].split()) - {"released"}


def test_every_state_is_open_final_or_on_its_way() -> None:
    assert set(OPEN) | set(FINAL) | {"submitted", "accepted"} == set(STATES)
    assert not set(OPEN) & set(FINAL)
