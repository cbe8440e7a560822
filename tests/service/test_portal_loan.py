"""Goal: each figure on the page is that of `duly explain`, and one tap stops reminders, truly.

Method: a running server and its store; the page beside the trace; taps, again, forged, hostile.
"""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import psycopg
import pytest
from browsing import shown
from known_books import LENDER
from outgoing import AT
from portal_world import (
    BOOK,
    CODE,
    LAST4,
    LOAN,
    NUMBER,
    WHO,
    begin,
    emptied,
    recorded,
    signed_in,
    tell,
)
from telling_events import signalled

from duly.core.errors import Refused
from duly.messages.values import money_text
from duly.service.operations.deriving import derived
from duly.service.operations.events import accept
from duly.service.operations.positions import position_of
from duly.service.portal import papers
from duly.service.store.models import Message, PortalPaper, PortalSession, Task

OTHER = "L-OTHER"
PDF, PNG, JPEG = b"%PDF-1.7 x", b"\x89PNG\r\n\x1a\nx", b"\xff\xd8\xffx"


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    """Give the server with the book; B2 has another loan, B3 two."""
    others = {OTHER: "B2", "L-31": "B3", "L-32": "B3"}
    yield tell(
        served, write_book, tmp_path_factory.mktemp("book"),
        borrowers=[*BOOK["borrowers"], {"borrower_id": "B2"}, {"borrower_id": "B3"}],
        contact_points=[*BOOK["contact_points"],
                        {"borrower_id": "B2", "address": "+8613800000002"},
                        {"borrower_id": "B3", "address": "+8613800000003"}],
        loans=[*BOOK["loans"],
               *({"loan_id": loan, "borrower_id": who} for loan, who in others.items())],
        installments=[*BOOK["installments"],
                      *({"loan_id": loan, "number": "1", "due_on": "2026-03-01"}
                        for loan in others)],
    )  # fmt: skip
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    return begin(facts, WHO, "B2", "B3")


def words(url):
    with psycopg.connect(url) as ours:
        return ours.execute(
            "SELECT key, data->>'kind', data->>'loan_id', data->>'detail' FROM store_word"
            " WHERE kind = 'signal' ORDER BY time, key"
        ).fetchall()


def waiting():
    return Message.objects.get(message_id="m-waits").state


def figures(text: str) -> set[str]:
    return set(re.findall(r"[0-9][0-9,]*\.[0-9]{2}(?![0-9%])", text))


class TestFigures:
    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_each_is_that_of_the_trace(self, world, language):
        browser = signed_in(world, language=language)
        browser.go("/loan")
        text = browser.text
        (loan,) = derived(WHO, lender=LENDER, at=AT, clock=AT).loans
        traced = loan.trace

        def told(minor: int) -> str:
            return money_text(minor, "CNY", language)

        position = traced.position
        assert told(position["overdue_total"]) in browser.page.all("p", class_="total")[0].text
        for name in ("overdue_principal", "overdue_interest", "overdue_fee", "late_charge"):
            if position[name]:
                assert told(position[name]) in text
        for one in traced.installments:
            left = one.unpaid_total + one.late_charge_accrued - one.late_charge_paid
            assert told(left) in text
            for part in one.segments:
                term = {"en": f"× 0.05% × {part.days} day", "zh-CN": f"× 0.05% × {part.days} 天"}
                assert told(part.base) + " " + term[language] in text
        for pay in traced.payments:
            assert told(pay.amount) in text
            assert all(told(part.amount) in text for part in pay.applied)
        # No figure stands on the page that the trace does not have.
        mine = {told(v) for v in self.every(traced, loan)}
        assert figures(text) <= figures(" ".join(mine)), figures(text) - figures(" ".join(mine))

    def every(self, traced, loan):
        yield loan.principal
        yield from (v for v in traced.position.values() if isinstance(v, int))
        for one in traced.installments:
            yield from (
                one.principal,
                one.interest,
                one.fee,
                one.paid_principal,
                one.paid_interest,
                one.paid_fee,
                one.late_charge_accrued,
                one.late_charge_paid,
                one.unpaid_total + one.late_charge_accrued - one.late_charge_paid,
            )
            yield from (part.base for part in one.segments)
        for pay in traced.payments:
            yield from (pay.amount, pay.left, *(part.amount for part in pay.applied))

    def test_they_are_what_the_kernel_says(self, world):
        (loan,) = derived(WHO, lender=LENDER, at=AT, clock=AT).loans
        told = position_of(LOAN, lender=LENDER, at=AT)
        assert {name: loan.trace.position[name] for name in told} == told

    def test_a_payment_shows_at_once(self, world):
        browser = signed_in(world)
        browser.go("/loan")
        before = browser.page.all("p", class_="total")[0].text
        accept([{"specversion": "1.0", "id": "p-9", "source": "/core", "type": "payment.posted",
                 "time": AT.isoformat(),
                 "data": {"payment_id": "P-9", "loan_id": LOAN, "paid_on": "2026-03-10",
                          "amount": "100.00"}}], at=AT)  # fmt: skip
        browser.go("/loan")
        assert browser.page.all("p", class_="total")[0].text != before
        assert "Paid on Mar 10" in browser.text

    def test_nobody_sees_another_persons_loan(self, world):
        browser = signed_in(world)
        for path in ("/loan/2", "/loan/0", "/loan/99999999999999999999", f"/paid?loan={OTHER}"):
            assert browser.go(path).status == 404, path
        browser.go("/loan")
        fields = browser.form("/question") | {"loan": OTHER, "line": "total"}
        assert browser.post("/question", fields).status == 404
        assert words(world.url) == []

    def test_several_loans_are_listed(self, world):
        browser = signed_in(world, "B3")
        browser.go("/loan")
        titles = [one.text for one in browser.page.all("h2")]
        assert titles[:2] == ["Loan ending *31", "Loan ending *32"]
        assert browser.go("/loan/2").status == 200
        browser.submit("/question", line="total")
        assert "Reminders about your other loans" in browser.text
        browser.go("/loan/1")
        assert "are paused" not in browser.text


class TestQuestion:
    def test_one_tap_is_a_dispute_and_cancels_what_waits(self, world):
        browser = signed_in(world)
        browser.go("/loan")
        assert "Reminders about this loan are paused" not in browser.text
        browser.submit("/question", line="charge:1")
        ((name, kind, loan, detail),) = words(world.url)
        assert (kind, loan) == ("dispute", LOAN)
        assert '"line": "charge:1"' in detail
        assert waiting() == "cancelled"
        assert Message.objects.get(message_id="m-waits").reason == "dispute"
        (task,) = Task.objects.all()
        assert (task.kind, task.borrower_id, task.loan_id) == ("answer_dispute", WHO, LOAN)
        assert "Reminders about this loan are paused" in browser.text
        # Fifteen days, and no reminder before somebody answered.
        assert "We answer by Mar 25. Until somebody has answered, no reminder comes" in browser.text
        for one in ("late charge of the contract", "automatic debit", "credit bureau",
                    "has left already"):  # fmt: skip
            assert one in browser.text
        assert name.startswith("portal-")

    def test_the_same_tap_twice_is_one(self, world):
        browser = signed_in(world)
        for _ in range(2):
            browser.go("/loan")
            assert browser.submit("/question", line="total").status == 200
            assert "are paused" in browser.text
        assert len(words(world.url)) == 1
        assert Task.objects.count() == 1

    def test_a_slip_is_taken_back_and_a_second_thought_counts_again(self, world):
        browser = signed_in(world)
        browser.go("/loan")
        browser.submit("/question", line="total")
        browser.submit("/question/back")
        assert "taken back" in browser.text
        assert "are paused" not in browser.text
        browser.go("/loan")
        browser.submit("/question", line="total")
        assert "are paused" in browser.text
        assert len(words(world.url)) == 2

    def test_nobody_takes_back_what_another_raised(self, world):
        told = signalled("dispute", WHO, loan_id=LOAN, signal_id="staff-1")
        accept([told], at=AT)
        browser = signed_in(world)
        browser.go("/loan")
        assert "are paused" in browser.text
        assert not any("back" in one.attributes["action"] for one, _ in browser.page.forms)
        fields = browser.form("/question") | {"signal": "staff-1"}
        assert browser.post("/question/back", fields).status == 404
        browser.go("/loan")
        assert "are paused" in browser.text

    def test_a_sentence_is_sealed_under_the_persons_key(self, world):
        browser = signed_in(world)
        browser.go("/loan")
        browser.submit("/question", line="due:2")
        browser.submit("/question/words", words="I agreed on 9.00 \x00<b>only</b>\r\nsorry")
        assert "Your sentence arrived" in browser.text
        ((name, *_),) = words(world.url)
        (kept,) = papers.handed_in(WHO, name)
        assert kept.data.decode() == "I agreed on 9.00 <b>only</b>\nsorry"
        assert b"agreed" not in bytes(PortalPaper.objects.get().ciphertext)

    @pytest.mark.parametrize(
        ("kind", "detail", "starts", "paused"),
        [("payment_pending", {}, "2026-03-08", True), ("payment_pending", {}, "2026-03-06", False),
         ("promise", {"on": "2026-03-09", "amount": "1.00"}, "2026-03-08", True),
         ("promise", {"on": "2026-03-08", "amount": "1.00"}, "2026-03-08", False),
         ("plan", {}, "2026-03-01", True), ("complaint", {}, "2026-01-01", True),
         ("dispute", {}, "2026-01-01", True)],
    )  # fmt: skip
    def test_it_says_paused_only_while_it_is(self, world, kind, detail, starts, paused):
        told = signalled(kind, WHO, loan_id=LOAN, detail=detail,
                         starts_at=f"{starts}T09:00:00+08:00")  # fmt: skip
        accept([told], at=AT)
        browser = signed_in(world)
        browser.go("/loan")
        assert ("are paused" in browser.text) is paused
        # A day that is over is promised to nobody.
        assert "We answer by" not in browser.text
        assert ("Until somebody has answered" in browser.text) is (kind == "dispute")

    @pytest.mark.parametrize(
        "line", ["", "due:99", "charge:x", "payment:none", "x" * 999, "total\x00", "'--", "terms:1"]
    )
    def test_a_line_that_is_not_there_is_none(self, world, line):
        browser = signed_in(world)
        browser.go("/loan")
        assert browser.submit("/question", line=line).status == 404
        assert words(world.url) == []
        assert waiting() == "planned"

    def test_a_form_from_elsewhere_does_nothing(self, world):
        browser = signed_in(world)
        browser.go("/loan")
        fields = browser.form("/question") | {"line": "total", "csrfmiddlewaretoken": "a" * 64}
        assert browser.post("/question", fields).status == 403
        browser.go("/loan")
        fields = browser.form("/question") | {"line": "total"}
        assert browser.post("/question", fields, Origin="https://evil.example").status == 403
        assert words(world.url) == []

    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_what_may_not_be_named_is_not(self, world, language):
        accept([signalled("abnormal_transaction", WHO, detail={"kind": "other"}),
                signalled("fraud_claim", WHO, loan_id=LOAN)], at=AT)  # fmt: skip
        browser = signed_in(world, language=language)
        for path in ("/loan", "/why"):
            browser.go(path)
            assert not re.search("abnormal|fraud_claim|unusual|异常", browser.text)


def multipart(fields, name="", data=b"", kind="image/png"):
    parts = [f'--bb\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode()
             for k, v in fields.items()]  # fmt: skip
    if name:
        parts.append(
            f'--bb\r\nContent-Disposition: form-data; name="paper"; filename="{name}"\r\n'
            f"Content-Type: {kind}\r\n\r\n".encode()
            + data
            + b"\r\n"
        )
    return b"".join(parts) + b"--bb--\r\n"


class TestPaid:
    def send(self, browser, *, name="", data=b"", **given):
        browser.go(f"/paid?loan={quote(LOAN)}")
        fields = browser.form("/paid") | {"on": "2026-03-09", "amount": "627.00", "words": ""}
        return browser.go("/paid", method="POST", body=multipart(fields | given, name, data),
                          kind="multipart/form-data; boundary=bb")  # fmt: skip

    @pytest.mark.parametrize("data", [PDF, PNG, JPEG])
    def test_day_amount_and_proof_pause_at_once(self, world, data):
        browser = signed_in(world)
        found = self.send(browser, name="../../x.exe", data=data, words="by bank")
        assert found.status == 200, browser.text
        ((name, kind, loan, detail),) = words(world.url)
        assert (kind, loan) == ("payment_pending", LOAN)
        assert '"amount": "627.00"' in detail
        assert '"on": "2026-03-09"' in detail
        assert (waiting(), Task.objects.get().kind) == ("cancelled", "match_payment")
        assert "We look for the money until Mar 13" in browser.text
        assert [one.data for one in papers.handed_in(WHO, name)] == [b"by bank", data]
        kept = [bytes(one.ciphertext) for one in PortalPaper.objects.all()]
        assert not any(data in one or b"by bank" in one for one in kept)

    def test_a_switch_of_the_language_keeps_the_loan(self, world):
        browser = signed_in(world)
        browser.go(f"/paid?loan={quote(LOAN)}")
        assert self.send(browser, amount="0").status == 422
        browser.go(browser.page.one("a", hreflang="zh-CN").attributes["href"])
        assert browser.reply.status == 200
        assert "尾号 0001" in browser.text

    @pytest.mark.parametrize(
        ("given", "wrong"),
        [({"on": "2026-03-11"}, "on"), ({"on": "2020-01-01"}, "on"), ({"on": "soon"}, "on"),
         ({"amount": "0"}, "amount"), ({"amount": "-5"}, "amount"), ({"amount": "1e9"}, "amount"),
         ({"amount": "1.234"}, "amount"), ({"amount": "9" * 30}, "amount"),
         ({"amount": "NaN"}, "amount")],
    )  # fmt: skip
    def test_what_cannot_be_is_said_beside_its_field(self, world, given, wrong):
        browser = signed_in(world)
        assert self.send(browser, **given).status == 422
        assert browser.page.one("input", name=wrong).attributes["aria-invalid"] == "true"
        assert words(world.url) == []
        assert waiting() == "planned"

    @pytest.mark.parametrize(
        "data", [b"MZ\x90 program", b"<svg onload=alert(1)>", b"GIF89a", PDF[:4], b"\x00" * 20]
    )
    def test_a_file_is_known_by_its_content(self, world, data):
        browser = signed_in(world)
        assert self.send(browser, name="receipt.pdf", data=data).status == 422
        assert (words(world.url), PortalPaper.objects.count()) == ([], 0)

    def test_a_file_too_large_is_refused(self, world):
        browser = signed_in(world)
        big = PDF + b"x" * papers.BYTES_MAX
        assert self.send(browser, name="big.pdf", data=big).status == 422
        browser.go(f"/paid?loan={quote(LOAN)}")
        found = browser.go("/paid", method="POST", body=b"--bb", Content_Length=str(6 << 20),
                           kind="multipart/form-data; boundary=bb")  # fmt: skip
        assert found.status == 413
        assert words(world.url) == []

    def test_a_person_looks_at_them_by_the_task_and_it_is_recorded(self, world):
        browser = signed_in(world)
        self.send(browser, name="a.png", data=PNG, words="by bank")
        task = Task.objects.get()
        found = papers.of_task(task.pk, by="Li Lei")
        assert [(one.ending, one.data) for one in found] == [("txt", b"by bank"), ("png", PNG)]
        assert next(recorded("task.papers_seen")) == {"by": "Li Lei", "papers": 2}
        for number, by in ((task.pk, " "), (task.pk + 1, "Li Lei")):
            with pytest.raises(Refused):
                papers.of_task(number, by=by)
        assert len(list(recorded("task.papers_seen"))) == 1
        Task.objects.update(loan_id="L-31")
        assert papers.of_task(task.pk, by="Li Lei") == []

    def test_a_paper_is_erased_with_the_person(self, world):
        from django.db import connection, transaction

        from duly.service.privacy.erasing import DELETED

        browser = signed_in(world)
        self.send(browser, name="a.png", data=PNG)
        assert PortalPaper.objects.count() == 1
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM store_portalpaper WHERE {DELETED['store_portalpaper']}",
                {"people": [WHO]},
            )
        assert PortalPaper.objects.count() == 0


class TestNotMe:
    def test_the_number_is_left_in_peace_at_once_and_nobody_stays_signed_in(self, world):
        inside = signed_in(world)
        browser = shown(world, "/not-me")
        browser.submit("/not-me", code=CODE, last4=LAST4)
        assert browser.reply.status == 200
        assert "From now on this number gets no message and no call" in browser.text
        assert waiting() == "cancelled"
        assert [one[1] for one in words(world.url)] == ["identity_dispute"]
        with psycopg.connect(world.url) as ours:
            points = ours.execute(
                "SELECT data->>'channel', data->>'status' FROM store_word"
                " WHERE kind = 'contact_point' ORDER BY 1"
            ).fetchall()
        assert points == [("sms", "wrong_person"), ("voice", "wrong_person")]
        assert Task.objects.get().kind == "find_right_person"
        inside.go("/loan")
        assert inside.at == "/sign-in"
        assert PortalSession.objects.filter(ended_at=None).count() == 0
        assert NUMBER not in browser.text

    def test_unknown_code_and_wrong_number_are_one_answer_and_do_nothing(self, world):
        found = []
        for code, last4 in ((CODE, "9999"), ("ZZZZ2222", LAST4)):
            browser = shown(world, "/not-me")
            found.append(browser.submit("/not-me", code=code, last4=last4))
        assert (found[0].status, found[0].body) == (found[1].status, found[1].body)
        assert words(world.url) == []
        assert waiting() == "planned"

    def test_twice_is_once(self, world):
        for _ in range(2):
            found = shown(world, "/not-me").submit("/not-me", code=CODE, last4=LAST4)
            assert found.status == 200
        assert len(words(world.url)) == 1
        assert Task.objects.count() == 1

    def test_of_a_number_of_two_people_only_the_number_is_in_doubt(self, world):
        accept(
            [
                {
                    "specversion": "1.0",
                    "id": "c-9",
                    "source": "/core",
                    "type": "contact_point.changed",
                    "time": (AT - timedelta(hours=1)).isoformat(),
                    "data": {"borrower_id": "B2", "channel": "sms", "address": NUMBER},
                }
            ],
            at=AT,
        )
        shown(world, "/not-me").submit("/not-me", code=CODE, last4=LAST4)
        assert words(world.url) == []
        assert waiting() == "cancelled"


class TestWhy:
    @pytest.mark.parametrize(
        ("language", "said"),
        [("en", ["An installment was due, no money had arrived, and no arrangement",
                 "CNY 627.00 were due, 23 days past the due date", "Check code 3P773SGS",
                 "Questioning a line", "Texts leave only from 08:30 until 21:00"]),
         ("zh-CN", ["有一期到期了还没收到钱", "当时应还 627.00元，已过到期日 23 天",
                    "核验码 3P773SGS", "哪一行有疑问", "借款人当地时间 08:30 至 21:00"])],
    )  # fmt: skip
    def test_each_message_says_why_and_what_would_stop_it(self, world, language, said):
        browser = signed_in(world, language=language)
        browser.go("/why")
        for one in said:
            assert one in browser.text
        assert "m-waits" not in browser.text
        assert "ABCD2345" not in browser.text

    def test_it_says_that_reminders_are_paused(self, world):
        browser = signed_in(world)
        browser.go("/loan")
        browser.submit("/question", line="total")
        browser.go("/why")
        assert "Reminders are paused now" in browser.text

    def test_a_code_to_sign_in_with_is_told_and_shows_no_check_code(self, world):
        Message.objects.filter(message_id="m00000").update(template="sign_in_code")
        browser = signed_in(world)
        browser.go("/why")
        assert "Somebody asked for a sign-in code" in browser.text
        assert CODE not in browser.text

    def test_of_another_person_nothing_is_said(self, world):
        browser = signed_in(world, "B2")
        browser.go("/why")
        assert "Nothing was sent to you" in browser.text
        assert CODE not in browser.text


class TestCaller:
    def test_the_word_of_the_day_is_one_persons_and_one_days(self, world):
        word = re.compile(r"[0-9]{3} [0-9]{3}")
        browser = signed_in(world)
        browser.go("/caller")
        mine = word.search(browser.text)[0]
        other = signed_in(world, "B2")
        other.go("/caller")
        assert word.search(other.text)[0] != mine
        anybody = shown(world, "/caller")
        assert not word.search(anybody.text)
        assert "Sign in to see" in anybody.text

    def test_who_calls_reads_it_beside_the_task(self, world):
        browser = signed_in(world)
        browser.go("/loan")
        browser.submit("/question", line="total")
        browser.go("/caller")
        (task,) = world.get("/api/v1/tasks").json["items"]
        assert task["caller_word"] in browser.text
