"""Goal: an amount of one's own is paid at a provider's page, and the page after it says what is so.

Method: a running server and its store, a browser without JavaScript; the provider's posts come over
HTTP, signed by means of their own, and from the sandbox of the server itself.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from browsing import shown
from known_books import LENDER
from outgoing import AT
from payment_world import body_of, signed
from portal_world import LOAN, WHO, begin, beside, emptied, recorded, signed_in, tell
from serving import FORMER_SECRET

from duly.service.operations.deriving import derived
from duly.service.store.event_models import Event
from duly.service.store.models import Audit, Message, PaymentCallback, PaymentIntent, Task


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    """Give the server with the book; B2 has a loan in another currency."""
    yield tell(
        served, write_book, tmp_path_factory.mktemp("book"),
        **beside("L-EUR", currency="EUR"),
    )  # fmt: skip
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    return begin(facts, WHO, "B2")


def begun(browser, *, way="card", amount="500"):
    """Look at what an amount does and go on to a provider; return where that leads."""
    browser.go(f"/pay?loan={LOAN}&amount={amount}")
    fields = next(
        {one.attributes["name"]: one.attributes["value"] for one in fields
         if "name" in one.attributes}
        for form, fields in browser.page.forms
        if form.attributes["action"] == "/pay/go"
        and any(one.attributes.get("value") == way for one in fields)
    )  # fmt: skip
    found = browser.post("/pay/go", fields)
    where = browser.page.one("a", rel="external noreferrer").attributes["href"]
    assert (found.status, found.headers["refresh"]) == (200, f"0; url={where}"), browser.text
    return where


def reference_of(where):
    return dict(parse_qsl(urlsplit(where).query))["reference"]


def now():
    return datetime.now(UTC)


def posted(world, body, *, provider="card", **given):
    headers = signed(body, **({"stamped": now()} | given))
    return world.ask("POST", f"/api/v1/payments/{provider}", body, key=None, **headers)


def stands(reference):
    return PaymentIntent.objects.get(reference=reference).state


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_an_amount_leads_to_the_provider_and_back(world, language):
    browser = signed_in(world, language=language)
    where = urlsplit(begun(browser))
    told = dict(parse_qsl(where.query))
    assert (where.netloc, told["amount"], told["currency"]) == ("pay.example.com", "500.00", "CNY")
    for secret in (LOAN, WHO, "Zhang", "13800000001"):
        assert secret not in where.query
    back = urlsplit(told["return_to"])
    assert f"{back.scheme}://{back.netloc}" == f"http://127.0.0.1:{world.port}"
    # Whoever comes from another site brings no cookie: he sees an amount and a state alone.
    outside = shown(world, f"{back.path}?{back.query}", language=language)
    assert {"en": "Not yet heard", "zh-CN": "还没有消息"}[language] in outside.text
    assert "500.00" in outside.text
    for secret in (LOAN, LOAN[-4:], "626.17", "1,235"):
        assert secret not in outside.text
    browser.go(f"/pay?loan={LOAN}")
    assert {"en": "You began to pay", "zh-CN": "您在 "}[language] in browser.text


def test_in_another_language_nothing_begins_anew(world):
    browser = signed_in(world)
    begun(browser)
    browser.go(browser.page.one("a", hreflang="zh-CN").attributes["href"])
    assert (browser.at, browser.page.one("html").attributes["lang"]) == ("/pay", "zh-CN")
    assert browser.page.one("input", id="amount").attributes["value"] == "500.00"
    assert PaymentIntent.objects.count() == 1


def test_what_the_provider_tells_is_so_on_every_page(world):
    browser = signed_in(world)
    reference = reference_of(begun(browser))
    assert posted(world, body_of(reference)).status == 200
    browser.go(f"/pay/back?payment={reference}")
    assert "Received" in browser.text
    assert Message.objects.get(message_id="m-waits").state == "cancelled"
    (loan,) = derived(WHO, lender=LENDER, at=AT, clock=AT).loans
    assert loan.trace.payments[-1].payment_id == "card-778"
    browser.go(next(one.attributes["href"] for one in browser.page.all("a", class_="button")
                    if one.text == "See the receipt"))  # fmt: skip
    assert "500.00" in browser.text
    (told,) = list(recorded("payment.told"))
    assert (told["came"], told["amount"]) == ("taken", 50_000)
    # The same again, and with the secret of before: nothing more.
    assert posted(world, body_of(reference), secret=FORMER_SECRET).status == 200
    assert Event.objects.filter(source="duly:payments").count() == 1


def test_a_refusal_says_that_nothing_was_taken(world):
    browser = signed_in(world)
    reference = reference_of(begun(browser))
    body = body_of(reference, status="failed", payment_id=None)
    assert posted(world, body).status == 200
    browser.go(f"/pay/back?payment={reference}")
    assert "Refused, nothing was taken" in browser.text
    assert Message.objects.get(message_id="m-waits").state == "planned"


def test_what_does_not_fit_is_said_to_be_looked_at(world):
    browser = signed_in(world)
    reference = reference_of(begun(browser))
    assert posted(world, body_of(reference, amount="499.99")).status == 200
    browser.go(f"/pay/back?payment={reference}")
    assert "Not yet heard" in browser.text
    assert "A person looks at it" in browser.text
    assert Task.objects.get().kind == "match_payment"


def test_forged_old_and_unreadable_posts_are_refused_with_a_record(world):
    reference = reference_of(begun(signed_in(world)))
    body = body_of(reference)
    before = Audit.objects.filter(kind="webhook.refused").count()
    assert posted(world, body, secret="of somebody else").code == "bad_signature"
    assert posted(world, body, stamped=now() - timedelta(minutes=6)).code == "bad_signature"
    assert posted(world, json.dumps({"reference": reference}).encode()).code == "unreadable"
    assert posted(world, body_of(reference, status="PERHAPS")).code == "unreadable"
    assert posted(world, body, provider="nobody").code == "not_found"
    headers = signed(body, stamped=now())
    assert world.ask("POST", "/api/v1/payments/card", body + b" ", key=None,
                     **headers).code == "bad_signature"  # fmt: skip
    assert Audit.objects.filter(kind="webhook.refused").count() == before + 5
    assert (stands(reference), PaymentCallback.objects.count()) == ("redirected", 0)
    # Another body under a name that was taken.
    assert posted(world, body, name="evt-same").status == 200
    again = posted(world, body_of(reference, payment_id="9"), name="evt-same")
    assert again.code == "seen_before"


def test_from_the_least_to_all_that_is_owed(world):
    total = derived(WHO, lender=LENDER, at=AT, clock=AT).loans[0].trace.position
    assert total["outstanding_total"] == 123_517
    browser = signed_in(world)
    for amount, says in (
        ("0.99", "Online you can pay from CNY 1.00 to CNY 1,235.17"), ("1.00", "Pay CNY 1.00: B"),
        ("1235.17", "Pay CNY 1,235.17: B"), ("1235.18", "Online you can pay from"),
    ):  # fmt: skip
        browser.go(f"/pay?loan={LOAN}&amount={amount}")
        assert says in browser.text


def test_a_form_of_ones_own_begins_nothing_beyond(world):
    browser = signed_in(world)
    browser.go(f"/pay?loan={LOAN}&amount=500")
    fields = browser.form("/pay/go")
    for amount in ("0.99", "1235.18", "0", "-5", "much", ""):
        browser.post("/pay/go", fields | {"amount": amount})
        assert browser.at == "/pay"
    assert PaymentIntent.objects.count() == 0


def test_nobody_pays_another_persons_loan_or_at_an_unknown_page(world):
    browser = signed_in(world)
    browser.go(f"/pay?loan={LOAN}&amount=500")
    fields = browser.form("/pay/go")
    for changed in ({"loan": "L-EUR"}, {"way": "nobody"}, {"way": ""}):
        assert browser.post("/pay/go", fields | changed).status == 404
    stranger = shown(world, "/sign-in")
    mark = stranger.form("/sign-in")["csrfmiddlewaretoken"]
    assert stranger.post("/pay/go", fields | {"csrfmiddlewaretoken": mark}).status == 403
    for reference in ("", "f" * 32, "'--", "F" * 32):
        assert shown(world, f"/pay/back?payment={reference}").reply.status == 404
    assert PaymentIntent.objects.count() == 0


def test_in_another_currency_no_page_takes_it(world):
    browser = signed_in(world, "B2")
    browser.go("/pay?loan=L-EUR&amount=500")
    assert browser.page.all("form", action="/pay/go") == []


class TestSandbox:
    def go(self, world, fate):
        """Pay at the sandbox with a fate; return the browser on the page after it."""
        browser = signed_in(world)
        where = urlsplit(begun(browser, way="trial"))
        browser.go(f"{where.path}?{where.query}")
        assert "No money moves" in browser.text
        browser.submit("/pay/sandbox", fate=fate)
        assert browser.at == "/pay/back"
        return browser

    @pytest.mark.parametrize(
        ("fate", "says", "state"),
        [
            ("pays", "Received", "paid"), ("repeats", "Received", "paid"),
            ("refuses", "nothing was taken", "failed"), ("amount", "Not yet heard", "redirected"),
            ("forges", "Not yet heard", "redirected"),
        ],
    )  # fmt: skip
    def test_each_fate_is_told_truly(self, world, fate, says, state):
        browser = self.go(world, fate)
        assert says in browser.text
        intent = PaymentIntent.objects.get()
        assert intent.state == state
        paid = state == "paid"
        assert Event.objects.filter(source="duly:payments").count() == paid
        assert Task.objects.count() == (fate == "amount")

    def test_what_comes_late_is_seen_when_it_came(self, world):
        browser = self.go(world, "delays")
        assert "Not yet heard" in browser.text
        for _ in range(100):
            if PaymentIntent.objects.get().state == "paid":
                break
            time.sleep(0.05)
        browser.go(next(one.attributes["href"] for one in browser.page.all("a")
                        if one.text == "Look again"))  # fmt: skip
        assert "Received" in browser.text

    def test_an_order_that_we_did_not_sign_is_none(self, world):
        browser = signed_in(world)
        where = urlsplit(begun(browser, way="trial"))
        for query in ("", "amount=1", where.query.replace("500.00", "5.00")):
            assert browser.go(f"/pay/sandbox?{query}").status == 404
        assert PaymentIntent.objects.get().state == "redirected"
