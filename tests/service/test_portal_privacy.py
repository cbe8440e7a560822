"""Goal: a borrower has a copy of all that is held about him and of nobody else, sees who looked,
and what he asks has a last day; nothing tells of a security investigation, nor that there is none.

Method: a running server and its store; facts that must not show; another person's beside his.
"""

from __future__ import annotations

import io
import json
from datetime import date

import psycopg
import pytest
from browsing import shown
from known_books import LENDER
from outgoing import AT, LAWFUL
from portal_world import BOOK, LOAN, NAME, NUMBER, WHO, begin, emptied, recorded, signed_in, tell
from pypdf import PdfReader
from telling_events import signalled

from duly.service.operations import requests
from duly.service.operations.events import accept
from duly.service.operations.recording import record
from duly.service.operations.tasks import open_tasks
from duly.service.portal import copying, papers
from duly.service.privacy import erasing
from duly.service.privacy.holding import hold
from duly.service.store.models import Contact, Message, Task

SECRET = "an investigation"


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    """Give the server with the book; B2 has another loan, B3 one that is closed."""
    yield tell(
        served, write_book, tmp_path_factory.mktemp("book"),
        borrowers=[*BOOK["borrowers"], {"borrower_id": "B2", "name": "李娜"},
                   {"borrower_id": "B3"}],
        contact_points=[*BOOK["contact_points"],
                        {"borrower_id": "B2", "address": "+8613800000002"},
                        {"borrower_id": "B3", "address": "+8613800000003"}],
        loans=[*BOOK["loans"], {"loan_id": "L-OTHER", "borrower_id": "B2"},
               {"loan_id": "L-ENDED", "borrower_id": "B3", "status": "closed"}],
        installments=[*BOOK["installments"],
                      {"loan_id": "L-OTHER", "number": "1", "due_on": "2026-03-01"},
                      {"loan_id": "L-ENDED", "number": "1", "due_on": "2026-03-01"}],
        consents=[{"borrower_id": WHO, "purpose": "marketing", "channel": "sms"},
                  {"borrower_id": WHO, "purpose": "night_contact",
                   "withdrawn_at": "2026-02-01T10:00:00+08:00"},
                  {"borrower_id": "B2", "purpose": "relations"}],
    )  # fmt: skip
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    return begin(facts, WHO, "B2", "B3")


def investigated():
    """Let a security investigation be open, with what follows from it."""
    detail = {"kind": "other", "note": SECRET}
    accept([signalled("abnormal_transaction", WHO, signal_id="S-secret", detail=detail),
            signalled("fraud_claim", WHO, signal_id="S-claim", detail={"note": SECRET})],
           at=AT)  # fmt: skip
    open_tasks(["restricted"], borrower_id=WHO)
    hold(WHO, by="Wu Min", because=SECRET)


def copied(browser, form="json"):
    browser.go("/privacy")
    found = browser.submit("/privacy/copy", form=form)
    assert found.status == 200
    return found


class TestCopy:
    def test_it_has_what_is_held_and_of_nobody_else(self, world):
        papers.keep(WHO, "S-mine", [papers.words("我在三月五日付过了 😀")])
        found = copied(signed_in(world))
        assert found.headers["content-type"] == "application/json"
        told = found.json
        assert told["borrower_id"] == WHO
        tables = told["tables"]
        assert [row["name"] for row in tables["book_borrowers"]] == [NAME]
        assert {row["address"] for row in tables["book_contact_points"]} == {NUMBER}
        assert {row["payment_id"] for row in tables["book_payments"]} == {"P-1", "P-2"}
        assert {row["number"] for row in tables["book_installments"]} == {1, 2, 3}
        assert {row["text"] for row in tables["message"]} == {LAWFUL}
        assert [row["figures"]["overdue_total"] for row in tables["decision"]] == [62700]
        assert [row["text"] for row in tables["handed_in"]] == ["我在三月五日付过了 😀"]
        for other in ("L-OTHER", "李娜", "13800000002"):
            assert other not in found.body.decode()
        assert next(recorded("record.copied"))["form"] == "json"

    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_the_document_says_the_same(self, world, language):
        papers.keep(WHO, "S-mine", [papers.words("付过了 😀")])
        found = copied(signed_in(world, language=language), "pdf")
        pages = PdfReader(io.BytesIO(found.body)).pages
        text = "".join("".join(one.extract_text() for one in pages).split())
        for one in ("付过了□", "P-1", "P-2", NUMBER, "核验码3P773SGS", "62700"):
            assert one in text, one

    def test_no_investigation_is_in_it(self, world):
        before = copied(signed_in(world)).json["tables"]
        investigated()
        found = copied(signed_in(world))
        for one in (SECRET, "S-secret", "S-claim", "abnormal", "fraud_claim", "restricted",
                    "Wu Min"):  # fmt: skip
            assert one not in json.dumps(found.json["tables"]), one
        after = found.json["tables"]
        assert set(after) - {"portalsession"} == set(before) - {"portalsession"}

    def test_every_table_that_a_deletion_knows_is_thought_of(self):
        known = {*erasing.EMPTIED, *erasing.DELETED, *erasing.KEPT}
        assert set(copying.COPIED) | set(copying.NOT_COPIED) == known
        assert not set(copying.COPIED) & set(copying.NOT_COPIED)

    @pytest.mark.parametrize("form", ["", "xml"])
    def test_another_form_is_none(self, world, form):
        browser = signed_in(world)
        browser.go("/privacy")
        assert browser.submit("/privacy/copy", form=form).status == 404
        assert list(recorded("record.copied")) == []


def asked():
    return [(one.kind, one.borrower_id) for one in Task.objects.order_by("id")]


class TestRequests:
    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_a_correction_has_its_words_and_its_last_day(self, world, language):
        browser = signed_in(world, language=language)
        browser.go("/privacy")
        fields = browser.form("/privacy/request") | {"kind": "correct_data", "words": "我叫张玮"}
        for _ in range(2):
            browser.post("/privacy/request", fields)
        assert asked() == [("correct_data", WHO)]
        number = Task.objects.get().id
        said = {one.data.decode() for one in papers.of_task(number, by="Wu Min")}
        assert said == {"我叫张玮"}
        # Fifteen working days after 2026-03-10.
        assert {"en": "Mar 31", "zh-CN": "3月31日"}[language] in browser.text
        (told, *_) = recorded("task.requested")
        assert told == {"kind": "correct_data", "answer_on": "2026-03-31"}

    def test_without_words_it_is_none(self, world):
        browser = signed_in(world)
        browser.go("/privacy")
        found = browser.submit("/privacy/request", kind="correct_data", words="  ")
        assert found.status == 422
        assert browser.page.one("textarea", id="words").attributes["aria-invalid"] == "true"
        assert asked() == []

    def test_a_person_instead_of_a_machine(self, world):
        browser = signed_in(world)
        browser.go("/privacy")
        browser.submit("/privacy/request", kind="decide_by_person")
        assert asked() == [("decide_by_person", WHO)]
        assert "it is with a person" in browser.text

    @pytest.mark.parametrize("kind", ["", "offer_relief", "'--"])
    def test_no_other_task_is_opened(self, world, kind):
        browser = signed_in(world)
        browser.go("/privacy")
        assert browser.submit("/privacy/request", kind=kind, words="x").status == 404
        assert asked() == []

    def test_the_day_is_that_of_the_packs(self):
        from dataclasses import replace

        since = date(2026, 3, 10)
        assert requests.answer_on(since, lender=LENDER) == date(2026, 3, 31)
        eu = replace(LENDER, packs=("decency", "eu"))
        assert requests.answer_on(since, lender=eu) == date(2026, 4, 10)
        none = replace(LENDER, packs=("decency",))
        assert requests.answer_on(since, lender=none) == date(2026, 3, 25)


class TestDelete:
    def test_what_stands_against_it_is_said_and_it_can_be_asked(self, world):
        Contact.objects.create(contact_id="K1", borrower_id=WHO, channel="voice", at=AT,
                               direction="out", outcome="connected")  # fmt: skip
        browser = signed_in(world)
        browser.go("/privacy")
        assert "The loan ending 0001 is not paid yet" in browser.text
        assert "CN-REC-1" in browser.text
        assert "2031" in browser.text
        browser.submit("/privacy/request", kind="delete_data")
        assert asked() == [("delete_data", WHO)]
        assert Message.objects.filter(borrower_id=WHO).exclude(address="").count() == 2

    def test_a_court_and_an_investigation_look_like_any_open_case(self, world):
        texts = []
        for told in (lambda: accept([signalled("dispute", WHO, loan_id=LOAN)], at=AT),
                     investigated):  # fmt: skip
            begin(world, WHO, "B2", "B3")
            told()
            browser = signed_in(world)
            browser.go("/privacy")
            texts.append(browser.text.partition("Delete your data")[2])
        assert texts[0] == texts[1]
        assert "Something is still open with us" in texts[0]

    def test_where_nothing_stands_against_it_that_is_said(self, world):
        browser = signed_in(world, "B3")
        browser.go("/privacy")
        assert "Nothing stands against it" in browser.text


class TestConsents:
    def test_one_that_was_given_is_withdrawn_at_once(self, world):
        browser = signed_in(world)
        browser.go("/privacy")
        assert "Offers and advertising" in browser.text
        assert "Contact at night" not in browser.text
        fields = browser.form("/privacy/withdraw")
        browser.post("/privacy/withdraw", fields)
        assert "Withdrawn, from now on" in browser.text
        assert "Offers and advertising" not in browser.text
        with psycopg.connect(world.url) as ours:
            rows = ours.execute("SELECT key, data->>'granted' FROM store_word"
                                " WHERE kind = 'consent'").fetchall()  # fmt: skip
        assert rows == [(f'["{WHO}", "marketing", "sms"]', "withdrawn")]
        assert browser.post("/privacy/withdraw", fields).status == 404

    def test_nobody_withdraws_anothers(self, world):
        browser = signed_in(world)
        browser.go("/privacy")
        mark = browser.form("/privacy/withdraw") | {"purpose": "relations", "channel": ""}
        assert browser.post("/privacy/withdraw", mark).status == 404


class TestLooks:
    def test_who_looked_stands_there_but_no_investigator(self, world):
        def looked(kind, who, **told):
            record(kind, [(who, told)], about={who: who})

        looked("record.viewed", WHO, by="Chen Li", role="agent", page="borrower")
        looked("record.revealed", WHO, by="Wu Min", role="team_lead", reason=SECRET)
        looked("record.revealed", WHO, by="Zhao Jun", role="compliance", reason=SECRET)
        looked("record.viewed", "B2", by="Chen Li", role="team_lead", page="borrower")
        browser = signed_in(world)
        browser.go("/privacy")
        assert browser.text.count("a member of our service") == 1
        assert browser.text.count("the head of a team") == 1
        for one in (SECRET, "Chen Li", "Wu Min", "Zhao Jun", "compliance"):
            assert one not in browser.text

    def test_where_nobody_looked_that_is_said(self, world):
        browser = signed_in(world, "B3")
        browser.go("/privacy")
        assert "Nobody has looked" in browser.text


def test_nobody_else_comes_in(world):
    assert shown(world, "/privacy").at == "/sign-in"
    browser = signed_in(world)
    browser.go("/privacy")
    forged = browser.form("/privacy/copy") | {"csrfmiddlewaretoken": "a" * 64, "form": "json",
                                              "kind": "delete_data"}  # fmt: skip
    for path in ("/privacy/copy", "/privacy/request", "/privacy/withdraw"):
        assert browser.post(path, forged).status == 403, path
    assert asked() == []
