"""Goal: no text leaves with figures that are no longer sure; it is written anew or not sent.

Method: a real plan of a sample book, loaded; then newer books and events, and the worker's claim.
"""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from outgoing import AT as TEN
from outgoing import fill
from outgoing import lender as small_lender
from plans import AT, proven
from telling_events import event

from duly.core.errors import Refused
from duly.rules import lenders_rules
from duly.service.operations import loading
from duly.service.operations.books import load_book
from duly.service.operations.events import accept
from duly.service.outbox.claiming import claim
from duly.service.outbox.renewing import Renewal
from duly.service.outbox.submitting import submit
from duly.service.store.models import Audit, Message, Run

THREE = datetime.fromisoformat("2026-03-10T15:00:00+08:00")
NOON = datetime.fromisoformat("2026-03-10T12:05:00+08:00")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("fresh")


@pytest.fixture(scope="module")
def plan(home):
    return proven(home)


@pytest.fixture
def told(store, plan, home):
    """Give the loaded plan, its book known to the service."""
    load_book(home / "book", lender=plan.lender, at=AT, locale="en")
    loading.load(plan, at=AT)
    return plan


def newer(home, tmp_path, plan, *, paid: str | None = None, amount: str = "900000.00") -> None:
    """Load the book as it is at noon; with `paid` so much was paid on that loan meanwhile."""
    book = tmp_path / "noon"
    shutil.copytree(home / "book", book)
    (book / "book.json").write_text(json.dumps({"contract": 1, "cut_at": NOON.isoformat()}))
    if paid:
        with (book / "payments.csv").open(encoding="utf-8", newline="") as file:
            names = csv.DictReader(file).fieldnames
        with (book / "payments.csv").open("a", encoding="utf-8", newline="") as file:
            row = {"payment_id": "PX", "loan_id": paid, "paid_on": "2026-03-10",
                   "amount": amount}  # fmt: skip
            csv.DictWriter(file, names, restval="").writerow(row)
    load_book(book, lender=plan.lender, at=THREE, locale="en")


def claimed(ours, me, plan, at=THREE, lender=None):
    """Claim everything that is due; return what was found by its id."""
    rules = lenders_rules(plan.lender.packs, plan.lender.switched_off)
    found = {}
    while True:
        one = claim(ours, worker=me, routes=plan.lender.routes, rules=rules, at=at, batch=500,
                    figures=Renewal(lender or plan.lender))  # fmt: skip
        found |= {each.message_id: each for each in one.claimed}
        if not one.found:
            return found


def asking():
    return Message.objects.filter(message_class__in=("dunning", "statutory"))


class TestRenewed:
    def test_a_newer_book_gives_each_text_its_hour(self, ours, me, told, home, tmp_path):
        before = {one.message_id: one for one in asking()}
        newer(home, tmp_path, told)
        found = claimed(ours, me, told)
        after = {one.message_id: one for one in asking().filter(state="claimed")}
        assert after
        assert set(after) <= set(before)
        for name, one in after.items():
            assert one.text == found[name].row["text"] != before[name].text
            assert one.code == before[name].code
            assert one.code in one.text
            assert "12:05" in one.text
            assert (one.figures_at, one.figures_on.isoformat()) == (NOON, "2026-03-10")
            # Nothing was paid, and the day is the same: only the hour differs.
            assert {**one.params, "as_of": ""} == {**before[name].params, "as_of": ""}
        assert Audit.objects.filter(kind="message.renewed").count() == len(after)
        (going, *_) = submit(ours, list(found.values())[:1], worker=me, at=THREE)
        assert going.text == Message.objects.get(message_id=going.message_id).text

    def test_whoever_paid_by_the_newer_book_is_not_written_to(self, ours, me, told, home, tmp_path):
        one = asking().filter(state="released").order_by("message_id").first()
        newer(home, tmp_path, told, paid=one.loan_ids[0])
        found = claimed(ours, me, told)
        one.refresh_from_db()
        assert (one.state, one.reason) == ("cancelled", "figures_stale")
        assert one.message_id not in found
        assert len(found) > 1
        kinds = Audit.objects.filter(subject=one.message_id).values_list("kind", flat=True)
        assert "message.cancelled" in kinds
        assert "message.renewed" not in kinds

    def test_a_loan_told_anew_is_looked_at_again_and_no_other(self, ours, me, told, home):
        one = asking().filter(state="released").order_by("message_id").first()
        with (home / "book" / "loans.csv").open(encoding="utf-8", newline="") as file:
            row = next(each for each in csv.DictReader(file) if each["loan_id"] == one.loan_ids[0])
        accept([event("loan.upserted", row)], at=THREE)
        assert claimed(ours, me, told)
        again = Message.objects.exclude(figures_at=None).get()
        assert (again.message_id, again.state) == (one.message_id, "claimed")
        # Nothing but the word is new: the text says the same, of the same hour.
        assert again.text == one.text
        payload = Audit.objects.get(kind="message.renewed").payload
        assert json.loads(payload)["why"] == "event"

    def test_a_run_goes_on_by_the_policy_that_decided_it(self, ours, me, told, home, tmp_path):
        newer(home, tmp_path, told)
        # Meanwhile another one counts, or the file has gone: the text of its own is kept.
        elsewhere = replace(told.lender, policy=str(tmp_path / "gone.yaml"))
        assert claimed(ours, me, told, lender=elsewhere)
        assert Audit.objects.filter(kind="message.renewed").exists()

    def test_sure_figures_are_left_as_they_are(self, ours, me, told):
        texts = dict(Message.objects.values_list("message_id", "text"))
        found = claimed(ours, me, told)
        assert found
        assert {name: one.row["text"] for name, one in found.items()} == {
            name: texts[name] for name in found
        }
        assert not Audit.objects.filter(kind="message.renewed").exists()


class TestCancelled:
    def test_nobody_knows_newer_figures(self, ours, me, told):
        run = Run.objects.get()
        cut = datetime.fromisoformat(run.summary["cut_at"])
        claimed(ours, me, told, at=cut + timedelta(hours=12, seconds=1))
        assert Message.objects.filter(state="cancelled", reason="figures_stale").exists()
        assert not asking().filter(state="claimed").exists()
        assert not Message.objects.exclude(figures_at=None).exists()

    def test_a_plan_of_other_words_is_not_written_anew(self, ours, me, told, home, tmp_path):
        run = Run.objects.get()
        run.summary["versions"]["templates"] = "other"
        run.save()
        newer(home, tmp_path, told)
        claimed(ours, me, told)
        assert not asking().filter(state="claimed").exists()
        assert asking().filter(state="cancelled", reason="figures_stale").exists()

    @pytest.mark.parametrize(
        ("params", "kind", "state"),
        [({"days": "3 days"}, "dunning", "cancelled"), ({"name": "张*"}, "dunning", "claimed"),
         ({"overdue_total": "1.00"}, "receipt", "claimed")],
    )  # fmt: skip
    def test_only_texts_whose_figures_move_grow_old(self, ours, me, params, kind, state):
        fill(1, params=params, message_class=kind)
        house = small_lender()
        at = TEN + timedelta(hours=2, minutes=1)  # Known until midnight: 12 hours and a minute.
        rules = lenders_rules(("decency",), ())
        claim(ours, worker=me, routes=house.routes, rules=rules, at=at, batch=9,
              figures=Renewal(house))  # fmt: skip
        assert Message.objects.get().state == state

    def test_the_lenders_day_has_turned(self, ours, me):
        fill(1, params={"days": "3 days"}, business_date=TEN.date() - timedelta(days=1))
        house = small_lender()
        claim(ours, worker=me, routes=house.routes, rules=lenders_rules(("decency",), ()), at=TEN,
              batch=9, figures=Renewal(house))  # fmt: skip
        one = Message.objects.get()
        assert (one.state, one.reason) == ("cancelled", "figures_stale")
        told = json.loads(Audit.objects.get(kind="message.cancelled").payload)
        assert told == {"reason": "figures_stale", "why": "day"}


def test_a_plan_whose_book_grew_old_on_the_way_is_refused(store, plan):
    strict = replace(plan.lender.limits, book_age_hours=14)
    late = replace(plan, lender=replace(plan.lender, limits=strict))
    with pytest.raises(Refused) as refused:
        loading.load(late, at=AT + timedelta(hours=11, minutes=1))
    assert refused.value.diagnostics[0].code == "book_stale"
    assert not Run.objects.exists()
    assert not Message.objects.exists()
    assert loading.load(late, at=AT + timedelta(hours=11)).messages > 0
