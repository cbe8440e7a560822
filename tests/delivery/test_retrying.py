"""Goal: what follows a certain no grows, is bounded, ends, and never goes round what was said.

Method: laws over all terms and answers, and the lines of the lender file by hand.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from duly.delivery.retrying import Step, Terms, back_off, step_after

TERMS = st.builds(
    Terms,
    attempts=st.integers(1, 100),
    first_seconds=st.integers(1, 3600),
    most_seconds=st.integers(1, 86_400),
    fallback_refusals=st.none() | st.integers(1, 100),
)
ABOUT = st.sampled_from(("later", "frequency", "route", "number", "text", "partial", "unclear"))


@given(TERMS, st.integers(1, 200), st.none() | st.integers(0, 86_400))
def test_waiting_grows_is_bounded_and_as_long_as_asked(terms, tries, told):
    now, then = (back_off(terms, tries=n, told=told) for n in (tries, tries + 1))
    assert now <= then <= max(terms.most_seconds, told or 0)
    assert now >= max(1, told or 0)
    assert back_off(terms, tries=tries, told=told) == now  # No chance in it.


@given(TERMS, ABOUT, st.integers(1, 200), st.booleans(), st.booleans(), st.floats(-1e6, 1e6))
def test_no_step_goes_round_what_was_said(terms, about, tries, has_next, passed, left):
    step = step_after(
        about, tries=tries, terms=terms, has_next=has_next, passed=passed, left_seconds=left
    )
    if step.what == "next":
        assert has_next
        assert terms.fallback_refusals is not None
        assert about in ("later", "route")
        assert about == "route" or tries >= min(terms.fallback_refusals, terms.attempts)
    if step.what == "again":
        assert about in ("later", "frequency")
        assert tries < terms.attempts
        assert 0 < step.seconds <= left
    assert (step.reason != "") is (step.what == "dead")


@given(st.lists(TERMS, min_size=1, max_size=4), st.data())
def test_whatever_is_answered_it_ends_after_the_attempts_of_all_routes(routes, data):
    at, tries, submissions = 0, 1, 1
    while True:
        step = step_after(
            data.draw(ABOUT), tries=tries, terms=routes[at], has_next=at + 1 < len(routes),
            passed=at > 0, left_seconds=1e9,
        )  # fmt: skip
        if step.what == "dead":
            break
        at, tries = (at + 1, 1) if step.what == "next" else (at, tries + 1)
        submissions += 1
    assert submissions <= sum(one.attempts for one in routes)


def test_the_lines_of_the_lender_file():
    plain, stated = Terms(attempts=3), Terms(attempts=5, fallback_refusals=2)
    given = {"has_next": True, "passed": False, "left_seconds": 3600.0}
    assert step_after("later", tries=1, terms=plain, **given) == Step(what="again", seconds=2)
    assert step_after("later", tries=2, terms=plain, told=30, **given) == Step(
        what="again", seconds=30
    )
    assert step_after("later", tries=3, terms=plain, **given) == Step(
        what="dead", reason="no_attempt_left"
    )
    # Without a word of the lender no route is passed.
    assert step_after("route", tries=1, terms=plain, **given) == Step(what="dead", reason="refused")
    assert step_after("later", tries=2, terms=stated, **given) == Step(what="next")
    assert step_after("route", tries=1, terms=stated, **given) == Step(what="next")
    assert step_after("number", tries=1, terms=stated, **given) == Step(
        what="dead", reason="number_refused"
    )
    last = {"has_next": False, "passed": True, "left_seconds": 3600.0}
    assert step_after("later", tries=5, terms=stated, **last) == Step(
        what="dead", reason="no_route_left"
    )
    assert step_after("route", tries=1, terms=stated, **last) == Step(
        what="dead", reason="no_route_left"
    )
    late = {"has_next": True, "passed": False, "left_seconds": 1.0}
    assert step_after("later", tries=1, terms=plain, **late) == Step(
        what="dead", reason="window_over"
    )
