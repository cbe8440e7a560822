"""Goal: no page of the console asks the store more often because more happened.

Method: whole requests, through every layer of the server, in this process; their questions counted
with one row of everything, and with twenty.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from console_world import WAYS, rows_since, seated, since
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from known_books import LENDER
from outgoing import AT
from portal_world import LOAN, WHO, begin, emptied, tell

from duly.service.api import serving as api_serving
from duly.service.api.signing import Signer
from duly.service.console import strategy
from duly.service.console.proofs import Proof
from duly.service.console.signing_in import COOKIE
from duly.service.operations import tasks, working
from duly.service.operations.working import Worker
from duly.service.store.models import Contact, Decision, Message, Task

LEAD = Worker(name="team.lead.1", role="team_lead", sees_all=True)


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    yield tell(served, write_book, tmp_path_factory.mktemp("book"))
    emptied(served.url, books=True)


@pytest.fixture
def client(book, facts, monkeypatch) -> Client:
    """Give somebody who is signed in at the application of this process."""
    # What is proved beside a page asks the store nothing.
    monkeypatch.setattr(strategy, "proof_of", lambda *_: Proof(state="under_way"))
    begin(facts)
    Decision.objects.update(by_channel=WAYS)
    tasks.open_tasks(["agree_date"], borrower_id=WHO, loan_id=LOAN)
    api_serving.begin(
        api_serving.Serving(lender=LENDER, now=lambda: AT, clock=lambda: datetime.now(UTC),
                            signer=Signer([b"Z" * 32]), plans=Path())
    )  # fmt: skip
    one = Client()
    one.cookies[COOKIE] = seated(facts, "compliance").cookies[COOKIE]
    return one


def more_of_everything() -> None:
    sent = Message.objects.get(message_id="m-waits")
    decided = Decision.objects.get()
    for place in range(20):
        sent.message_id, sent.business_date = f"x{place}", AT.date() - timedelta(days=place + 2)
        sent.state, sent.code = "delivered", f"ABCD{place:04}"
        sent.save(force_insert=True)
        Contact.objects.create(
            contact_id=f"c{place}", borrower_id=WHO, channel="letter", direction="in",
            at=AT - timedelta(days=place + 1), outcome="replied", agency="x",
        )  # fmt: skip
        tasks.open_tasks(["call_back"], borrower_id=WHO)
        number = Task.objects.order_by("-id")[0].id
        working.hand_over(number, LEAD, to="compliance", note=f"Note {place}")
        decided.loan_id, decided.decision, decided.reason = f"D{place}", "hold", f"reason{place}"
        decided.legal = ["DEC-FREQ-1", f"NONE-{place}"]
        decided.save(force_insert=True)


def test_every_page_asks_as_often_for_one_as_for_twenty(client):
    number = Task.objects.get().id
    pages = ["", "work", f"work/{number}", f"borrower/{WHO}", "lists/decisions",
             "lists/messages", "lists/late", "lists/decisions.csv", "rules", "rules/DEC-FREQ-1",
             "rules.csv", "strategy", "strategy.csv"]  # fmt: skip

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as found:
            response = client.get(f"/staff/{path}")
        assert response.status_code == 200, (path, response.content[:300])
        return len(found)

    # The figures and the rules are read by the first look of a process.
    for path in pages:
        asked(path)
    few = {path: asked(path) for path in pages}
    more_of_everything()
    asked(pages[2])
    assert {path: asked(path) for path in pages} == few
    assert few == {
        "": 7, "work": 3, pages[2]: 23, pages[3]: 14, "lists/decisions": 4, "lists/messages": 4,
        "lists/late": 4, "lists/decisions.csv": 4, "rules": 4,
        "rules/DEC-FREQ-1": 4, "rules.csv": 4, "strategy": 4, "strategy.csv": 4,
    }  # fmt: skip


def test_a_look_is_recorded_once_a_page_whatever_the_page_shows(client):
    more_of_everything()
    before = since()
    assert client.get(f"/staff/borrower/{WHO}").status_code == 200
    assert client.get("/staff/lists/decisions").status_code == 200
    assert [name for name, _ in rows_since(before, "record.viewed")] == [WHO]
