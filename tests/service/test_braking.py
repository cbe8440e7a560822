"""Goal: a plan that looks wrong does not leave by itself, and says why in figures.

Method: a real plan in a real database, beside runs of earlier days with figures just inside and
just outside each limit; the limits are the contract's, written out here again.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from daily_world import PEOPLE, World, at
from plans import AT, KEY, proven

from duly.book import load_lender
from duly.core.errors import Refused
from duly.plan.making import Request, make_and_write
from duly.plan.proven import prove
from duly.service.operations import books, loading, releasing
from duly.service.operations.asking import standing
from duly.service.store.models import Approval, Audit, Brake, Decision, Message, Run

DAY = AT.date()


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return proven(tmp_path_factory.mktemp("plan"))


@pytest.fixture
def counts(plan):
    """Give what the plan and its book hold."""
    rows = plan.inputs.snapshot.rows
    return {"messages": plan.messages.num_rows, "loans": rows["loans"],
            "payments": rows["payments"]}  # fmt: skip


def before(days, *, messages, loans, payments, state="released", kind="plan"):
    """Write down a run of so many days ago and return it."""
    return Run.objects.create(
        plan_sha256=f"{days}" * 64 if kind == "plan" else f"c{days}" * 32,
        business_date=DAY - timedelta(days=days), state=state, kind=kind,
        messages_count=messages, loans_count=loans, payments_count=payments, summary={},
    )  # fmt: skip


def load(plan):
    return loading.load(plan, at=AT)


def said(loaded):
    return {one.name: one.state for one in loaded.brakes}


def figures(loaded, name):
    return next(one.figures for one in loaded.brakes if one.name == name)


class TestWithoutHistory:
    def test_what_cannot_be_asked_is_said_and_brakes_nothing(self, store, plan):
        loaded = load(plan)
        assert said(loaded) == {
            "messages": "unasked", "loans": "unasked", "payments": "unasked",
            "quarantine": "passed", "days_past_due": "unasked",
        }  # fmt: skip
        assert loaded.state == "released"
        record = json.loads(Audit.objects.get(kind="run.loaded").payload)["brakes"]
        unasked = ["messages", "loans", "payments", "days_past_due"]
        assert record == {"broken": {}, "unasked": unasked}

    def test_a_run_that_nobody_let_go_and_a_correction_are_no_history(self, store, plan, counts):
        before(1, **counts | {"loans": 10**6}, state="planned")
        before(2, **counts | {"loans": 10**6}, state="superseded")
        before(3, **counts | {"loans": 10**6}, kind="correction")
        assert said(load(plan))["loans"] == "unasked"


class TestMessages:
    @pytest.mark.parametrize(("more", "state"), [(0, "passed"), (1, "broken")])
    def test_one_and_a_half_times_the_median_of_seven(self, store, plan, counts, more, state):
        # The eighth run back would lower the median; it is not asked.
        median = (2 * counts["messages"] - more) // 3 + (0 if more else 1)
        for days, count in enumerate([0, 1, 2, median, 900, 900, 900, 0], start=1):
            before(days, **counts | {"messages": count})
        loaded = load(plan)
        assert said(loaded)["messages"] == state
        assert figures(loaded, "messages") == {
            "messages": counts["messages"], "median": str(median), "runs": 7,
        }  # fmt: skip

    def test_an_even_number_of_runs_has_a_median_between_two(self, store, plan, counts):
        before(1, **counts | {"messages": 1})
        before(2, **counts | {"messages": 2})
        loaded = load(plan)
        assert figures(loaded, "messages")["median"] == "1.5"
        assert said(loaded)["messages"] == "broken"


class TestRows:
    @pytest.mark.parametrize("name", ["loans", "payments"])
    @pytest.mark.parametrize("inside", [True, False])
    def test_less_than_95_percent_of_the_last_run_holds(self, store, plan, counts, name, inside):
        limit = counts[name] * 100 // 95  # The most of which our rows are still 95 %.
        yesterday = limit if inside else limit + 1
        before(1, **counts | {name: yesterday})
        before(2, **counts | {name: 10**9})
        loaded = load(plan)
        assert said(loaded)[name] == ("passed" if inside else "broken")
        assert figures(loaded, name) == {
            "rows": counts[name], "before": yesterday,
            "before_on": (DAY - timedelta(days=1)).isoformat(),
        }  # fmt: skip
        assert loaded.state == ("released" if inside else "planned")


class TestQuarantine:
    @pytest.mark.parametrize(("more", "state"), [(0, "passed"), (1, "broken")])
    def test_more_than_one_percent_of_the_loans_holds(self, store, plan, more, state):
        decided = plan.decisions.num_rows
        bad = decided // 100 + more
        own = plan.decisions.column("decision").to_pylist()
        names = ["none" if one == "quarantined" else one for one in own]
        changed = ["quarantined"] * bad + names[bad:]
        at = plan.decisions.schema.get_field_index("decision")
        loaded = load(replace(plan, decisions=plan.decisions.set_column(at, "decision", [changed])))
        assert said(loaded)["quarantine"] == state
        assert figures(loaded, "quarantine") == {"quarantined": bad, "loans": decided}


class TestQuarantineByHand:
    """`duly load`, `duly load --export`, `duly plan` and `duly send`, without a daily run."""

    @pytest.fixture
    def world(self, store, tmp_path, write_book):
        return World(tmp_path, store, write_book)

    def planned(self, world, book):
        out = world.plans / "by-hand"
        make_and_write(
            Request(book=book, instant=at("09:00"), out=out, lender_file=world.file, policy=None,
                    locale="en", threads=1), key=KEY, clock=time.perf_counter,
        )  # fmt: skip
        return prove(out, clock=time.perf_counter)

    def taken(self, world, broken):
        """Load the day's book with a broken row of L4; return it and its lender."""
        rows = [{"loan_id": f"L{n}", "borrower_id": f"B{n}"} for n in range(1, PEOPLE)]
        book = world.book(DAY, loans=[*rows, {"loan_id": "L4", "borrower_id": "B4", **broken}])
        lender = load_lender(world.file)
        told = books.load_book(book, lender=lender, at=at("09:00"), locale="en", threads=1)
        assert told.aside
        return book, lender

    def held(self, plan):
        loaded = loading.load(plan, at=at("09:00"))
        assert (loaded.state, said(loaded)["quarantine"]) == ("planned", "broken")
        assert not Message.objects.exclude(state="planned").exists()
        return figures(loaded, "quarantine")

    def test_loans_that_the_known_book_leaves_out_count(self, world):
        _, lender = self.taken(world, {"principal": "x"})
        books.export_book(world.folder / "known", lender=lender, at=at("09:00"))
        plan = self.planned(world, world.folder / "known")
        assert plan.decisions.num_rows == PEOPLE - 1
        assert self.held(plan) == {"quarantined": 1, "loans": PEOPLE}
        for name in ("Li", "Wang"):
            assert Message.objects.exclude(state="planned").count() == 0
            releasing.approve(plan.run["plan_sha256"], by=name)
        assert set(Message.objects.values_list("state", flat=True)) == {"released"}

    def test_a_row_that_names_no_loan_counts_and_once(self, world):
        book, _ = self.taken(world, {"loan_id": ""})
        assert self.held(self.planned(world, book)) == {"quarantined": 1, "loans": PEOPLE}


class TestDaysPastDue:
    def yesterday(self, plan, counts, *, jumped, days=1):
        """Write the same loans down as of earlier: each as many days younger, some far younger."""
        run = before(days, **counts)
        rows = [row for row in plan.decisions.to_pylist() if row["figures"]]
        for number, row in enumerate(rows):
            was = json.loads(row["figures"])
            was["days_past_due"] -= days + (1 if number < jumped else 0)
            Decision.objects.create(
                loan_id=row["loan_id"], run=run, borrower_id=row["borrower_id"],
                business_date=run.business_date, decision="none", reason="x", figures=was,
            )  # fmt: skip
        return len(rows)

    @pytest.mark.parametrize("days", [1, 3])
    def test_rising_by_the_days_elapsed_is_no_jump(self, store, plan, counts, days):
        known = self.yesterday(plan, counts, jumped=0, days=days)
        loaded = load(plan)
        assert said(loaded)["days_past_due"] == "passed"
        assert figures(loaded, "days_past_due") == {
            "risen": 0, "loans": known, "days": days,
            "before_on": (DAY - timedelta(days=days)).isoformat(),
        }  # fmt: skip

    @pytest.mark.parametrize(("more", "state"), [(0, "passed"), (1, "broken")])
    def test_a_jump_on_more_than_half_a_percent_holds(self, store, plan, counts, more, state):
        known = sum(1 for one in plan.decisions.column("figures").to_pylist() if one)
        jumped = known * 5 // 1000 + more
        self.yesterday(plan, counts, jumped=jumped)
        loaded = load(plan)
        assert figures(loaded, "days_past_due")["risen"] == jumped
        assert said(loaded)["days_past_due"] == state


class TestTwoNames:
    @pytest.fixture
    def held(self, store, plan, counts):
        """Give a loaded plan whose book lost rows."""
        before(1, **counts | {"loans": 2 * counts["loans"]})
        return load(plan)

    @pytest.mark.parametrize("approval", ["automatic", "one", "two"])
    def test_a_broken_brake_needs_two_whatever_the_lender_asks(self, store, plan, counts, approval):
        before(1, **counts | {"loans": 2 * counts["loans"]})
        loaded = load(replace(plan, lender=replace(plan.lender, approval=approval)))
        run = Run.objects.get(pk=loaded.plan_sha256)
        assert (run.state, run.approvals_needed) == ("planned", 2)
        assert set(Message.objects.values_list("state", flat=True)) == {"planned"}

    def test_two_different_people_release_it_and_the_figures_stay(self, held, counts):
        first = releasing.approve(held.plan_sha256, by="Li Lei")
        assert (first.given, first.needed, first.released) == (1, 2, False)
        assert [one.name for one in first.broken] == ["loans"]
        assert Message.objects.exclude(state="planned").count() == 0

        for same in ("Li Lei", " li  lei ", "LI LEI", "Ｌｉ Lei"):
            with pytest.raises(Refused) as refused:
                releasing.approve(held.plan_sha256, by=same)
            assert refused.value.diagnostics[0].code == "approved_before"
        with pytest.raises(Refused, match="no_name"):
            releasing.approve(held.plan_sha256, by="  ")
        assert Approval.objects.count() == 1
        assert Message.objects.exclude(state="planned").count() == 0

        second = releasing.approve(held.plan_sha256, by="Wang")
        assert second.released
        assert Message.objects.exclude(state="released").count() == 0
        told = [json.loads(one.payload) for one in Audit.objects.filter(kind="run.approved")]
        assert [one["broken"]["loans"]["before"] for one in told] == [2 * counts["loans"]] * 2

    def test_status_tells_what_waits_and_why(self, held, counts):
        releasing.approve(held.plan_sha256, by="Li Lei")
        (one,) = standing().waiting
        assert (one.run, one.needed, one.approved_by) == (held.plan_sha256, 2, ("Li Lei",))
        assert {brake.name: brake.state for brake in one.brakes}["loans"] == "broken"
        releasing.approve(held.plan_sha256, by="Wang")
        assert standing().waiting == ()

    def test_the_same_plan_again_says_the_same(self, held, plan):
        again = load(plan)
        assert (again.again, again.state) == (True, "planned")
        assert said(again) == said(held)
        assert Brake.objects.count() == 5

    def test_a_corrected_plan_of_the_day_is_asked_anew(self, held, plan):
        Run.objects.filter(business_date=DAY - timedelta(days=1)).update(loans_count=1)
        nothing = {"messages": plan.messages.slice(0, 0), "facts": plan.facts.slice(0, 0)}
        other = replace(plan, run={**plan.run, "plan_sha256": "f" * 64}, **nothing)
        loaded = load(other)
        assert (said(loaded)["loans"], loaded.state) == ("passed", "released")
