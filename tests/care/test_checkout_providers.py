"""Goal: each payment provider hears no more than a payment needs and is believed no more than it
signs; the sandbox does what its seed says.

Method: the conformance suite; the other side signs by means of its own. Known values by hand.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import Counter
from urllib.parse import parse_qsl, urlsplit

import pytest
from checkout_conformance import AT, INTENT, TOLD, Conformance, Rig
from hypothesis import given
from hypothesis import strategies as st

from duly.care.checkout import OPEN, STATES, CallbackRefused, Hosted, HostedSettings, after
from duly.care.checkout import sandbox as sandboxes
from duly.core.money import major

SECRETS = (b"the secret of today, long enough", b"the one before it, still good")


def standard(secret, body, at):
    """Sign as Standard Webhooks say, by means of our own."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret, b"evt_1." + stamp.encode() + b"." + body, hashlib.sha256).digest()
    return {"webhook-id": "evt_1", "webhook-timestamp": stamp,
            "webhook-signature": f"v1,AAAA v1,{base64.b64encode(digest).decode()}"}  # fmt: skip


def decimal(told):
    """Write a body as a provider of decimal amounts does."""
    amount = told["amount"]
    fits = isinstance(amount, int) and not isinstance(amount, bool)
    return json.dumps(told | {"amount": major(amount, "CNY") if fits else amount}).encode()


class TestHosted(Conformance):
    @pytest.fixture
    def rig(self):
        settings = HostedSettings(url="https://pay.example.com/checkout", merchant="M1",
                                  secrets=SECRETS)  # fmt: skip
        return Rig(provider=Hosted("card", settings), secrets=SECRETS, post=standard,
                   body=decimal, merchant="M1", written="626.17")  # fmt: skip


NAMES = {"reference": "out_trade_no", "amount": "total_fee", "payment_id": "trade_no",
         "status": "trade_status", "signature": "sign", "return_to": "back"}  # fmt: skip


class TestHostedInOtherWords(Conformance):
    @pytest.fixture
    def rig(self):
        settings = HostedSettings(
            url="https://pay.example.com/gateway?version=2", merchant="M1", secrets=SECRETS,
            amounts="minor", names=NAMES,
            statuses={"SUCCESS": "paid", "CLOSED": "failed", "WAIT": "pending"},
        )  # fmt: skip

        def body(told):
            words = {"paid": "SUCCESS", "failed": "CLOSED", "pending": "WAIT"}
            said = told | {"status": words.get(told["status"], told["status"])}
            return json.dumps({NAMES.get(k, k): v for k, v in said.items()}).encode()

        return Rig(provider=Hosted("wallet", settings), secrets=SECRETS, post=standard, body=body,
                   merchant="M1", written="62617")  # fmt: skip

    def test_nothing_goes_out_but_what_a_payment_needs(self, rig):
        told = dict(parse_qsl(urlsplit(rig.provider.checkout(INTENT, at=AT)).query))
        assert set(told) == {"version", "merchant", "out_trade_no", "total_fee", "currency",
                             "back", "timestamp", "sign"}  # fmt: skip
        assert (told["version"], told["total_fee"]) == ("2", "62617")


def test_the_signature_of_an_address_is_over_its_query_as_it_is_sent():
    settings = HostedSettings(url="https://pay.example.com/", merchant="M 1", secrets=SECRETS)
    where = Hosted("card", settings).checkout(INTENT, at=AT)
    query, _, mark = where.partition("?")[2].rpartition("&signature=")
    assert query == (
        "merchant=M+1&reference=Rf3_q-8Zk2m4&amount=626.17&currency=CNY"
        "&return_to=https%3A%2F%2Fmy.example.com%2Fpay%2Fback%3Fpayment%3DRf3_q-8Zk2m4"
        "&timestamp=1773108000"
    )
    assert mark == hmac.new(SECRETS[0], query.encode(), hashlib.sha256).hexdigest()


def test_a_secret_is_shown_by_nothing():
    settings = HostedSettings(url="https://pay.example.com/", merchant="M1", secrets=SECRETS)
    assert "secret" not in repr(settings).replace("secrets", "")


class TestSandbox:
    """Its posts are read by the provider that serves it; its fates are as its seed says."""

    SETTINGS = HostedSettings(url="http://127.0.0.1:8000/pay/sandbox", merchant="sandbox",
                              secrets=SECRETS)  # fmt: skip

    def order(self):
        where = Hosted("sandbox", self.SETTINGS).checkout(INTENT, at=AT)
        found = sandboxes.order_of(urlsplit(where).query, SECRETS, at=AT)
        assert found is not None
        return found

    def told(self, fate):
        """Return what comes of each post of a fate: a status, or why it is not believed."""
        found = []
        for post in sandboxes.posts_of(self.order(), fate, secret=SECRETS[0], at=AT):
            try:
                one = Hosted("sandbox", self.SETTINGS).read_callback(post.headers, post.body, at=AT)
                found.append((one.status, one.amount, one.currency, one.name, post.later))
            except CallbackRefused as refused:
                found.append(refused.why)
        return found

    def test_an_order_is_what_was_sent(self):
        order = self.order()
        assert (order.reference, order.amount, order.currency, order.return_to) == (
            INTENT.reference, 62_617, "CNY", INTENT.return_to,
        )  # fmt: skip

    def test_an_order_of_anybody_else_is_none(self):
        query = urlsplit(Hosted("sandbox", self.SETTINGS).checkout(INTENT, at=AT)).query
        for one in ("", "amount=1", query.replace("626.17", "6.26"), query + "0", query + "&x=1",
                    query.replace("&signature=", "&signature=é")):  # fmt: skip
            assert sandboxes.order_of(one, SECRETS, at=AT) is None
        late = AT.replace(hour=AT.hour + 1)
        assert sandboxes.order_of(query, SECRETS, at=late) is None

    def test_each_fate_tells_what_its_name_says(self):
        name, later = f"{INTENT.reference}-paid", f"{INTENT.reference}-paid-again"
        paid = ("paid", 62_617, "CNY", name, False)
        failed = ("failed", 62_617, "CNY", f"{INTENT.reference}-failed", False)
        assert {fate: self.told(fate) for fate in sandboxes.FATES} == {
            "pays": [paid],
            "refuses": [failed],
            "delays": [(*paid[:4], True)],
            "repeats": [paid, paid, (*paid[:3], later, False)],
            "backwards": [paid, failed],
            "silent": [],
            "amount": [("paid", 62_618, *paid[2:])],
            "currency": [("paid", 62_617, "USD", name, False)],
            "forges": ["signature"],
            "stale": ["stale"],
        }

    def test_its_fates_come_as_often_as_it_says(self):
        drawn = Counter(sandboxes.fate_of(f"R{n:08}", 7) for n in range(20_000))
        assert sum(sandboxes.FATES.values()) == 10_000
        assert set(drawn) == set(sandboxes.FATES)
        for fate, share in sandboxes.FATES.items():
            assert abs(drawn[fate] - 2 * share) < 6 * (2 * share) ** 0.5 + 10, fate
        assert sandboxes.fate_of("R00000001", 7) == sandboxes.fate_of("R00000001", 7)
        assert [sandboxes.fate_of(f"R{n:08}", 8) for n in range(50)] != [
            sandboxes.fate_of(f"R{n:08}", 7) for n in range(50)
        ]


@given(told=st.lists(st.sampled_from(["paid", "failed", "pending"]), max_size=8))
def test_in_whatever_order_it_is_told_money_that_came_counts(told):
    for begun in (*OPEN, "expired"):
        state = begun
        for one in told:
            state = after(state, one)
            assert state in STATES
        assert (state == "paid") == ("paid" in told)
        if "paid" not in told and "failed" in told:
            assert state == "failed"


def test_only_money_ends_for_good():
    for one in ("failed", "pending", "paid"):
        assert after("paid", one) == "paid"
    assert TOLD["status"] == "paid"
