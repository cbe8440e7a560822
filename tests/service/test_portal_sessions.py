"""Goal: only who has the number and the name, or comes from the app, sees a loan; for minutes.

Method: a running server; the two failures compared by bytes and by questions to the store.
"""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import psycopg
import pytest
from browsing import Browser, shown
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from outgoing import AT, lender
from portal_world import (
    BOOK,
    LOAN,
    NAME,
    NUMBER,
    WHO,
    begin,
    emptied,
    handed,
    recorded,
    signed_in,
    tell,
    text_of_code,
)
from telling_events import event, signalled

from duly.service.api import serving as api_serving
from duly.service.api.signing import Signer
from duly.service.operations.events import accept
from duly.service.operations.sessions import TOKEN_MINUTES
from duly.service.portal import codes, sessions, texting
from duly.service.portal.holders import holder_of
from duly.service.portal.signing_in import COOKIE
from duly.service.privacy.deleting import destroy
from duly.service.privacy.letters import SpooledLetters
from duly.service.store.models import Message, PortalCode, PortalSession, Reservation

_MINUTES = itertools.count(1)


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    yield tell(served, write_book, tmp_path_factory.mktemp("book"))
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    return begin(facts)


@pytest.fixture
def here(world):
    """Let this process serve as well: what a view asks is asked here."""
    from known_books import LENDER

    api_serving.begin(
        api_serving.Serving(lender=LENDER, now=lambda: AT, clock=lambda: datetime.now(UTC),
                            signer=Signer([b"Z" * 32]), plans=None)  # type: ignore[arg-type]
    )  # fmt: skip
    return world


def asked(served, number=NUMBER, *, language="en") -> Browser:
    browser = shown(served, "/sign-in", language=language)
    browser.submit("/sign-in", number=number)
    return browser


def code_of(text: str) -> str:
    return re.search(r"[0-9]{6}", text)[0]


def same(body: bytes) -> bytes:
    """Return a page without what is random in each: the marks of its forms."""
    return re.sub(rb'(name="(?:csrfmiddlewaretoken|wish)" value=")[^"]*', rb"\1", body)


class TestCode:
    @pytest.mark.parametrize(("language", "said"), [("en", "sign-in code"), ("zh-CN", "登录码")])
    def test_number_code_and_name_sign_in(self, world, language, said):
        browser = asked(world, " 138-0000-0001", language=language)
        text = text_of_code()
        assert said in text.text
        assert (text.address, text.borrower_id, text.message_class) == (NUMBER, WHO, "answer")
        assert not re.search("overdue|owe|欠|逾期|借款", text.text)
        browser.submit("/sign-in/code", code=code_of(text.text), full_name="zhang wei张伟")
        assert browser.at == "/loan"
        assert LOAN[-4:] in browser.text
        assert PortalSession.objects.get().by == "code"
        assert next(recorded("session.begun")) == {"by": "code"}

    def test_a_code_is_good_once(self, world):
        browser = asked(world)
        fields = browser.form("/sign-in/code") | {
            "code": code_of(text_of_code().text), "full_name": NAME,
        }  # fmt: skip
        assert browser.post("/sign-in/code", fields, follow=False).status == 303
        other = Browser(world, cookies={"__Host-duly-form": browser.cookies["__Host-duly-form"]})
        again = shown(world, "/sign-in")
        fields["csrfmiddlewaretoken"] = again.form("/sign-in")["csrfmiddlewaretoken"]
        assert again.post("/sign-in/code", fields).status == 422
        assert COOKIE not in other.cookies

    @pytest.mark.parametrize("wrong", ["code", "full_name", "both", "wish", "number"])
    def test_whatever_is_wrong_the_answer_is_one(self, world, wrong):
        browser = asked(world, "+8613999999999" if wrong == "number" else NUMBER)
        code = "000000" if wrong == "number" else code_of(text_of_code().text)
        given = {"code": code, "full_name": NAME}
        if wrong in ("code", "both"):
            given["code"] = f"{(int(code) + 1) % 10**6:06}"
        if wrong in ("full_name", "both"):
            given["full_name"] = "Li Na"
        if wrong == "wish":
            given["wish"] = "x" * 32
        found = browser.submit("/sign-in/code", **given)
        assert found.status == 422
        assert COOKIE not in browser.cookies
        reference = asked(world, "+8613999999999").submit(
            "/sign-in/code", code="111111", full_name="A"
        )
        assert same(found.body) == same(reference.body)
        assert PortalSession.objects.count() == 0

    def test_known_and_unknown_numbers_are_answered_alike(self, world):
        found = [asked(world, one).reply for one in (NUMBER, "+8613999999999", "4420999999")]
        assert {one.status for one in found} == {200}
        assert len({same(one.body) for one in found}) == 1
        text_of_code()
        assert {one.state for one in PortalCode.objects.all()} <= {"sent", "none", "asked"}

    def test_the_store_is_asked_as_often(self, here):
        counts = []
        for number in (NUMBER, "+8613999999999"):
            with CaptureQueriesContext(
                connection,
            ) as found:
                wish = codes.ask(number, locale="en")
            codes.send_waiting(lender=api_serving.present().lender, at=AT)
            with CaptureQueriesContext(connection) as tried:
                assert codes.check(wish, "abc", NAME) is None
            counts.append((len(found), len(tried)))
        with CaptureQueriesContext(connection) as unknown:
            assert codes.check("no wish at all", "123456", NAME) is None
        assert counts[0] == counts[1]
        assert len(unknown) == counts[0][1]

    def test_five_tries_and_no_more(self, here):
        wish = codes.ask(NUMBER, locale="en")
        codes.send_waiting(lender=api_serving.present().lender, at=AT)
        code = code_of(text_of_code().text)
        for _ in range(codes.TRIES):
            assert codes.check(wish, "wrong", NAME) is None
        assert codes.check(wish, code, NAME) is None

    def test_a_code_that_is_too_old_is_none(self, here):
        wish = codes.ask(NUMBER, locale="en")
        codes.send_waiting(lender=api_serving.present().lender, at=AT)
        code = code_of(text_of_code().text)
        PortalCode.objects.update(ends_at=datetime.now(UTC) - timedelta(seconds=1))
        assert codes.check(wish, code, NAME) is None

    def test_one_number_gets_few_codes_and_the_asker_does_not_hear_it(self, world):
        pages = [same(asked(world).reply.body) for _ in range(codes.NUMBER_A_QUARTER + 2)]
        assert len(set(pages)) == 1
        text_of_code()
        for _ in range(100):
            if not PortalCode.objects.filter(state="asked"):
                break
        sent = PortalCode.objects.filter(state="sent").count()
        assert sent <= 2 * codes.NUMBER_A_QUARTER
        assert PortalCode.objects.filter(state="none").count() >= 1
        assert set(PortalCode.objects.exclude(state="asked").values_list("number", flat=True)) == {
            ""
        }

    def test_no_code_and_no_number_is_kept_or_recorded(self, here):
        wish = codes.ask(NUMBER, locale="en")
        codes.send_waiting(lender=api_serving.present().lender, at=AT)
        message = text_of_code()
        code = code_of(message.text)
        with psycopg.connect(here.url) as ours:
            kept = str(ours.execute("SELECT * FROM store_portalcode").fetchall())
            kept += str(ours.execute("SELECT * FROM store_counter").fetchall())
        assert code not in kept
        assert wish not in kept
        assert "13800000001" not in kept
        assert all(code not in str(one) for one in recorded("message.written"))

    @pytest.mark.parametrize("number", ["", "12345", "abc", "1" * 16, "１３８００００", "x" * 999])
    def test_what_is_no_number_is_said_so(self, world, number):
        browser = shown(world, "/sign-in")
        assert browser.submit("/sign-in", number=number).status == 422
        assert PortalCode.objects.count() == 0


class TestDoor:
    def claimed(self, url, at=AT):
        from duly.rules import load_packs
        from duly.service.outbox.claiming import claim
        from duly.service.outbox.identity import Identity

        identity = Identity(url)
        with psycopg.connect(url, autocommit=True) as ours:
            found = claim(ours, worker=identity.number, routes=lender().routes,
                          rules=load_packs(("decency", "cn")), at=at, batch=10)  # fmt: skip
        identity.close()
        return [one.row["template"] for one in found.claimed]

    def write(self, at=AT):
        codes.ask(NUMBER, locale="zh-CN")
        codes.send_waiting(lender=api_serving.present().lender, at=at)

    def test_several_codes_a_day_leave_beside_a_reminder_and_count_in_no_cap(self, here):
        for _ in range(2):
            self.write()
        assert self.claimed(here.url) == ["sign_in_code"] * 2
        assert Reservation.objects.count() == 2

    def test_who_was_never_planned_gets_one_too(self, here):
        with psycopg.connect(here.url, autocommit=True) as ours:
            ours.execute("DELETE FROM store_decision")
        self.write()
        assert self.claimed(here.url) == ["sign_in_code"]

    def test_at_night_none_leaves(self, here):
        night = AT.replace(hour=15)  # 23:00 in Shanghai
        self.write(night)
        assert self.claimed(here.url, night) == []
        message = Message.objects.get(template="sign_in_code")
        assert (message.state, message.reason) == ("expired", "cap_or_window")

    @pytest.mark.parametrize("kind", ["opt_out", "deceased", "cease_contact", "identity_dispute"])
    def test_who_wants_none_gets_none(self, here, kind):
        detail = {"detail": {"channel": "sms"}} if kind == "opt_out" else {}
        accept([signalled(kind, WHO, **detail)], at=AT)
        self.write()
        assert self.claimed(here.url) == []
        assert Message.objects.get(template="sign_in_code").state == "blocked"


def tell_point(world, point):
    """Tell of a contact point after the book."""
    told = {name: value for name, value in point.items() if value is not None}
    accept([event("contact_point.changed", told, time=f"2026-03-10T09:{next(_MINUTES):02}:00Z")],
           at=AT + timedelta(hours=12))  # fmt: skip


class TestHolder:
    KEY = "13800000001"

    def point(self, **given):
        return {**BOOK["contact_points"][0], **given}

    def test_the_one_person_of_a_verified_number(self, world):
        found = holder_of(self.KEY)
        assert (found.borrower_id, found.address) == (WHO, NUMBER)
        assert holder_of("13900000000") is None

    @pytest.mark.parametrize(
        "given",
        [{"verified_on": None}, {"status": "invalid"}, {"status": "wrong_person"},
         {"use": "shared"}, {"use": "work"}, {"changed_on": "2026-01-01"}],
    )  # fmt: skip
    def test_no_other_number(self, world, given):
        tell_point(world, self.point(**given))
        assert holder_of(self.KEY) is None

    def test_a_number_of_two_people_is_nobody(self, world):
        tell_point(world, self.point(borrower_id="B2", use="work"))
        assert holder_of(self.KEY) is None

    def test_a_later_word_counts(self, world):
        tell_point(world, self.point(status="wrong_person", channel="voice"))
        assert holder_of(self.KEY) is None
        tell_point(world, self.point(channel="voice"))
        assert holder_of(self.KEY).borrower_id == WHO


class TestHandOver:
    def test_one_tap_signs_in_and_the_token_is_used_up(self, world):
        token = handed()
        browser = shown(world, f"/hand-over?token={quote(token)}")
        assert browser.reply.status == 200
        assert PortalSession.objects.count() == 0
        fields = browser.form("/hand-over")
        browser.submit("/hand-over")
        assert browser.at == "/loan"
        again = shown(world, "/sign-in")
        fields["csrfmiddlewaretoken"] = again.form("/sign-in")["csrfmiddlewaretoken"]
        assert again.post("/hand-over", fields).status == 403
        assert COOKIE not in again.cookies
        assert PortalSession.objects.get().by == "hand_over"

    @pytest.mark.parametrize(
        "token",
        [lambda: handed(datetime.now(UTC) - timedelta(seconds=130)),
         lambda: handed(datetime.now(UTC) + timedelta(seconds=90)),
         lambda: handed(secret="another secret of sixteen"),
         lambda: handed()[:-3] + "abc",
         lambda: handed().replace(".Qj", ".Qk"),
         lambda: "a.b.c.d", lambda: "", lambda: "x" * 3000, lambda: handed() + "\n"],
    )  # fmt: skip
    def test_no_other_token_does(self, world, token):
        browser = shown(world, f"/hand-over?token={quote(token())}")
        assert browser.reply.status == 403
        assert PortalSession.objects.count() == 0

    def test_nobody_unknown_is_signed_in(self, world):
        browser = shown(world, f"/hand-over?token={quote(handed(who='B-none'))}")
        assert browser.submit("/hand-over").status == 403
        assert PortalSession.objects.count() == 0


class TestSession:
    def age(self, **minutes):
        for name, value in minutes.items():
            PortalSession.objects.update(
                **{f"{name}_at": datetime.now(UTC) - timedelta(minutes=value)}
            )

    def test_the_cookie_is_of_this_host_and_ends_with_the_browser(self, world):
        browser = shown(world, f"/hand-over?token={quote(handed())}")
        found = browser.submit("/hand-over", follow=False)
        (cookie,) = [one for one in found.cookies if one.startswith(f"{COOKIE}=")]
        parts = cookie.split("; ")
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(parts)
        assert not any(one.lower().startswith(("max-age", "expires", "domain")) for one in parts)
        with psycopg.connect(world.url) as ours:
            kept = str(ours.execute("SELECT * FROM store_portalsession").fetchall())
        assert browser.cookies[COOKIE] not in kept

    @pytest.mark.parametrize("path", ["/loan", "/loan/1", "/why", f"/paid?loan={LOAN}"])
    def test_nothing_of_a_debt_is_shown_before(self, world, path):
        browser = shown(world, path)
        assert browser.at == "/sign-in"
        assert not re.search(r"0001|627|600", browser.text)
        forged = shown(world, path)
        forged.cookies[COOKIE] = "x" * 43
        forged.go(path)
        assert forged.at == "/sign-in"
        assert COOKIE not in forged.cookies

    @pytest.mark.parametrize("path", ["/question", "/question/back", "/question/words", "/paid"])
    def test_nothing_is_done_before(self, world, path):
        browser = shown(world, "/sign-in")
        fields = browser.form("/sign-in") | {"loan": LOAN, "line": "total"}
        found = browser.post(path, fields, follow=False)
        assert found.status == 403
        assert "Nothing of the form was sent" in browser.text
        with psycopg.connect(world.url) as ours:
            assert ours.execute("SELECT count(*) FROM store_event").fetchone() == (0,)

    @pytest.mark.parametrize(
        "age", [{"seen": sessions.IDLE_MINUTES + 1}, {"began": sessions.WHOLE_MINUTES + 1}]
    )
    def test_it_ends_without_a_tap_and_after_half_an_hour(self, world, age):
        browser = signed_in(world)
        self.age(**{name: value - 2 for name, value in age.items()})
        browser.go("/loan")
        assert browser.at == "/loan"
        self.age(**age)
        browser.go("/loan")
        assert browser.at == "/sign-in"

    def test_the_token_changes_and_the_one_before_dies(self, world):
        browser = signed_in(world)
        before = browser.cookies[COOKIE]
        self.age(changed=TOKEN_MINUTES + 1)
        browser.go("/loan")
        after = browser.cookies[COOKIE]
        assert before != after
        browser.cookies[COOKIE] = before
        browser.go("/loan")
        assert browser.at == "/loan"  # Two pages may load at once.
        self.age(changed=1)
        browser.go("/loan")
        assert browser.at == "/sign-in"
        browser.cookies[COOKIE] = after
        browser.go("/loan")
        assert browser.at == "/loan"

    def test_signing_out_ends_it_on_the_server(self, world):
        browser = signed_in(world)
        token = browser.cookies[COOKIE]
        browser.go("/caller")
        browser.submit("/sign-out")
        assert "signed out" in browser.text
        assert COOKIE not in browser.cookies
        browser.cookies[COOKIE] = token
        browser.go("/loan")
        assert browser.at == "/sign-in"
        assert [one["why"] for one in recorded("session.ended")][:1] == ["out"]

    def test_a_new_session_has_a_new_token_and_ends_the_old_one(self, world):
        browser = signed_in(world)
        first = browser.cookies[COOKIE]
        browser.go(f"/hand-over?token={quote(handed())}")
        browser.submit("/hand-over")
        assert browser.cookies[COOKIE] != first
        assert PortalSession.objects.filter(ended_at=None).count() == 1

    def test_a_form_from_elsewhere_signs_nobody_out(self, world):
        browser = signed_in(world)
        assert browser.post("/sign-out", {}).status == 403
        assert PortalSession.objects.filter(ended_at=None).count() == 1

    def test_a_person_whose_data_are_deleted_is_nowhere_signed_in(
        self, world, write_book, tmp_path
    ):
        browser = signed_in(world)
        letters = SpooledLetters(lender())
        with letters, transaction.atomic():
            destroy([WHO], by="Li", because="asked", under="CN-PI-7", at=AT, spooled=letters)
        assert PortalSession.objects.count() == 0
        browser.go("/loan")
        assert browser.at == "/sign-in"
        tell(world, write_book, tmp_path)


def test_a_lender_without_a_route_for_answers_says_how_else(world):
    from dataclasses import replace

    from known_books import LENDER

    assert texting.can_text(LENDER)
    assert not texting.can_text(replace(LENDER, routes=LENDER.routes[2:4]))
