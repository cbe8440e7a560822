"""Goal: each business date is planned once, in order; what fails is told and tried again.

Method: small real books, real plans, a real database; the instant of each round is given.
"""

from __future__ import annotations

import json
import os
from datetime import date, datetime, time

import psycopg
import pytest
from daily_world import DAY, PEOPLE, World, at, before, paid
from plans import KEY

from duly.book import Daily, load_lender
from duly.core.errors import Refused
from duly.plan.making import Request, make_and_write
from duly.plan.proven import prove
from duly.plan.replay import replay
from duly.service.operations import daily, days, loading, releasing
from duly.service.operations.measuring import figures
from duly.service.store.book_models import Book
from duly.service.store.models import Audit, BusinessDay, Decision, Message, Run


@pytest.fixture
def world(store, write_book, tmp_path):
    return World(tmp_path, store, write_book)


def work(world, now, **given):
    found = daily.work(world.desk(now), **given)
    assert not found.busy
    return [(one.business_date, one.state) for one in found.outcomes]


def row(day=DAY):
    return BusinessDay.objects.get(business_date=day)


def codes(day=DAY):
    return [one["code"] for one in row(day).diagnostics]


def states(day=DAY):
    found = Message.objects.filter(business_date=day).order_by("message_id")
    return [(one.state, one.reason) for one in found]


def measured(name):
    found = {one.name: one.samples for one in figures(at=at("12:00"))}
    return found[name]


class TestADay:
    def test_it_is_done_once_and_not_before_its_time(self, world):
        book = world.book(DAY)
        assert work(world, at("05:59")) == []
        assert Run.objects.count() == 0
        assert work(world, at("06:00")) == [(DAY, "done")]
        run, found = Run.objects.get(), row()
        assert (run.state, run.business_date, run.messages_count) == ("released", DAY, PEOPLE)
        assert (found.run_id, found.plan, found.plans) == (run.plan_sha256, "2026-03-10.1", 1)
        assert found.book_sha256 == Book.objects.get().book_sha256
        assert (found.attempts, found.failures, found.diagnostics) == (1, 0, [])
        assert states() == [("released", None)] * PEOPLE
        assert run.summary["instant"] == "2026-03-09T22:00:00Z"
        again = replay(world.plans / found.plan, key=KEY, loan_id=None, clock=lambda: 0.0)
        assert again.differences == ()
        assert work(world, at("06:01")) == []
        # Other times of the same files are no correction: they are looked at once.
        os.utime(book / "loans.csv")
        assert work(world, at("06:02")) == [(DAY, "done")]
        assert work(world, at("06:03")) == []
        assert (Run.objects.count(), row().plans, Book.objects.count()) == (1, 1, 1)
        assert [one.name for one in world.plans.iterdir()] == ["2026-03-10.1"]

    def test_a_lender_who_states_none_is_refused(self, world):
        world.file.write_text(world.file.read_text("utf-8").replace("daily:", "routes_:"), "utf-8")
        with pytest.raises(Refused) as refused:
            daily.work(world.desk(at("06:00")))
        assert "lender_unknown_key" in [one.code for one in refused.value.diagnostics]
        desk = world.desk(at("06:00"))
        with pytest.raises(Refused, match="daily_unset"):
            daily.work(daily.Desk(**{**vars(desk), "lender_file": None}))
        assert BusinessDay.objects.count() == 0

    def test_a_plan_that_somebody_sent_by_hand_is_the_days(self, world):
        book, out = world.book(DAY), world.folder / "own"
        make_and_write(
            Request(book=book, instant=at("05:00"), out=out, lender_file=world.file, policy=None,
                    locale="en", threads=1),
            key=KEY,
            clock=lambda: 0.0,
        )  # fmt: skip
        sent = loading.load(prove(out, clock=lambda: 0.0), at=at("05:00"))
        assert work(world, at("06:00")) == [(DAY, "done")]
        assert [one.plan_sha256 for one in Run.objects.all()] == [sent.plan_sha256]
        assert (row().run_id, row().plan, Book.objects.count()) == (sent.plan_sha256, None, 1)
        assert states() == [("released", None)] * PEOPLE

    def test_a_plan_that_waits_for_a_name_is_done_and_waits(self, world):
        world.state(approval="one")
        world.book(DAY)
        assert work(world, at("06:00")) == [(DAY, "done")]
        assert (Run.objects.get().state, codes()) == ("planned", [])

    def test_a_brake_holds_the_plan_and_is_told(self, world):
        broken = [{"loan_id": f"L{n}", "borrower_id": f"B{n}"} for n in range(1, PEOPLE)]
        world.book(DAY, loans=[*broken, {"loan_id": "L4", "borrower_id": "B4", "principal": "x"}])
        found = daily.work(world.desk(at("06:00"))).outcomes
        assert [(one.state, one.is_well) for one in found] == [("done", False)]
        assert (Run.objects.get().state, codes()) == ("planned", ["brake.quarantine"])
        assert "1 of 4 loans are quarantined" in found[0].diagnostics[0].sentence("en")
        assert measured("duly_day_faults") == {("brake.quarantine",): 1.0}
        for name in ("Li", "Wang"):
            releasing.approve(row().run_id, by=name)
        assert measured("duly_day_faults") == {}
        assert measured("duly_days") == {("done",): 1.0}

    def test_without_a_book_of_its_own_the_events_and_books_told_count(self, world):
        world.book(DAY)
        assert work(world, at("06:00")) == [(DAY, "done")]
        world.state(book=None, catch_up_days=0)
        # What was known until yesterday 00:00 is 30 hours old now.
        assert work(world, at("06:00", before(-1))) == [(before(-1), "waiting")]
        assert codes(before(-1)) == ["book_stale"]


class TestCatchUp:
    def test_three_missed_days_in_order_and_none_of_them_is_sent(self, world):
        world.book(before(3))
        assert work(world, at("06:00", before(3))) == [(before(3), "done")]
        for ago in (2, 1, 0):
            world.book(before(ago))
        now = at("07:00")
        assert work(world, now) == [(before(2), "missed"), (before(1), "missed"), (DAY, "done")]
        runs = list(Run.objects.order_by("loaded_at"))
        assert [(one.business_date, one.state) for one in runs] == [
            (before(3), "released"), (before(2), "missed"), (before(1), "missed"),
            (DAY, "released"),
        ]  # fmt: skip
        assert runs[1].summary["instant"] == "2026-03-07T22:00:00Z"
        books = [one.cut_at for one in Book.objects.order_by("cut_at")]
        assert books == [at("00:00", before(ago)) for ago in (3, 2, 1, 0)]
        # Of the days that are over nothing leaves beside today's, each with its reason.
        assert states(before(3)) == [("cancelled", "superseded")] * PEOPLE
        assert states(before(2)) == states(before(1)) == [("expired", "day_missed")] * PEOPLE
        assert states() == [("released", None)] * PEOPLE
        for ago in (2, 1, 0):
            decided = Decision.objects.filter(business_date=before(ago))
            assert [one.decision for one in decided] == ["contact"] * PEOPLE
        told = {one.kind for one in Audit.objects.filter(subject=runs[1].plan_sha256)}
        assert told == {"run.sources", "run.missed"}
        assert Audit.objects.filter(kind="message.expired").count() == 2 * PEOPLE
        overtaken = Audit.objects.get(kind="run.overtaken")
        assert overtaken.subject == runs[0].plan_sha256
        assert json.loads(overtaken.payload) == {"by": runs[3].plan_sha256, "cancelled": PEOPLE}
        with pytest.raises(Refused, match="not_waiting"):
            releasing.approve(runs[1].plan_sha256, by="Li")
        # What nobody let go is no history for the brakes: today is held against three days ago.
        assert json.loads(Audit.objects.filter(kind="run.loaded").last().payload)["brakes"] == {
            "broken": {}, "unasked": [],
        }  # fmt: skip

    def test_days_beyond_the_limit_and_without_a_book_are_skipped(self, world, capsys):
        world.state(catch_up_days=2)
        world.book(before(5))
        assert work(world, at("06:00", before(5))) == [(before(5), "done")]
        world.book(DAY)
        assert work(world, at("06:00")) == [
            (before(4), "skipped"), (before(3), "skipped"), (before(2), "skipped"),
            (before(1), "skipped"), (DAY, "done"),
        ]  # fmt: skip
        found = [codes(before(ago)) for ago in (4, 3, 2, 1)]
        assert found == [["daily_beyond"]] * 2 + [["daily_book_missing"]] * 2
        assert measured("duly_days") == {("done",): 2.0, ("skipped",): 4.0}
        assert measured("duly_day_faults") == {
            ("daily_beyond",): 2.0, ("daily_book_missing",): 2.0,
        }  # fmt: skip
        audited = Audit.objects.filter(kind="day.skipped").order_by("id")
        assert [one.subject for one in audited] == [before(n).isoformat() for n in (4, 3, 2, 1)]
        assert Run.objects.count() == 2
        # An end is an end: a book that comes now is no day of the past any more.
        world.book(before(1))
        assert work(world, at("06:01")) == []

    def test_a_run_that_nobody_let_go_waits_no_more(self, world):
        world.state(approval="one")
        world.book(before(1))
        world.book(DAY)
        assert work(world, at("06:00", before(1))) == [(before(1), "done")]
        assert work(world, at("06:00")) == [(DAY, "done")]
        assert [one.state for one in Run.objects.order_by("business_date")] == [
            "superseded", "planned",
        ]  # fmt: skip
        assert states(before(1)) == [("cancelled", "superseded")] * PEOPLE

    def test_a_day_whose_night_fell_on_a_failure_is_caught_up(self, world):
        assert work(world, at("23:00", before(1))) == [(before(1), "waiting")]
        world.book(before(1))
        world.book(DAY)
        assert work(world, at("00:05")) == [(before(1), "missed")]
        assert work(world, at("06:00")) == [(DAY, "done")]

    def test_the_machine_holds_a_missed_day_three_times_and_no_longer(self, world):
        world.book(before(2))
        assert work(world, at("06:00", before(2))) == [(before(2), "done")]
        world.book(before(1))
        world.book(DAY)
        plans, world.plans = world.plans, world.folder / "l.yaml"
        for _ in range(2):
            assert work(world, at("06:00")) == [(before(1), "waiting")]
        assert work(world, at("06:00")) == [(before(1), "skipped"), (DAY, "waiting")]
        assert (codes(before(1)), codes()) == (["daily_machine"], ["daily_machine"])
        world.plans = plans
        assert work(world, at("06:01")) == [(DAY, "done")]


class TestWhatFails:
    def test_a_missing_book_waits_and_then_arrives(self, world):
        assert work(world, at("06:00")) == [(DAY, "waiting")]
        found = row()
        assert (found.run_id, found.failures, codes()) == (None, 1, ["daily_book_missing"])
        assert measured("duly_day_faults") == {("daily_book_missing",): 1.0}
        assert Run.objects.count() == Book.objects.count() == 0
        assert work(world, at("06:30")) == [(DAY, "waiting")]
        waited = row()
        assert waited.failures == 2
        assert (waited.retry_at - waited.ended_at).total_seconds() == 120
        world.book(DAY)
        # Who waits his turn comes no sooner than the database's clock says.
        assert work(world, at("06:31"), patient=True) == []
        BusinessDay.objects.update(retry_at=waited.begun_at)
        assert work(world, at("06:32"), patient=True) == [(DAY, "done")]
        assert (row().failures, codes(), row().retry_at) == (0, [], None)
        assert states() == [("released", None)] * PEOPLE

    def test_the_back_off_ends_at_a_quarter_of_an_hour(self, world):
        work(world, at("06:00"))
        for failures in (3, 4, 8, 2000):
            BusinessDay.objects.update(failures=failures - 1)
            work(world, at("06:00"))
            found = row()
            waits = (found.retry_at - found.ended_at).total_seconds()
            assert waits == {3: 240, 4: 480}.get(failures, 900)

    def test_a_book_that_is_too_old_is_not_planned_from(self, world):
        world.book(DAY, cut=at("03:59", before(1)))
        assert work(world, at("06:00")) == [(DAY, "waiting")]
        assert (codes(), Run.objects.count()) == (["book_stale"], 0)

    def test_a_book_that_is_refused(self, world):
        book = world.book(DAY)
        (book / "signals.csv").unlink()
        assert work(world, at("06:00")) == [(DAY, "waiting")]
        assert (codes(), Book.objects.count()) == (["missing_table"], 0)

    def test_a_plan_that_is_refused(self, world):
        world.book(DAY)
        text = world.file.read_text("utf-8")
        world.file.write_text(text.replace("policy: cn-installment", "policy: none-such"), "utf-8")
        assert work(world, at("06:00")) == [(DAY, "waiting")]
        assert (len(codes()), Run.objects.count()) == (1, 0)
        world.file.write_text(text, "utf-8")
        assert work(world, at("06:05")) == [(DAY, "done")]

    def test_a_full_disk_has_a_code_of_its_own(self, world, monkeypatch):
        world.book(DAY)

        def full(*_given, **_named):
            raise OSError(28, "No space left on device", "plan")

        with monkeypatch.context() as patched:
            patched.setattr(daily, "make_and_write", full)
            assert work(world, at("06:00")) == [(DAY, "waiting")]
        assert (codes(), Run.objects.count()) == (["disk_full"], 0)
        assert list(world.plans.iterdir()) == []
        assert work(world, at("06:05")) == [(DAY, "done")]

    def test_a_book_that_changes_while_it_is_read(self, world, monkeypatch):
        book, take = world.book(DAY), daily.take_snapshot

        def taken(*given, **named):
            found = take(*given, **named)
            (book / "loans.csv").write_text("loan_id\n", encoding="utf-8")
            return found

        monkeypatch.setattr(daily, "take_snapshot", taken)
        assert work(world, at("06:00")) == [(DAY, "waiting")]
        assert (codes(), Book.objects.count()) == (["daily_book_moving"], 0)


class TestCorrection:
    def test_other_bytes_lead_to_a_plan_that_takes_the_place(self, world, ours):
        world.book(DAY)
        work(world, at("06:00"))
        first = row()
        one = Message.objects.order_by("message_id").first()
        ours.execute("UPDATE store_message SET state = 'claimed', worker = 1 WHERE message_id = %s",
                     [one.message_id])  # fmt: skip
        ours.execute("UPDATE store_message SET state = 'submitted' WHERE message_id = %s",
                     [one.message_id])  # fmt: skip
        paying = next(n for n in range(1, PEOPLE + 1) if one.loan_ids != [f"L{n}"])
        paid(world.book(DAY), f"L{paying}", "400.00")
        assert work(world, at("09:00")) == [(DAY, "done")]
        second = row()
        assert (second.plans, second.plan) == (2, "2026-03-10.2")
        assert (second.run_id != first.run_id, second.book_sha256 != first.book_sha256) == (
            True, True,
        )  # fmt: skip
        assert Run.objects.get(plan_sha256=first.run_id).state == "superseded"
        former = Message.objects.filter(run_id=first.run_id)
        assert sorted((m.state, m.reason) for m in former if m != one) == [
            ("cancelled", "superseded")
        ] * (PEOPLE - 1)
        # Who was submitted to gets nothing more, who has paid nothing at all.
        new = Message.objects.filter(run_id=second.run_id).order_by("borrower_id")
        assert {m.borrower_id: (m.state, m.reason) for m in new} == {
            f"B{n}": ("cancelled", "sent_before") if one.loan_ids == [f"L{n}"]
            else ("released", None)
            for n in range(1, PEOPLE + 1) if n != paying
        }  # fmt: skip
        assert sorted(one.name for one in world.plans.iterdir()) == [first.plan, second.plan]
        assert work(world, at("09:01")) == []

    def test_a_broken_correction_waits_and_the_plan_stands(self, world):
        world.book(DAY)
        work(world, at("06:00"))
        first = row()
        (world.book(DAY) / "loans.csv").write_text("loan_id\n", encoding="utf-8")
        assert work(world, at("07:00")) == [(DAY, "waiting")]
        assert (row().run_id, row().book_sha256) == (first.run_id, first.book_sha256)
        assert states() == [("released", None)] * PEOPLE
        paid(world.book(DAY), "L1", "400.00")
        assert work(world, at("07:05")) == [(DAY, "done")]
        assert (row().plans, Run.objects.filter(state="released").count()) == (2, 1)

    def test_a_broken_correction_at_the_days_end_leaves_the_plan_that_was(self, world):
        world.book(DAY)
        work(world, at("06:00"))
        first = row()
        (world.book(DAY) / "loans.csv").write_text("loan_id\n", encoding="utf-8")
        work(world, at("07:00"))
        assert work(world, at("05:00", before(-1))) == [(DAY, "done")]
        assert row().run_id == first.run_id
        assert Run.objects.get().state == "released"


class TestWhoWorks:
    def test_nobody_works_beside_another(self, world, store):
        world.book(DAY)
        with psycopg.connect(store, autocommit=True) as other:
            other.execute("SELECT pg_advisory_lock(%s)", [0x44554C44])
            assert daily.work(world.desk(at("06:00"))) == daily.Round(busy=True)
            assert BusinessDay.objects.count() == 0
        assert work(world, at("06:00")) == [(DAY, "done")]

    def test_who_lost_the_day_meanwhile_loads_nothing(self, world, ours, monkeypatch):
        world.book(DAY)

        def overtaken(*given, **named):
            ours.execute("UPDATE store_businessday SET attempts = attempts + 1")
            return prove(*given, **named)

        with monkeypatch.context() as patched:
            patched.setattr(daily, "prove", overtaken)
            assert work(world, at("06:00")) == []
        assert (Run.objects.count(), Message.objects.count(), row().state) == (0, 0, "begun")
        assert work(world, at("06:01")) == [(DAY, "done")]

    def test_a_day_that_kills_is_not_tried_at_once_for_ever(self, world, ours):
        days.expect(load_lender(world.file), Daily(at=time(6)), DAY)
        ours.execute("UPDATE store_businessday SET state = 'begun', attempts = 1")
        # The first who follows begins at once, and dies; the next one waits.
        assert not days.unfinished(DAY)[0].resting
        days.begin(days.unfinished(DAY)[0], at=at("06:00"))
        (found,) = days.unfinished(DAY)
        assert (found.state, found.failures, found.resting) == ("begun", 1, True)
        with pytest.raises(days.Taken):
            days.begin(days.Day(**{**vars(found), "attempts": 1}), at=at("06:00"))


class TestWhen:
    @pytest.mark.parametrize(
        ("zone", "day", "clock", "instant"),
        [
            ("Asia/Shanghai", date(2026, 3, 10), time(6), "2026-03-09T22:00:00Z"),
            # 02:30 is left out in New York on this day: it is an hour later by the sun.
            ("America/New_York", date(2026, 3, 8), time(2, 30), "2026-03-08T07:30:00Z"),
            ("America/New_York", date(2026, 3, 9), time(2, 30), "2026-03-09T06:30:00Z"),
            # 01:30 comes twice: the first counts.
            ("America/New_York", date(2026, 11, 1), time(1, 30), "2026-11-01T05:30:00Z"),
            ("America/New_York", date(2026, 11, 2), time(1, 30), "2026-11-02T06:30:00Z"),
        ],
    )
    def test_a_clock_time_where_the_clocks_change(self, tmp_path, zone, day, clock, instant):
        path = tmp_path / "lender.yaml"
        path.write_text(
            'lender: {name: A, signature: B, hotline: "9", app: C}\n'
            f'time_zone: {zone}\ndaily: {{at: "{clock:%H:%M}"}}\n',
            encoding="utf-8",
        )
        assert days.due_at(load_lender(path), day) == datetime.fromisoformat(instant)

    def test_the_day_is_the_lenders_own(self, world):
        world.state(time_zone="America/New_York", at="02:30", catch_up_days=1)
        day = date(2026, 3, 8)
        world.book(day, cut=datetime.fromisoformat("2026-03-08T00:00:00-05:00"))
        # In Shanghai it is the 8th already; in New York the day has 23 hours and no 02:30.
        assert work(world, datetime.fromisoformat("2026-03-08T04:59:00+00:00")) == [
            (date(2026, 3, 7), "waiting")
        ]
        assert work(world, datetime.fromisoformat("2026-03-08T07:29:00+00:00")) == [
            (date(2026, 3, 7), "skipped")
        ]
        assert work(world, datetime.fromisoformat("2026-03-08T07:30:00+00:00")) == [(day, "done")]

    def test_days_without_work_are_no_days_of_the_run(self, world, store):
        lender = load_lender(world.file)
        worked = Daily(at=time(6), calendar="working_days")
        days.expect(lender, worked, date(2026, 3, 13))
        days.expect(lender, worked, date(2026, 3, 17))
        found = [one.business_date for one in days.unfinished(date(2026, 3, 31))]
        assert found == [date(2026, 3, 13), date(2026, 3, 16), date(2026, 3, 17)]
        # Of a year whose days off are not announced every date is run: rules say who is written to.
        assert days.is_expected(lender, worked, date(2027, 3, 13))
