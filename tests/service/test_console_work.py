"""Goal: a task is worked at lawfully, by whom it is for, once; each look at a person is recorded.

Method: the running server over one borrower's book; the record, the ledger and the log read back.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from browsing import Browser
from console_world import WAYS, rows_since, seated, since
from django.db import connection
from django.test.utils import CaptureQueriesContext
from known_books import LENDER
from portal_world import BOOK, LOAN, NAME, NUMBER, WHO, begin, emptied, tell

from duly.book import TABLES
from duly.core.words import catalogue
from duly.service.console import people, timeline
from duly.service.operations import tasks, working
from duly.service.operations.working import Worker
from duly.service.store.event_models import Word
from duly.service.store.models import Contact, Decision, Message, Task, TaskNote
from duly.service.store.reply_models import NOTE_KINDS

AGENT = Worker(name="agent.1", role="agent", sees_all=False)
LEAD = Worker(name="team.lead.1", role="team_lead", sees_all=True)


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    yield tell(served, write_book, tmp_path_factory.mktemp("book"))
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    begin(facts)
    Decision.objects.update(by_channel=WAYS)
    return facts


def opened(kind: str = "agree_date", who: str | None = WHO, loan: str | None = LOAN) -> int:
    tasks.open_tasks([kind], borrower_id=who, loan_id=loan)
    return Task.objects.order_by("-id")[0].id


def at_case(served, number: int, role: str = "agent", *, language: str = "en") -> Browser:
    browser = seated(served, role, language=language)
    assert browser.go(f"/staff/work/{number}").status == 200
    return browser


class TestList:
    def test_the_most_urgent_and_oldest_come_first_with_the_reason_and_the_day(self, world):
        for kind in ("say_how_to_pay", "answer_dispute", "care_now"):
            opened(kind)
        Task.objects.filter(kind="answer_dispute").update(
            opened_at=datetime(2026, 2, 20, 2, tzinfo=UTC)
        )
        browser = seated(world)
        browser.go("/staff/work")
        rows = [one.text for one in browser.page.all("tr")][1:]
        assert [("ring now" in rows[0]), ("Answer the dispute" in rows[1])] == [True, True]
        assert "before everything else" in rows[0]
        assert "was due on Mar 7: late" in rows[1]
        assert "Say how to pay" in rows[2]

    def test_nothing_open_is_a_good_day(self, world):
        browser = seated(world)
        browser.go("/staff/work")
        assert "Nothing waits for you" in browser.text

    def test_no_query_more_for_more_tasks(self, world):
        opened()
        with CaptureQueriesContext(connection) as one:
            working.mine(AGENT, limit=100)
        for _ in range(20):
            opened()
        with CaptureQueriesContext(connection) as many:
            assert len(working.mine(AGENT, limit=100)) == 21
        assert len(one) == len(many) == 1


class TestCase:
    def test_the_person_is_masked_and_the_look_recorded_under_his_key(self, world):
        number, before = opened(), since()
        browser = at_case(world, number)
        page = browser.reply.body.decode()
        assert NUMBER not in page
        assert "13800000001" not in page
        assert NAME not in page
        assert "138****0001" in browser.text
        assert rows_since(before, "record.viewed") == [
            (WHO, {"by": "agent.1", "role": "agent", "page": "task", "task": number})
        ]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT payload FROM store_audit WHERE kind = 'record.viewed' AND id > %s", [before]
            )
            assert cursor.fetchall() == [(None,)]

    @pytest.mark.parametrize(
        ("language", "said"), [("en", "Today's word is"), ("zh-CN", "今天的口令是")]
    )
    def test_script_figures_and_hours_are_on_one_screen(self, world, language, said):
        browser = at_case(world, opened(), language=language)
        assert said in browser.text
        assert re.search(r"\d{3} \d{3}", browser.text)
        assert LOAN in browser.text
        slots = browser.page.all("ol", class_="day")
        assert len(slots) == 1
        classes = [one.attributes.get("class", "") for one in browser.page.all("li")]
        days = [one for one in classes if one.split(" ")[0] in ("past", "open", "shut")]
        assert len(days) == 48
        assert sum("now" in one for one in days) == 1
        assert days[:20] == ["past"] * 20
        assert days[-2:] == ["shut", "shut"]

    def test_a_case_asks_as_many_questions_however_much_happened(self, world):
        number = opened()
        browser = at_case(world, number)
        before = self.questions(browser, number)
        for day in range(12):
            Contact.objects.create(
                contact_id=f"c{day}", borrower_id=WHO, channel="letter", direction="in",
                at=datetime(2026, 2, 1 + day, 2, tzinfo=UTC), outcome="replied", agency="x",
            )  # fmt: skip
            opened("call_back")
        assert self.questions(browser, number) == before

    @staticmethod
    def questions(browser: Browser, number: int) -> int:
        """Return how many questions the page's own parts ask, in this process."""
        with CaptureQueriesContext(connection) as found:
            working.one(number, AGENT)
            people.person_of(WHO, locale="en")
            working.notes_of(WHO, limit=100)
        browser.go(f"/staff/work/{number}")
        return len(found)

    def test_what_is_closed_handed_away_or_never_was_is_not_there(self, world):
        number = opened()
        working.hand_over(number, LEAD, to="compliance", note="Please look")
        browser = seated(world)
        for one in (number, number + 1, 0, 2**70):
            assert browser.go(f"/staff/work/{one}").status == 404
        assert seated(world, "compliance").go(f"/staff/work/{number}").status == 200
        assert seated(world, "team_lead").go(f"/staff/work/{number}").status == 200


class TestCall:
    @pytest.mark.parametrize("mark", ["0abcdefg", "-abcdefg", "_abcdefg", "Abcdefg9"])
    def test_whatever_the_mark_of_the_form_begins_with_the_call_is_counted(self, world, mark):
        number = opened()
        browser = at_case(world, number)
        fields = browser.form(f"/staff/work/{number}/call") | {"point": "1", "mark": mark}
        browser.post(f"/staff/work/{number}/call", fields)
        assert "The call is counted" in browser.text

    def test_a_call_is_counted_before_anybody_dials_and_ended_once(self, world):
        number = opened()
        browser, before = at_case(world, number), since()
        assert "Yes, now." in browser.text, browser.text
        fields = browser.form(f"/staff/work/{number}/call") | {"point": "1"}
        browser.post(f"/staff/work/{number}/call", fields)
        assert "The call is counted" in browser.text
        (found,) = Contact.objects.filter(contact_id__startswith=f"call-{number}-")
        assert (found.channel, found.address, found.agency) == ("voice", NUMBER, "lender")
        assert found.contact_class == "dunning"
        browser.post(f"/staff/work/{number}/call", fields)
        assert Contact.objects.filter(contact_id__startswith="call-").count() == 1
        browser.go(f"/staff/work/{number}")
        browser.submit(f"/staff/work/{number}/called", outcome="reached", note="Agrees to pay")
        assert TaskNote.objects.get().code == "reached"
        assert b"Agrees" not in bytes(TaskNote.objects.get().ciphertext)
        assert "Agrees to pay" in browser.text
        assert [row["outcome"] for _, row in rows_since(before, "contact.ended")] == ["reached"]
        found = browser.post(f"/staff/work/{number}/called", fields | {"outcome": "reached"})
        assert found.status == 409

    def test_a_second_call_too_soon_is_refused_and_nothing_is_counted(self, world):
        number = opened()
        for place in range(3):
            Contact.objects.create(
                contact_id=f"c{place}", borrower_id=WHO, loan_id=LOAN, channel="voice",
                direction="out", at=datetime(2026, 3, 10, 1, place, tzinfo=UTC),
                outcome="connected", address=NUMBER, agency="lender",
            )  # fmt: skip
        browser = at_case(world, number)
        assert "Yes, now." not in browser.text
        mark = browser.form(f"/staff/work/{number}/close")["csrfmiddlewaretoken"]
        told = {"csrfmiddlewaretoken": mark, "point": "1", "mark": "again"}
        found = browser.post(f"/staff/work/{number}/call", told)
        assert found.status == 409
        assert "Nothing was counted" in browser.text
        assert not Contact.objects.filter(contact_id__startswith="call-").exists()

    @pytest.mark.parametrize("given", [{"point": "9"}, {"point": "x"}, {"mark": "a b"}, {}])
    def test_a_number_that_is_none_of_his_is_refused(self, world, given):
        number = opened()
        browser = at_case(world, number)
        fields = browser.form(f"/staff/work/{number}/call") | given
        assert browser.post(f"/staff/work/{number}/call", fields).status == 422
        assert not Contact.objects.filter(contact_id__startswith="call-").exists()

    def test_a_strangers_number_is_taken_away_at_once(self, world):
        number = opened()
        browser = at_case(world, number)
        fields = browser.form(f"/staff/work/{number}/call") | {"point": "1"}
        browser.post(f"/staff/work/{number}/call", fields)
        browser.submit(f"/staff/work/{number}/called", outcome="wrong_person")
        words = Word.objects.filter(kind="contact_point", borrower_id=WHO)
        assert {one.data["status"] for one in words} == {"wrong_person"}
        assert Message.objects.get(message_id="m-waits").state == "cancelled"
        assert Task.objects.filter(kind="find_right_person", closed_at=None).count() == 1


class TestPromise:
    def test_it_is_the_signal_that_a_reply_raises(self, world):
        number = opened()
        browser, before = at_case(world, number), since()
        browser.submit(f"/staff/work/{number}/promise", amount="1,500.00", on="2026-03-20")
        assert "The promise is written down" in browser.text
        (word,) = Word.objects.filter(kind="signal", borrower_id=WHO)
        data = json.loads(word.data) if isinstance(word.data, str) else word.data
        assert data["kind"] == "promise"
        assert json.loads(data["detail"]) == {
            "amount": "1500.00", "on": "2026-03-20", "by": "console",
        }  # fmt: skip
        assert Message.objects.get(message_id="m-waits").state == "cancelled"
        assert len(rows_since(before, "signal.raised")) <= 1
        browser.submit(f"/staff/work/{number}/promise", amount="1500", on="2026-03-20")
        assert Word.objects.filter(kind="signal", borrower_id=WHO).count() == 1

    @pytest.mark.parametrize(
        ("amount", "on"),
        [("0", "2026-03-20"), ("-5", "2026-03-20"), ("x", "2026-03-20"), ("5.001", "2026-03-20"),
         ("500", "2026-03-09"), ("500", "2026-04-10"), ("500", "soon"), ("", "")],
    )  # fmt: skip
    def test_what_is_no_promise_is_said_so_and_nothing_is_written(self, world, amount, on):
        number = opened()
        browser = at_case(world, number)
        found = browser.submit(f"/staff/work/{number}/promise", amount=amount, on=on)
        assert found.status == 422
        assert not Word.objects.filter(kind="signal").exists()
        assert Message.objects.get(message_id="m-waits").state == "planned"


class TestEnd:
    def test_closing_leads_to_the_next_and_is_in_the_record(self, world):
        first, second = opened(), opened("call_back", loan=None)
        browser, before = at_case(world, first), since()
        browser.submit(f"/staff/work/{first}/close", outcome="settled", note="Pays on Friday")
        assert browser.at == f"/staff/work/{second}"
        done = Task.objects.get(id=first)
        assert (done.closed_by, done.outcome) == ("agent.1", "settled")
        assert done.closed_at.date() == date(2026, 3, 10)
        ((name, row),) = rows_since(before, "task.closed")
        assert (name, row) == (str(first), {"by": "agent.1", "outcome": "settled"})

    def test_of_two_people_one_is_told_that_the_other_was_quicker(self, world):
        number = opened()
        slow, quick = at_case(world, number), at_case(world, number, "team_lead")
        fields = slow.form(f"/staff/work/{number}/close") | {"outcome": "settled"}
        quick.submit(f"/staff/work/{number}/close", outcome="answered")
        assert slow.post(f"/staff/work/{number}/close", fields).status == 404
        assert Task.objects.get(id=number).outcome == "answered"
        with pytest.raises(working.TaskGone):
            working.close(number, AGENT, outcome="settled", note="", at=datetime.now(UTC))

    @pytest.mark.parametrize("given", [{"to": "admin"}, {"note": "  "}, {"to": "nobody"}])
    def test_handing_over_needs_a_role_and_a_note(self, world, given):
        number = opened()
        browser = at_case(world, number)
        told = {"to": "team_lead", "note": "Wants a plan"} | given
        assert browser.submit(f"/staff/work/{number}/hand-over", **told).status == 422
        assert Task.objects.get(id=number).for_role is None

    def test_what_is_handed_over_is_seen_by_its_role_with_the_note(self, world):
        number = opened()
        at_case(world, number).submit(
            f"/staff/work/{number}/hand-over", to="team_lead", note="Wants a plan"
        )
        assert working.mine(AGENT, limit=10) == []
        assert "Wants a plan" in at_case(world, number, "team_lead").text


def test_due_days_are_the_lenders_own():
    at = datetime(2026, 3, 10, 2, tzinfo=UTC)
    found = {kind: working.due_on(kind, at, lender=LENDER) for kind in tasks.PRIORITY}
    answers = LENDER.answers
    assert found["answer_dispute"] == date(2026, 3, 10) + timedelta(days=answers.dispute_days)
    assert found["care_now"] == date(2026, 3, 10)
    assert found["whose_reply"] is None


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_code_has_its_words(locale):
    said = catalogue("console", locale)
    kinds = {key.partition(".")[2] for key in catalogue("service", locale)
             if key.startswith("task.")}  # fmt: skip
    assert {f"script_of.{one}" for one in kinds} <= set(said)
    outcome = TABLES["contacts"].column("outcome").values
    wanted = [
        ("signal", TABLES["signals"].column("kind").values), ("contact", outcome),
        ("channel", TABLES["contacts"].column("channel").values), ("ended", working.ENDED),
        ("called", working.CALLED), ("point", ("invalid", "wrong_person")),
        ("priority", [str(one) for one in {*tasks.PRIORITY.values(), 5}]),
        ("look", [one.partition(".")[2] for one in timeline.LOOKS]),
        ("money", ("payment", "waiver", "reversed")), ("class", ("dunning", "statutory",
         "receipt", "answer", "correction")),
    ]  # fmt: skip
    for group, codes in wanted:
        assert {f"{group}.{one}" for one in codes} <= set(said), group
    assert set(NOTE_KINDS) == {"handed_over", "closed", "called", "promised"}


def test_the_script_is_ours_and_the_pages_need_none():
    folder = Path(people.__file__).parent
    for page in (folder / "templates" / "console").iterdir():
        text = page.read_text("utf-8")
        assert "style=" not in text, page.name
        assert not re.search(r"\son\w+=", text), page.name
    assert "http" not in (folder / "keys.js").read_text("utf-8")
    assert BOOK["borrowers"]
