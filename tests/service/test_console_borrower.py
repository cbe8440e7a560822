"""Goal: one line of time about a borrower, masked; behind the mask only for a reason on record.

Method: the running server over one borrower's book; an investigation that only some may know.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from console_world import ROLES, rows_since, seated, since
from outgoing import AT
from portal_world import LOAN, NAME, NUMBER, WHO, begin, emptied, signed_in, tell
from telling_events import event

from duly.service.operations import tasks
from duly.service.operations.events import accept
from duly.service.store.models import Task

SEE = ("agent", "team_lead", "compliance", "auditor")
WHERE = f"/staff/borrower/{WHO}"


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    yield tell(served, write_book, tmp_path_factory.mktemp("book"))
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    return begin(facts)


@pytest.mark.parametrize(("language", "said"), [("en", "came in"), ("zh-CN", "收到")])
def test_money_messages_and_tasks_stand_in_one_line(world, language, said):
    tasks.open_tasks(["call_back"], borrower_id=WHO)
    browser, before = seated(world, language=language), since()
    assert browser.go(WHERE).status == 200
    assert said in browser.text
    assert "500.00" in browser.text
    assert "3P773SGS" in browser.text
    assert LOAN in browser.text
    assert [row["page"] for _, row in rows_since(before, "record.viewed")] == ["borrower"]


def test_the_figures_are_those_of_the_borrowers_own_page(world):
    theirs = signed_in(world)
    theirs.go("/loan")
    ours = seated(world)
    ours.go(WHERE)
    (total,) = [one.text for one in theirs.page.all("p", class_="total")]
    assert total.strip() in ours.text


def test_everybody_sees_him_masked(world):
    for role in SEE:
        browser = seated(world, role)
        browser.go(WHERE)
        page = browser.reply.body.decode()
        assert "138****0001" in page, role
        assert NUMBER.removeprefix("+86") not in page, role
        assert NAME not in page, role


def test_behind_the_mask_only_for_a_reason_and_once(world):
    browser, before = seated(world), since()
    browser.go(WHERE)
    assert browser.submit(f"/staff/reveal/{WHO}", reason=" . ").status == 422
    assert NUMBER not in browser.reply.body.decode()
    assert rows_since(before, "record.revealed") == []
    browser.submit(f"/staff/reveal/{WHO}", reason="The telephone system is away")
    assert NUMBER in browser.text
    assert NAME in browser.text
    assert rows_since(before, "record.revealed") == [
        (WHO, {"by": "agent.1", "role": "agent", "reason": "The telephone system is away"})
    ]
    browser.go(WHERE)
    assert NUMBER not in browser.reply.body.decode()
    assert "agent.1 saw name and numbers" in browser.text


def test_an_auditor_gets_no_way_behind_it(world):
    browser = seated(world, "auditor")
    browser.go(WHERE)
    with pytest.raises(AssertionError):
        browser.form(f"/staff/reveal/{WHO}")


@pytest.mark.parametrize("kind", ["abnormal_transaction", "fraud_claim"])
def test_an_investigation_is_named_to_nobody_who_may_not_know(world, kind):
    detail = {"kind": "other"} if kind == "abnormal_transaction" else {}
    accept([event("signal.raised", {"signal_id": "s-secret", "borrower_id": WHO, "kind": kind,
                                    "starts_at": (AT - timedelta(hours=1)).isoformat(),
                                    "detail": detail})], at=AT)  # fmt: skip
    tasks.open_tasks(["agree_date"], borrower_id=WHO, loan_id=LOAN)
    number = Task.objects.get().id
    words = {"abnormal_transaction": "unusual transaction", "fraud_claim": "somebody else took"}
    for role in SEE:
        browser = seated(world, role)
        seen = [browser.go(WHERE).body, browser.go(f"/staff/work/{number}").body]
        named = [words[kind] in one.decode() or "raud" in one.decode() for one in seen]
        assert any(named) == (role in ("compliance", "auditor")), (role, named)


def test_who_is_unknown_has_no_page_and_no_row(world):
    browser, before = seated(world), since()
    for one in ("nobody", "B1/x", "%00", "a%0Ab"):
        assert browser.go(f"/staff/borrower/{one}").status == 404, one
    assert rows_since(before, "record.viewed") == []


def test_nobody_of_another_role_sees_him(world):
    for role in set(ROLES) - set(SEE):
        assert seated(world, role).go(WHERE).status == 403
