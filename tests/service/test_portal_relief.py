"""Goal: relief is agreed as it was shown, once, by who may, and nothing is written on the way.

Method: a running server and its store; a borrower who answers, reads, confirms, taps twice, comes
too early, asks about another's loan; the figures beside those of `duly.care` and of the position.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from browsing import Browser, shown
from known_books import LENDER
from outgoing import AT
from portal_world import BOOK, LOAN, WHO, begin, emptied, recorded, signed_in, tell
from relief_world import answered, opened, read
from telling_events import paid as payment_event
from telling_events import signalled

from duly.care import Budget, Wish
from duly.core.money import major
from duly.messages.values import money_text
from duly.service.operations.deriving import derived
from duly.service.operations.events import accept
from duly.service.portal import drafts, offering, papers
from duly.service.portal.receipts import receipts_of
from duly.service.store.models import (
    Endpoint,
    Message,
    OutgoingEvent,
    PortalDraft,
    PortalPaper,
    Task,
)

OTHER = "L-OTHER"
PLANS = "SELECT data::text FROM store_word WHERE kind = 'signal' AND data->>'kind' = %s"


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    """Give the server with the book; B2 has another loan, of one month."""
    yield tell(
        served, write_book, tmp_path_factory.mktemp("book"),
        borrowers=[*BOOK["borrowers"], {"borrower_id": "B2"}, {"borrower_id": "B3"}],
        contact_points=[*BOOK["contact_points"],
                        {"borrower_id": "B2", "address": "+8613800000002"},
                        {"borrower_id": "B3", "address": "+8613800000003"}],
        loans=[*({**one, "disbursed_on": "2025-10-15"} for one in BOOK["loans"]),
               {"loan_id": OTHER, "borrower_id": "B2", "disbursed_on": "2026-02-01"},
               *({"loan_id": one, "borrower_id": "B3", "disbursed_on": "2025-03-01"}
                 for one in ("L-31", "L-32"))],
        installments=[*BOOK["installments"],
                      {"loan_id": OTHER, "number": "1", "due_on": "2026-03-01"},
                      *({"loan_id": one, "number": "1", "due_on": "2026-03-01",
                         "principal": "300.00", "interest": "0"} for one in ("L-31", "L-32"))],
    )  # fmt: skip
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    return begin(facts, WHO, "B2", "B3")


def told(url, kind):
    import json

    with psycopg.connect(url) as ours:
        return [json.loads(row[0]) for row in ours.execute(PLANS, [kind]).fetchall()]


def waiting():
    return Message.objects.get(message_id="m-waits").state


def offers(world, who=WHO, loan=LOAN, *, left=40_000, kind="installments"):
    """Return how the loan stands, and the offers under their names."""
    found = derived(who, lender=LENDER, at=AT, clock=AT)
    receipt = next(one for one in receipts_of(found) if one.loan_id == loan)
    standing = offering.standing_of(found, receipt, lender=LENDER)
    budget = Budget(income=500_000, essentials=500_000 - left, other_loans=0)
    made = offering.offers_of(standing, budget, Wish(kind=kind, pay_day=20), lender=LENDER, at=AT)
    return standing, {offering.name_of(standing, one): one for one in made.offers}


class TestAgree:
    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_what_was_shown_is_what_is_written(self, world, language):
        Endpoint.objects.create(name="crm", url="https://crm.example", types=["plan.agreed"],
                                secret=b"x")  # fmt: skip
        browser = opened(answered(world, language=language, words="I was ill in January"))
        _, named = offers(world)
        (offer,) = named.values()
        for row in offer.amounts:
            assert money_text(row.amount, "CNY", language) in browser.text
        assert money_text(offer.total, "CNY", language) in browser.text
        read()
        browser.submit("/relief/agree", confirm="yes")
        assert browser.at == "/agreed"
        (said,) = told(world.url, "plan")
        assert (said["loan_id"], said["ends_at"]) == (LOAN, None)
        assert [(one["number"], one["due_on"], one["amount"]) for one in said["agreed"]] == [
            (str(row.number), row.due_on.isoformat(), major(row.amount, "CNY"))
            for row in offer.amounts
        ]
        # The new schedule is what is owed from now on, to the last fen.
        found = derived(WHO, lender=LENDER, at=AT, clock=AT)
        position = found.loans[0].trace.position
        assert sum(row.amount for row in offer.amounts) == position["outstanding_total"]
        assert position["outstanding_total"] == offer.total
        assert found.plans[0].holds(AT + timedelta(hours=1))
        assert (waiting(), Message.objects.get(message_id="m-waits").reason) == (
            "cancelled", "plan",
        )  # fmt: skip
        (event,) = OutgoingEvent.objects.all()
        assert (event.type, event.data["payments"], event.data["accrual"]) == (
            "plan.agreed", len(offer.amounts), "stops",
        )  # fmt: skip
        assert Task.objects.count() == 0
        assert PortalDraft.objects.count() == 0
        kept = papers.handed_in(WHO, said["signal_id"])
        assert [one.data.decode().splitlines()[-1] for one in kept] == [
            "other loans: 0.00 CNY", "I was ill in January",
        ]  # fmt: skip
        assert not any(b"ill" in bytes(one.ciphertext) for one in PortalPaper.objects.all())
        record = next(recorded("signal.agreed"))
        assert (record["kind"], record["seconds_shown"] >= 60) == ("installments", True)
        assert "reading_time" in record["parts"]

    def test_the_pages_say_truly_what_stops(self, world):
        browser = opened(answered(world))
        read()
        browser.submit("/relief/agree", confirm="yes")
        assert "No late charge is added while the arrangement is kept" in browser.text
        browser.go("/loan")
        assert "Reminders about this loan are paused" in browser.text
        assert "An arrangement was agreed on Mar 10" in browser.text
        assert "The late charge of the contract. If we were wrong" not in browser.text
        # What comes in fills the amounts in their order.
        accept([payment_event(LOAN, payment_id="P-9")], at=AT)
        browser.go(f"/agreed?loan={LOAN}")
        assert "CNY 500.00 received" in browser.text

    def test_the_agreement_is_a_document(self, world):
        from pypdf import PdfReader

        browser = opened(answered(world))
        _, named = offers(world)
        (offer,) = named.values()
        read()
        browser.submit("/relief/agree", confirm="yes")
        found = [browser.go(f"/agreed/pdf?loan={LOAN}&lang={one}") for one in ("en", "en", "zh-CN")]
        assert found[0].headers["content-type"] == "application/pdf"
        assert found[0].body == found[1].body
        text = " ".join(PdfReader(io.BytesIO(found[0].body)).pages[0].extract_text().split())
        assert money_text(offer.total, "CNY", "en") in text
        assert "Mar 20, 2026" in text
        chinese = "".join(PdfReader(io.BytesIO(found[2].body)).pages[0].extract_text().split())
        assert money_text(offer.total, "CNY", "zh-CN") in chinese
        assert "2026年3月20日" in chinese

    def test_two_taps_are_one_agreement(self, world):
        browser = opened(answered(world))
        read()
        fields = browser.form("/relief/agree") | {"confirm": "yes"}
        for _ in range(2):
            browser.post("/relief/agree", fields)
            assert browser.at == "/agreed"
        assert len(told(world.url, "plan")) == 1
        assert len(list(recorded("signal.agreed"))) == 1

    def test_taps_at_the_same_time_are_one_agreement(self, world):
        browser = opened(answered(world))
        read()
        fields = browser.form("/relief/agree") | {"confirm": "yes"}
        hands = [Browser(world, cookies=dict(browser.cookies)) for _ in range(4)]
        with ThreadPoolExecutor(len(hands)) as pool:
            found = list(pool.map(lambda one: one.post("/relief/agree", fields).status, hands))
        assert found == [200] * len(hands)
        assert {one.at for one in hands} == {"/agreed"}
        assert len(told(world.url, "plan")) == 1
        assert len(list(recorded("signal.agreed"))) == 1

    def test_a_pause_has_an_end_and_a_person(self, world):
        browser = answered(world, essentials="5000")
        assert "decided by a person here" not in browser.text
        opened(browser)
        read()
        browser.submit("/relief/agree", confirm="yes")
        (said,) = told(world.url, "plan")
        assert (said["ends_at"][:19], "agreed" in said) == ("2026-06-09T16:00:00", False)
        assert Task.objects.get().kind == "offer_relief"
        assert "It holds until before Jun 10" in browser.text

    def test_without_reading_or_a_tick_nothing_is_agreed(self, world):
        browser = opened(answered(world))
        early = browser.submit("/relief/agree", confirm="yes")
        assert (early.status, "Please read on" in browser.text) == (422, True)
        read()
        assert browser.submit("/relief/agree").status == 422
        assert "Please tick" in browser.text
        assert (told(world.url, "plan"), waiting()) == ([], "planned")
        assert PortalDraft.objects.count() == 1

    def test_who_never_saw_the_sheet_is_led_to_it(self, world):
        browser = answered(world)
        _, named = offers(world)
        mark = browser.form("/relief/person") | {"offer": next(iter(named)), "confirm": "yes"}
        browser.post("/relief/agree", mark)
        assert browser.at == "/relief/sheet"
        assert told(world.url, "plan") == []

    def test_facts_that_changed_are_worked_out_again(self, world):
        browser = opened(answered(world))
        read()
        fields = browser.form("/relief/agree") | {"confirm": "yes"}
        accept([payment_event(LOAN, payment_id="P-9")], at=AT)
        browser.post("/relief/agree", fields)
        assert browser.at == "/relief/offers"
        assert "have just changed" in browser.text
        assert told(world.url, "plan") == []

    def test_an_offer_that_nobody_made_is_none(self, world):
        browser = opened(answered(world))
        read()
        fields = browser.form("/relief/agree") | {"confirm": "yes"}
        for name in ("", "0" * 16, "x" * 999, "'--"):
            browser.post("/relief/agree", fields | {"offer": name})
            assert browser.at == "/relief/offers"
        assert told(world.url, "plan") == []


class TestQuestions:
    @pytest.mark.parametrize(
        ("step", "name", "value"),
        [(1, "wish", ""), (1, "wish", "everything"), (2, "income", ""), (2, "income", "-1"),
         (2, "income", "1e9"), (2, "income", "9" * 30), (3, "essentials", "much"),
         (4, "loans", "1.234"), (5, "day", "0"), (5, "day", "29"), (5, "day", "x"),
         (5, "day", "٣")],
    )  # fmt: skip
    def test_what_cannot_be_is_said_beside_its_field(self, world, step, name, value):
        browser = signed_in(world)
        browser.go(f"/relief/ask/{step}?loan={LOAN}")
        assert browser.submit(f"/relief/ask/{step}", **{name: value}).status == 422
        assert 'id="wrong"' in browser.reply.body.decode()
        assert PortalDraft.objects.count() == 0

    def test_a_draft_is_sealed_kept_and_forgotten(self, world):
        browser = signed_in(world)
        browser.go(f"/relief/ask/2?loan={LOAN}")
        browser.submit("/relief/ask/2", income="４，３２１元")
        assert b"4321" not in bytes(PortalDraft.objects.get().ciphertext)
        other = signed_in(world)
        other.go(f"/relief/ask/2?loan={LOAN}")
        assert other.form("/relief/ask/2")["income"] == "4321.00"
        other.go(f"/relief?loan={LOAN}")
        other.submit("/relief/forget")
        assert PortalDraft.objects.count() == 0

    def test_a_draft_that_is_a_month_old_counts_no_more(self, world):
        drafts.save(WHO, LOAN, {"income": "1"})
        with psycopg.connect(world.url, autocommit=True) as ours:
            ours.execute("UPDATE store_portaldraft SET at = now() - interval '30 days 1 second'")
        assert drafts.load(WHO, LOAN) == {}
        drafts.save(WHO, OTHER, {})
        assert PortalDraft.objects.count() == 1

    def test_a_draft_is_erased_with_the_person(self, world):
        from django.db import connection, transaction

        from duly.service.privacy.erasing import DELETED

        drafts.save(WHO, LOAN, {"income": "1"})
        drafts.save("B2", OTHER, {"income": "1"})
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM store_portaldraft WHERE {DELETED['store_portaldraft']}",
                {"people": [WHO]},
            )
        assert [one.borrower_id for one in PortalDraft.objects.all()] == ["B2"]

    def test_a_switch_of_the_language_keeps_the_question(self, world):
        browser = signed_in(world)
        browser.go(f"/relief/ask/3?loan={LOAN}")
        browser.go(browser.page.one("a", hreflang="zh-CN").attributes["href"])
        assert "第 3 个问题，共 6 个" in browser.text

    @pytest.mark.parametrize("words", ["I do not want to live any more", "我不想活了"])
    def test_somebody_in_need_comes_first(self, world, words):
        language = "en" if words.isascii() else "zh-CN"
        browser = answered(world, language=language, words=words)
        assert browser.at == "/relief/care"
        tasks = Task.objects.order_by("priority", "id")
        assert tasks[0].kind == "care_now"
        assert {(one.borrower_id, one.loan_id) for one in tasks} == {(WHO, LOAN)}
        (said,) = told(world.url, "hardship")
        assert [one.data.decode() for one in papers.handed_in(WHO, said["signal_id"])] == [words]
        assert waiting() == "cancelled"
        assert "95xxx" in browser.text
        # The same words again are one signal and one task.
        browser.go(f"/relief/ask/6?loan={LOAN}")
        browser.submit("/relief/ask/6", words=words)
        assert len(told(world.url, "hardship")) == 1
        assert Task.objects.filter(kind="care_now").count() == 1


class TestAnothers:
    """An arrangement that another system told us of."""

    @pytest.mark.parametrize("detail", [{}, {"relief": "<b>", "owed": "much", "waived": "-1"}])
    @pytest.mark.parametrize("rows", [None, [{"number": 1, "due_on": "2026-04-01",
                                             "amount": "206.10"}]])  # fmt: skip
    def test_its_pages_say_what_is_known(self, world, detail, rows):
        more = {} if rows is None else {"agreed": rows}
        accept([signalled("plan", WHO, loan_id=LOAN, detail=detail,
                          starts_at="2026-03-09T09:00:00+08:00", **more)], at=AT)  # fmt: skip
        browser = signed_in(world)
        browser.go(f"/relief?loan={LOAN}")
        assert browser.at == "/agreed"
        assert "The late charge of the contract goes on" in browser.text
        assert ("CNY 206.10" in browser.text) is (rows is not None)
        assert browser.go(f"/agreed/pdf?loan={LOAN}").body.startswith(b"%PDF")

    def test_one_about_all_loans_is_left_to_a_person(self, world):
        accept([signalled("plan", WHO, starts_at="2026-03-09T09:00:00+08:00")], at=AT)
        browser = signed_in(world)
        browser.go(f"/relief?loan={LOAN}")
        assert "a person has to look at it" in browser.text


class TestSeveralLoans:
    def test_a_budget_is_not_spent_twice(self, world):
        given = {"essentials": "4690", "wish": "any"}
        browser = answered(world, "B3", "L-31", **given)
        # Of the 310.00 that are left, 300.00 are those of the other loan.
        assert "Your other loans with us are counted as we know them" in browser.text
        assert "CNY 10.00" in browser.text
        assert "2 smaller payments" not in browser.text
        drafts.drop("B3", "L-31")
        browser = answered(world, "B3", "L-31", **(given | {"essentials": "4540"}))
        opened(browser)
        read(who="B3", loan="L-31")
        browser.submit("/relief/agree", confirm="yes")
        assert browser.at == "/agreed"
        # From now on the arrangement counts: 150.00, no longer 300.00.
        (agreed,) = told(world.url, "plan")
        largest = max(one["amount"] for one in agreed["agreed"])
        browser = answered(world, "B3", "L-32", **given)
        assert f"Other loans− CNY {largest}" in browser.text


class TestNoOffer:
    def test_is_said_with_its_reasons_and_goes_to_a_person(self, world):
        browser = answered(world, "B2", OTHER, essentials="5000", words="no work since May")
        assert browser.at == "/relief/offers"
        for one in ("None of these ways fits", "more than your budget has left",
                    "a rule of law limits", "A person has your request and answers by Mar 17",
                    "no reminders come for this loan"):  # fmt: skip
            assert one in browser.text, one
        (said,) = told(world.url, "hardship")
        assert said["loan_id"] == OTHER
        assert [one.kind for one in Task.objects.all()] == ["offer_relief"]
        kept = [one.data.decode() for one in papers.handed_in("B2", said["signal_id"])]
        assert kept == [
            "wish: installments\nincome: 5000.00 CNY\nessential costs: 5000.00 CNY\n"
            "other loans: 0.00 CNY", "no work since May",
        ]  # fmt: skip
        assert told(world.url, "plan") == []

    def test_a_person_is_one_tap_away_and_two_taps_are_one(self, world):
        browser = signed_in(world)
        for _ in range(2):
            browser.go(f"/relief?loan={LOAN}")
            browser.submit("/relief/person")
            assert "A person has your request and answers by Mar 17" in browser.text
        assert (len(told(world.url, "hardship")), Task.objects.count()) == (1, 1)
        assert waiting() == "cancelled"
        browser.go("/loan")
        assert "A person answers by Mar 17" in browser.text

    @pytest.mark.parametrize(
        ("kind", "detail", "says"),
        [("dispute", None, "You asked a question about this loan"),
         ("payment_pending", None, "told us that you paid"),
         ("legal_case", {"stage": "filed"}, "a person has to look at it"),
         ("fraud_claim", None, "a person has to look at it"),
         ("abnormal_transaction", {"kind": "other"}, "a person has to look at it")],
    )  # fmt: skip
    def test_what_a_person_has_to_decide_no_page_does(self, world, kind, detail, says):
        accept([signalled(kind, WHO, loan_id=LOAN, detail=detail)], at=AT)
        browser = signed_in(world)
        for path in ("/relief", "/relief/ask/1", "/relief/offers", "/relief/sheet"):
            browser.go(f"{path}?loan={LOAN}")
            assert says in browser.text, path
            assert not any(one in browser.text for one in ("fraud", "abnormal", "court", "legal"))
        mark = browser.form("/relief/person")
        browser.post("/relief/agree", mark | {"offer": "x", "confirm": "yes"})
        assert says in browser.text
        assert told(world.url, "plan") == []

    def test_after_a_broken_arrangement_a_person_decides(self, world):
        rows = [{"number": 1, "due_on": "2026-02-20", "amount": "100.00"}]
        accept([signalled("plan", WHO, loan_id=LOAN, agreed=rows,
                          starts_at="2026-02-10T09:00:00+08:00")], at=AT)  # fmt: skip
        browser = signed_in(world)
        browser.go(f"/relief?loan={LOAN}")
        assert "an arrangement for this loan not long ago" in browser.text
        browser.go("/loan")
        assert "are paused" not in browser.text
        browser.go(f"/agreed?loan={LOAN}")
        assert browser.at == "/relief"


class TestOthers:
    PAGES = ("/relief", "/relief/ask/1", "/relief/offers", "/relief/sheet", "/relief/care",
             "/agreed", "/agreed/pdf")  # fmt: skip
    FORMS = ("/relief/ask/1", "/relief/person", "/relief/forget", "/relief/agree")

    def test_nobody_sees_or_changes_another_persons(self, world):
        drafts.save("B2", OTHER, {"wish": "any"})
        browser = signed_in(world)
        for path in self.PAGES:
            for loan in (OTHER, "", "none", "'--"):
                assert browser.go(f"{path}?loan={loan}").status == 404, path
        browser.go(f"/relief?loan={LOAN}")
        mark = browser.form("/relief/person") | {"loan": OTHER, "wish": "pause", "offer": "x"}
        for path in self.FORMS:
            assert browser.post(path, mark).status == 404, path
        assert (told(world.url, "hardship"), told(world.url, "plan")) == ([], [])
        assert (drafts.load("B2", OTHER), Task.objects.count()) == ({"wish": "any"}, 0)

    def test_nobody_comes_in_without_signing_in(self, world):
        for path in self.PAGES:
            assert shown(world, f"{path}?loan={LOAN}").at == "/sign-in"

    def test_a_form_from_elsewhere_does_nothing(self, world):
        browser = answered(world)
        for path in self.FORMS:
            forged = {"loan": LOAN, "wish": "pause", "csrfmiddlewaretoken": "a" * 64}
            assert browser.post(path, forged).status == 403, path
        assert (told(world.url, "hardship"), waiting()) == ([], "planned")
        assert drafts.load(WHO, LOAN)["wish"] == "installments"

    def test_there_is_no_such_question(self, world):
        browser = signed_in(world)
        for path in ("/relief/ask/0", "/relief/ask/7", "/relief/ask/99999999999999999999"):
            assert browser.go(f"{path}?loan={LOAN}").status == 404


def test_the_rules_ask_for_the_parts_of_an_agreement(world):
    standing, named = offers(world)
    (offer,) = named.values()
    later = AT + timedelta(days=180)  # CN-DISC-1 is in force from 2026-08-01.
    assert offering.forbidden(standing, offer, (*offering.PARTS, offering.READ), lender=LENDER,
                              at=later) == ()  # fmt: skip
    assert offering.forbidden(standing, offer, offering.PARTS, lender=LENDER, at=later) == (
        "CN-DISC-1",
    )
