"""Goal: what a borrower wishes of contact holds at once, in words the whole service knows, and a
number changes only once its owner entered the code that came to it, after the old one was told.

Method: a running server and its store; taps, twice, wrong, forged; a next day's book.
"""

from __future__ import annotations

import re
from datetime import timedelta

import psycopg
import pytest
from browsing import shown
from known_books import LENDER, export, table
from outgoing import AT
from portal_world import NAME, NUMBER, WHO, begin, beside, emptied, recorded, signed_in, tell
from telling_events import signalled

from duly.plan.addresses import key_of
from duly.service.operations.events import accept
from duly.service.portal import wishes
from duly.service.portal.holders import holder_of
from duly.service.portal.numbers import numbers_of
from duly.service.store.models import Message, Task

NEW = "+8613911112222"
LATER = AT + timedelta(hours=1)  #: the clock of the server runs on


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    """Give the server with the book; B2 has another loan and a number of his own."""
    tables = beside("L-OTHER")
    tables["contact_points"].append(
        {"borrower_id": WHO, "channel": "voice", "address": "+861066665566"}
    )
    yield tell(
        served, write_book, tmp_path_factory.mktemp("book"),
        **tables,
    )  # fmt: skip
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    return begin(facts, WHO, "B2")


def told(url, kind):
    with psycopg.connect(url) as ours:
        return [row[0] for row in ours.execute(
            "SELECT data FROM store_event WHERE type = %s AND source = 'duly:portal'"
            " ORDER BY time, event_id", [kind]).fetchall()]  # fmt: skip


def waiting():
    found = Message.objects.get(message_id="m-waits")
    return found.state, found.reason


class TestWish:
    def test_it_is_the_row_that_every_plan_reads(self, world, tmp_path):
        browser = signed_in(world)
        browser.go("/preferences")
        browser.submit("/preferences/wish", quiet_from="12:00", quiet_until="14:00",
                       channel="email", locale="en")  # fmt: skip
        assert browser.at == "/preferences"
        assert "Noted" in browser.text
        assert "08:30–12:00 14:00–21:00" in browser.text
        (row,) = [one for one in table(export(tmp_path), "borrowers") if one["borrower_id"] == WHO]
        assert {name: row[name] for name in ("locale", "preferred_channel", "quiet_from",
                                             "quiet_until", "time_zone")} == {
            "locale": "en", "preferred_channel": "email", "quiet_from": "12:00",
            "quiet_until": "14:00", "time_zone": "Asia/Shanghai"}  # fmt: skip
        # The field keeps it; taken back, none is left.
        assert browser.page.one("input", id="quiet_from").attributes["value"] == "12:00"
        browser.submit("/preferences/wish", quiet_from="", quiet_until="", channel="", locale="")
        assert "08:30–21:00" in browser.text
        assert wishes.wish_of(WHO) == wishes.Wish()

    def test_the_same_twice_is_one(self, world):
        browser = signed_in(world)
        browser.go("/preferences")
        fields = browser.form("/preferences/wish") | {
            "quiet_from": "12:00", "quiet_until": "14:00", "channel": "", "locale": ""}  # fmt: skip
        for _ in range(2):
            browser.post("/preferences/wish", fields)
        assert len(told(world.url, "borrower.preferred")) == 1

    @pytest.mark.parametrize("given", [
        {"quiet_from": "12:00"}, {"quiet_until": "12:00"},
        {"quiet_from": "12:00", "quiet_until": "12:00"},
        {"quiet_from": "25:00", "quiet_until": "12:00"},
        {"quiet_from": "noon", "quiet_until": "12:00"}, {"channel": "fax"}, {"locale": "fr"},
    ])  # fmt: skip
    def test_what_cannot_be_is_said_and_changes_nothing(self, world, given):
        browser = signed_in(world)
        browser.go("/preferences")
        fields = browser.form("/preferences/wish") | {"channel": "", "locale": ""} | given
        assert browser.post("/preferences/wish", fields).status == 422
        assert told(world.url, "borrower.preferred") == []

    def test_quiet_hours_that_leave_none_are_said_truly(self, world):
        browser = signed_in(world)
        browser.go("/preferences")
        browser.submit("/preferences/wish", quiet_from="08:00", quiet_until="22:00", channel="",
                       locale="")  # fmt: skip
        assert browser.text.count("at no hour") == 2


class TestStop:
    @pytest.mark.parametrize(("channel", "detail"), [
        ("sms", {"by": "portal", "channel": "sms"}), ("all", {"by": "portal"})])  # fmt: skip
    def test_it_stops_what_waits_in_the_same_second(self, world, channel, detail):
        browser = signed_in(world)
        browser.go("/preferences")
        fields = browser.form("/preferences/stop") | {"channel": channel}
        for _ in range(2):
            browser.post("/preferences/stop", fields)
        (data,) = told(world.url, "signal.raised")
        assert (data["kind"], data["detail"], data.get("loan_id")) == ("opt_out", detail, None)
        assert waiting() == ("cancelled", "opt_out")
        says = "You have stopped every way" if channel == "all" else "Stopped: text message"
        assert says in browser.text
        assert "Notices that the law demands still come" in browser.text
        # By e-mail and phone there are hours still; after every way none.
        assert browser.text.count("at no hour") == (2 if channel == "all" else 0)

    def test_another_way_stops_no_text(self, world):
        browser = signed_in(world)
        browser.go("/preferences")
        browser.post("/preferences/stop", browser.form("/preferences/stop") | {"channel": "voice"})
        assert waiting() == ("planned", None)
        assert [one.channel for one in wishes.stops_of(WHO, at=LATER)] == ["voice"]

    def test_it_can_be_taken_back_whoever_told_it(self, world):
        accept([signalled("opt_out", WHO, detail={"channel": "sms"})], at=AT)
        browser = signed_in(world)
        browser.go("/preferences")
        assert "Stopped: text message" in browser.text
        fields = browser.form("/preferences/allow") | {"channel": "sms"}
        browser.post("/preferences/allow", fields)
        assert wishes.stops_of(WHO, at=LATER) == ()
        browser.go("/preferences")
        assert "Stopped:" not in browser.text

    def test_stopped_allowed_and_stopped_again_in_one_second_is_stopped(self, world):
        at = AT
        for _ in range(3):
            assert wishes.stop(WHO, "sms", at=at) is not None
            assert len(wishes.stops_of(WHO, at=at)) == 1
            assert len(wishes.allow(WHO, "sms", at=at)) == 1
            assert wishes.stops_of(WHO, at=at) == ()

    def test_an_unknown_way_is_none(self, world):
        browser = signed_in(world)
        browser.go("/preferences")
        mark = browser.form("/preferences/stop") | {"channel": "fax"}
        for path in ("/preferences/stop", "/preferences/allow"):
            assert browser.post(path, mark).status == 404
        assert told(world.url, "signal.raised") == []


def texts():
    """Return the texts to the new number and to the old one."""
    found = Message.objects.filter(template="sign_in_code")
    return {one.params["about"]: one for one in found}


def asked(world, who=WHO, number=NEW):
    browser = signed_in(world, who)
    browser.go("/preferences/number")
    browser.submit("/preferences/number", number=number)
    return browser


def code_of(message):
    return re.search(r"code (\d{6})", message.text)[1]


def left(message):
    """Let a text leave, as a worker does."""
    mine = Message.objects.filter(message_id=message.message_id)
    mine.update(state="claimed", worker=1)
    mine.update(state="submitted")


class TestNumber:
    def test_nothing_changes_until_the_code_then_the_new_one_does(self, world, tmp_path):
        browser = asked(world)
        written = texts()
        assert (written["new_number"].address, written["old_number"].address) == (NEW, NUMBER)
        assert "number ending 2222" in written["old_number"].text
        assert LENDER.hotline in written["old_number"].text
        assert {one.key[-4:] for one in numbers_of(WHO)} == {"0001", "5566"}
        assert holder_of(key_of(NEW)) is None
        left(written["old_number"])
        browser.submit("/preferences/number/confirm", code=code_of(written["new_number"]))
        assert "number ending 2222" in browser.text
        assert {(one.channel, one.end) for one in numbers_of(WHO)} == {
            ("sms", "2222"), ("voice", "2222"), ("voice", "5566")}  # fmt: skip
        assert holder_of(key_of(NEW)).borrower_id == WHO
        assert holder_of(key_of(NUMBER)) is None
        assert [one.kind for one in Task.objects.all()] == ["take_over_number"]
        rows = {(one["address"], one["channel"]): one["status"]
                for one in table(export(tmp_path), "contact_points")
                if one["borrower_id"] == WHO}  # fmt: skip
        assert rows[NEW, "sms"] == "active"
        assert rows[NUMBER, "sms"] == "invalid"
        # Days later, while no book has it, it counts still.
        late = table(export(tmp_path, at=AT + timedelta(days=9)), "contact_points")
        assert (NEW, "active") in {(one["address"], one["status"]) for one in late}

    def test_the_old_number_is_told_first(self, world):
        browser = asked(world)
        code = code_of(texts()["new_number"])
        found = browser.submit("/preferences/number/confirm", code=code)
        assert found.status == 422
        assert "has not been told yet" in browser.text
        left(texts()["old_number"])
        browser.submit("/preferences/number/confirm", code=code)
        assert "The number is changed" in browser.text

    def test_a_wrong_code_changes_nothing_and_five_are_enough(self, world):
        browser = asked(world)
        written = texts()
        left(written["old_number"])
        code = code_of(written["new_number"])
        wrong = f"{(int(code) + 1) % 10**6:06}"
        for _ in range(5):
            assert browser.submit("/preferences/number/confirm", code=wrong).status == 422
        assert browser.submit("/preferences/number/confirm", code=code).status == 422
        assert told(world.url, "contact_point.changed") == []

    def test_a_code_is_of_one_number_and_one_person_and_signs_nobody_in(self, world):
        browser = asked(world)
        written = texts()
        left(written["old_number"])
        code = code_of(written["new_number"])
        fields = browser.form("/preferences/number/confirm") | {"code": code}
        other = {**fields, "number": "+8613911113333"}
        assert browser.post("/preferences/number/confirm", other).status == 422
        stranger = signed_in(world, "B2")
        stranger.go("/preferences/number")
        mark = stranger.form("/preferences/number")["csrfmiddlewaretoken"]
        theirs = {**fields, "csrfmiddlewaretoken": mark}
        assert stranger.post("/preferences/number/confirm", theirs).status == 422
        nobody = shown(world, "/sign-in")
        mark = nobody.form("/sign-in")["csrfmiddlewaretoken"]
        nobody.post("/sign-in/code", {"wish": fields["wish"], "code": code, "full_name": NAME,
                                      "csrfmiddlewaretoken": mark})  # fmt: skip
        assert nobody.reply.status == 422
        assert told(world.url, "contact_point.changed") == []

    @pytest.mark.parametrize("number", ["", "12", "abc", "1" * 16, "１３８００００"])
    def test_what_is_no_number_is_said(self, world, number):
        browser = asked(world, number=number)
        assert browser.reply.status == 422
        assert Message.objects.filter(template="sign_in_code").count() == 0

    def test_the_page_is_the_same_for_a_number_that_somebody_has(self, world):
        pages = []
        for number in (NEW, "+8613800000002"):
            browser = asked(world, number=number)
            pages.append(browser.text)
        assert pages[0] == pages[1]

    def test_no_record_holds_the_code(self, world):
        asked(world)
        code = code_of(texts()["new_number"])
        for kind in ("message.written", "event.accepted"):
            assert all(code not in str(one) for one in recorded(kind))


def test_nobody_else_comes_in(world):
    for path in ("/preferences", "/preferences/number"):
        assert shown(world, path).at == "/sign-in"
    browser = signed_in(world)
    browser.go("/preferences")
    forged = browser.form("/preferences/stop") | {"csrfmiddlewaretoken": "a" * 64,
                                                  "channel": "all"}  # fmt: skip
    for path in ("/preferences/stop", "/preferences/wish", "/preferences/allow",
                 "/preferences/number/confirm"):  # fmt: skip
        assert browser.post(path, forged).status == 403, path
    assert told(world.url, "signal.raised") == []
