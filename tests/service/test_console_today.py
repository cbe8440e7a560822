"""Goal: each number of today is the length of the list behind it, for every role as it may know.

Method: a plan of 30 decisions with every kind of end; the page, its lists and its files compared.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from console_world import rows_since, seated, since
from django.db import connection
from django.test.utils import CaptureQueriesContext
from outgoing import fill
from portal_world import emptied

from duly.core.reasons import REASONS
from duly.core.words import LOCALES, catalogue
from duly.service.console import today as page_of_today
from duly.service.console.lists import LISTS, SHOWN
from duly.service.operations import tasks
from duly.service.store.models import Borrower, Brake, Decision, Message, Run, Task

RUN = "a" * 64
DECIDED = {
    ("contact", "overdue"): 4, ("hold", "dispute"): 3, ("hold", "fraud_claim"): 2,
    ("hold", "complaint"): 1, ("blocked", "opt_out"): 2, ("task", "security_restricted"): 2,
    ("task", "review"): 1, ("none", "nothing_due"): 15,
}  # fmt: skip


@pytest.fixture
def world(facts):
    emptied(facts.url, books=False)
    fill(3, state="delivered", route="gateway")
    blocked = Message.objects.get(message_id="m00000")
    blocked.message_id, blocked.state, blocked.reason = "m-blocked", "blocked", "opt_out"
    blocked.save(force_insert=True)
    place = 0
    for (decision, reason), count in DECIDED.items():
        for _ in range(count):
            place += 1
            Decision.objects.create(
                loan_id=f"L{place:03}", run_id=RUN, borrower_id=f"b{place:05}",
                business_date="2026-03-10", decision=decision, reason=reason, legal=[],
                figures={"currency": "CNY", "days_past_due": place, "overdue_total": place * 100},
            )  # fmt: skip
    return facts


def counted(browser, kind: str = "", reason: str = "", state: str = "") -> int:
    """Return how many rows the list of a number has."""
    name = "messages" if state else "decisions"
    asked = {"kind": kind, "reason": reason, "state": state}
    query = urlencode({key: one for key, one in asked.items() if one})
    browser.go(f"/staff/lists/{name}?{query}")
    return max(len(browser.page.all("tr")) - 1, 0)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_each_number_leads_to_a_list_of_that_length(world, language):
    browser = seated(world, "compliance", language=language)
    browser.go("/staff/")
    links = {
        one.attributes["href"]: int(one.text.strip())
        for one in browser.page.all("a")
        if one.attributes["href"].startswith("/staff/lists/") and one.text.strip().isdigit()
    }
    assert len(links) >= 12
    for where, count in links.items():
        browser.go(where)
        assert len(browser.page.all("tr")) - 1 == count, where
    assert sum(DECIDED.values()) in links.values()


def test_an_investigation_is_folded_into_what_is_named(world):
    knows, others = seated(world, "compliance"), seated(world, "strategy")
    assert counted(knows, "hold", "fraud_claim") == 2
    assert counted(knows, "task", "security_restricted") == 2
    assert counted(others, "hold", "fraud_claim") == 0
    assert counted(others, "task", "security_restricted") == 0
    assert counted(others, "hold", "matter") == 3
    assert counted(others, "task", "review") == 3
    assert counted(others, "hold") == counted(knows, "hold") == 6
    for role in ("agent", "team_lead", "strategy", "admin"):
        browser = seated(world, role)
        browser.go("/staff/")
        assert "raud" not in browser.text, role
        assert "Unusual" not in browser.text, role


def test_a_role_without_lists_sees_numbers_and_no_links(world):
    browser = seated(world, "agent")
    browser.go("/staff/")
    assert "30" in browser.text
    assert not [one for one in browser.page.all("a") if "/lists/" in one.attributes["href"]]


def test_a_file_holds_the_rows_of_its_list_and_is_recorded(world):
    browser, before = seated(world, "auditor"), since()
    found = browser.go("/staff/lists/decisions.csv?kind=hold")
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(found.body.decode("utf-8-sig"))))
    assert rows[0][:4] == ["Loan", "Borrower", "Decision", "Why"]
    assert [row[0] for row in rows[1:]] == [f"L{place:03}" for place in range(5, 11)]
    assert rows[1][5] == "5.00 CNY"
    assert rows_since(before, "staff.exported") == [
        ("auditor.1", {"list": "decisions", "kind": "hold", "rows": 6})
    ]


def test_no_cell_of_a_file_is_a_formula(world):
    Decision.objects.filter(loan_id="L001").update(loan_id="=1+1")
    found = seated(world, "auditor").go("/staff/lists/decisions.csv?kind=contact")
    rows = list(csv.reader(io.StringIO(found.body.decode("utf-8-sig"))))
    assert rows[1][0] == "'=1+1"


def test_a_long_list_goes_on_where_it_ended(world):
    Decision.objects.bulk_create(
        Decision(loan_id=f"M{place:04}", run_id=RUN, borrower_id=f"c{place}", decision="wait",
                 business_date="2026-03-10", reason="grace", legal=[])
        for place in range(SHOWN + 5)
    )  # fmt: skip
    browser = seated(world, "team_lead")
    assert counted(browser, "wait") == SHOWN
    (more,) = [one for one in browser.page.all("a") if "after=" in one.attributes["href"]]
    browser.go(more.attributes["href"])
    assert len(browser.page.all("tr")) - 1 == 5
    assert "M0104" in browser.text


def test_alerts_are_empty_on_a_good_day_and_each_is_said(world):
    browser = seated(world, "team_lead")
    browser.go("/staff/")
    assert "That is how it should be" in browser.text
    Brake.objects.create(run_id=RUN, name="messages", state="broken", figures={})
    tasks.open_tasks(["answer_dispute", "whose_reply", "care_now"], borrower_id="b00001")
    Task.objects.update(opened_at=datetime(2026, 2, 20, 2, tzinfo=UTC))
    browser.go("/staff/")
    assert "The plan is braked: 1 figure out of bounds" in browser.text
    assert "2 tasks past the day" in browser.text
    browser.go("/staff/lists/late")
    assert len(browser.page.all("tr")) - 1 == 2


def test_before_the_first_plan_nothing_is_wrong(world):
    emptied(world.url, books=False)
    browser = seated(world, "team_lead")
    browser.go("/staff/")
    assert "No plan has been loaded yet" in browser.text
    for name in LISTS:
        browser.go(f"/staff/lists/{name}")
        assert "Nothing here" in browser.text, name
    assert browser.go("/staff/lists/secrets").status == 404


def test_no_question_more_for_more_rows(world):
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            given = {"run": RUN, "all": False}
            page_of_today.asked(page_of_today._DECIDED, given)
            page_of_today.asked(page_of_today._MESSAGES, given)
        return len(found)

    few = asked()
    Borrower.objects.create(borrower_id="more", time_zone="Asia/Shanghai", locale="en")
    assert Run.objects.count() == 1
    assert asked() == few == 2


@pytest.mark.parametrize("locale", LOCALES)
def test_every_column_and_reason_has_its_words(locale):
    said = catalogue("console", locale)
    for found in LISTS.values():
        assert {f"column.{one}" for one, _ in found.columns} <= set(said)
    assert {f"decision.{one}" for one in REASONS} <= set(said)
    assert {f"list.{one}" for one in LISTS} <= set(said)
