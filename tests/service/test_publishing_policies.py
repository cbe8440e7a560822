"""Goal: no policy decides that one person alone published; what two published, the next day takes.

Method: the operations over a real store, then a real daily run; what was published is attacked in
the store itself.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import psycopg
import pytest
from daily_world import DAY, World, at
from known_books import LENDER
from proposed_policies import BASE, another

from duly.core import digest
from duly.plan.kept import read_run
from duly.policy import load, read
from duly.service.operations import daily, publishing
from duly.service.operations.publishing import PublishingRefused, Seen
from duly.service.store.models import (
    Audit,
    PolicyAgreement,
    PolicyComparison,
    PolicyMove,
    PolicyProposal,
    PolicyPublication,
    Run,
)

TEN = datetime.fromisoformat("2026-03-09T10:00:00+08:00")


def proposed(text: str, by: str = "li.na", **given: object) -> int:
    policy = read("p.yaml", text.encode())
    base = given.get("base", load("cn-installment"))
    return publishing.propose(policy, text, base=base, by=by, at=TEN)


def compared(proposal: int, *, base: str = BASE, basis: str = "x", day: date = DAY) -> Seen:
    """Let a proposal be compared: what is seen by who agrees."""
    one = PolicyComparison.objects.create(
        proposal_id=proposal, base_sha256=base, basis=basis, business_date=day, at=TEN, loans=2,
        moved=1, groups=[], seconds=1,
    )  # fmt: skip
    PolicyMove.objects.create(comparison=one, loan_id="L1", kind="text_more")
    sha = PolicyProposal.objects.get(id=proposal).sha256
    return Seen(proposal=proposal, sha256=sha, comparison=one.id, base_sha256=base, basis=basis)


def agree(seen: Seen, by: str, when: datetime = TEN) -> bool:
    return publishing.agree(seen, lender=LENDER, by=by, at=when)


def published(text: str, when: datetime = TEN, *, base: str = BASE) -> int:
    number = proposed(text, base=None)
    seen = compared(number, base=base)
    assert agree(seen, "li.na", when) is False
    assert agree(seen, "wang.wei", when) is True
    return number


def refused(code: str, act, *given, **named) -> None:
    """Let a step be refused with a code, and nothing be done by it."""
    tables = (PolicyProposal, PolicyAgreement, PolicyPublication, Audit)
    before = [list(one.objects.values()) for one in tables]
    with pytest.raises(PublishingRefused) as found:
        act(*given, **named)
    assert found.value.code == code
    assert [list(one.objects.values()) for one in tables] == before


def kinds() -> list[str]:
    return list(
        Audit.objects.filter(kind__startswith="policy.")
        .order_by("id")
        .values_list("kind", flat=True)
    )


class TestTwoPeople:
    def test_the_second_of_two_publishes_and_the_record_says_it(self, store):
        text = another()
        assert publishing.in_force(TEN) is None
        number = published(text)
        found = publishing.in_force(TEN)
        assert (found.proposal, found.text, found.version) == (number, text, 2)
        assert (found.first_by, found.second_by) == ("li.na", "wang.wei")
        assert publishing.in_force(TEN - timedelta(seconds=1)) is None
        assert kinds() == ["policy.proposed", "policy.agreed", "policy.published"]
        assert set(Audit.objects.filter(kind__startswith="policy.").values_list("subject")) == {
            (digest.of_bytes(text.encode()),)
        }

    @pytest.mark.parametrize("by", ["li.na", "LI.NA", " li.na ", "ｌｉ．ｎａ"])
    def test_one_person_is_no_two_however_he_is_spelt(self, store, by):
        seen = compared(proposed(another()))
        assert agree(seen, "li.na") is False
        refused("agreed_before", agree, seen, by)
        assert publishing.in_force(TEN) is None

    def test_a_yes_to_another_comparison_does_not_count(self, store):
        number = proposed(another())
        assert agree(compared(number, basis="before"), "li.na") is False
        now = compared(number, basis="now")
        assert publishing.agreed(number, base_sha256=BASE, basis="now") == []
        assert agree(now, "wang.wei") is False
        # The next day's book is another comparison of the same policies: the first yes stands.
        later = compared(number, basis="now", day=DAY + timedelta(days=1))
        assert publishing.agreed(number, base_sha256=BASE, basis="now") == ["wang.wei"]
        assert agree(later, "li.na") is True

    def test_what_changed_since_it_was_seen_is_refused(self, store):
        number = proposed(another())
        seen = compared(number, base="b" * 64)
        refused("changed", agree, seen, "li.na")
        mine = compared(number)
        refused("changed", agree, Seen(**{**vars(mine), "sha256": "c" * 64}), "li.na")
        published(another(3, "60.00"))
        refused("changed", agree, mine, "li.na")

    def test_what_is_withdrawn_is_published_by_nobody_and_can_be_proposed_again(self, store):
        number = proposed(another())
        seen = compared(number)
        agree(seen, "li.na")
        publishing.withdraw(number, by="li.na", at=TEN)
        refused("closed", agree, seen, "wang.wei")
        refused("closed", publishing.withdraw, number, by="li.na", at=TEN)
        assert proposed(another()) > number
        assert kinds()[-2:] == ["policy.withdrawn", "policy.proposed"]

    def test_the_policy_in_force_is_neither_published_again_nor_withdrawn(self, store):
        number = published(another())
        sha = PolicyProposal.objects.get().sha256
        refused("in_force", agree, compared(number, base=sha), "li.na")
        refused("in_force", publishing.withdraw, number, by="li.na", at=TEN)

    def test_an_earlier_one_comes_back_by_two_people_anew(self, store):
        first, later = another(), another(3, "60.00")
        number = published(first)
        published(later, base=digest.of_bytes(first.encode()))
        assert publishing.in_force(TEN).version == 3
        assert proposed(first, base=None) == number
        again = compared(number, base=digest.of_bytes(later.encode()))
        assert agree(again, "li.na") is False
        assert publishing.in_force(TEN).version == 3
        assert agree(again, "chen.jing") is True
        assert publishing.in_force(TEN).text == first
        assert PolicyPublication.objects.count() == 3


class TestVersions:
    def test_the_same_text_is_one_proposal(self, store):
        assert proposed(another()) == proposed(another(), by="wang.wei")
        assert kinds() == ["policy.proposed"]

    def test_a_version_that_stands_says_nothing_else(self, store):
        refused("version_taken", proposed, another(1))
        published(another())
        refused("version_taken", proposed, another(2, "70.00"))
        rival = proposed(another(3, "60.00"))
        seen = compared(rival, base=publishing.in_force(TEN).sha256)
        agree(seen, "li.na")
        published(another(3, "80.00"), base=publishing.in_force(TEN).sha256)
        last = compared(rival, base=publishing.in_force(TEN).sha256, basis="y")
        refused("version_taken", agree, last, "wang.wei")

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE store_policyproposal SET text = 'x'",
            "UPDATE store_policyproposal SET version = 9",
            "DELETE FROM store_policyproposal",
            "UPDATE store_policypublication SET second_by = 'x'",
            "DELETE FROM store_policypublication",
            "UPDATE store_policycomparison SET moved = 0",
            "INSERT INTO store_policypublication (proposal_id, comparison_id, first_by, second_by,"
            " at) SELECT proposal_id, comparison_id, 'li.na', 'li.na', at"
            " FROM store_policypublication",
        ],
    )
    def test_the_store_itself_keeps_what_was_published(self, store, ours, change):
        published(another())
        with pytest.raises(psycopg.errors.CheckViolation):
            ours.execute(change)


class TestTheDailyRun:
    def test_it_plans_by_what_was_published_by_its_hour(self, store, write_book, tmp_path):
        world = World(tmp_path, store, write_book)
        for day in (DAY, DAY + timedelta(days=1)):
            world.book(day)
        # Nobody owes so much: under this policy nobody is written to.
        text = another(floor="90000.00")
        published(text, at("08:00"))
        daily.work(world.desk(at("07:00")))
        assert summary(DAY)["versions"]["policy"] == BASE
        daily.work(world.desk(at("07:00", DAY + timedelta(days=1))))
        told = summary(DAY + timedelta(days=1))
        assert told["versions"]["policy"] == digest.of_bytes(text.encode())
        assert told["policy"] == {"name": "cn-installment", "version": 2}
        assert told["decisions"].get("contact", 0) == 0
        assert summary(DAY)["decisions"]["contact"] == 4
        plan = world.plans / f"{DAY + timedelta(days=1)}.1"
        assert (plan / "inputs" / "policy.yaml").read_text("utf-8") == text
        assert read_run(plan)["plan_sha256"] == Run.objects.get(business_date=DAY + timedelta(1)).pk

    def test_a_published_policy_that_no_plan_takes_leaves_the_day_waiting(
        self, store, write_book, tmp_path
    ):
        world = World(tmp_path, store, write_book)
        world.book(DAY)
        text = another().replace("template: first_late", "template: gone", 1)
        PolicyProposal.objects.create(sha256=digest.of_bytes(text.encode()), name="x", version=1,
                                      text=text, by="a", at=TEN)  # fmt: skip
        seen = compared(PolicyProposal.objects.get().id)
        for by in ("a", "b"):
            agree(seen, by)
        (found,) = daily.work(world.desk(at("07:00"))).outcomes
        assert (found.state, Run.objects.count()) == ("waiting", 0)
        assert [one.code for one in found.diagnostics] == ["unknown_choice"]


def summary(day: date) -> dict:
    return Run.objects.get(business_date=day, kind="plan").summary
