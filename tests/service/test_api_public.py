"""Goal: what needs no key tells nothing and takes nothing forged. Method: a running server."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import psycopg
import pytest
from outgoing import AT, fill
from serving import GATEWAY_SECRET, RESELLER_TOKEN
from test_database_away import FULL

from duly.book import Route
from duly.core.errors import Refused
from duly.delivery.http import signature
from duly.service.api.limits import BODY_MAX
from duly.service.api.slowing import ADDRESS_A_MINUTE, CODE_AN_HOUR
from duly.service.operations import verifying
from duly.service.operations.intake import TOLERANCE_SECONDS, intakes_of
from duly.service.store.models import Audit, Message, Part, Report

CODE, LAST4 = "3P773SGS", "0001"
#: Names that a careless program would take for its own words: SQL, a list, the header of a mail.
HOSTILE = (
    "p2", "p1'; DROP TABLE store_message; --", 'p1","p1', "{p1}", "p1\\", "p1\r\nX-Evil: 1", "NULL",
)  # fmt: skip


@pytest.fixture
def sent(facts):
    """Give the server with one message that was accepted by the gateway as `p1`."""
    with psycopg.connect(facts.url, autocommit=True) as ours:
        ours.execute("TRUNCATE store_message, store_run, store_borrower, store_counter,"
                     " store_seenwebhook, store_report CASCADE")  # fmt: skip
    fill(2, state="accepted", route="gateway")
    Message.objects.filter(message_id="m00001").update(code="ABCD2345")
    Part.objects.create(route="gateway", provider_id="p1", message_id="m00000")
    return facts


def forgotten(served):
    with psycopg.connect(served.url, autocommit=True) as ours:
        ours.execute("TRUNCATE store_counter")


def asked(served, code, last4, **given):
    return served.post("/api/v1/verify", {"code": code, "phone_last4": last4}, key=None, **given)


class TestVerify:
    @pytest.mark.parametrize("code", [CODE, CODE.lower(), "3P77-3SGS", " 3P77 3SGS "])
    def test_the_owner_of_the_number_hears_that_it_was_ours(self, sent, code):
        found = asked(sent, code, LAST4).json
        assert (found["ours"], found["sent_on"], found["channel"]) == (True, "2026-03-10", "sms")
        assert found["lender"] and found["hotline"]

    def test_says_nothing_about_a_debt_or_a_person(self, sent):
        found = asked(sent, CODE, LAST4).json
        assert set(found) == {
            "ours", "sent_on", "channel", "lender", "hotline", "website", "app",
        }  # fmt: skip

    def test_unknown_code_and_wrong_number_are_one_answer(self, sent):
        wrong_number, unknown_code = asked(sent, CODE, "9999"), asked(sent, "ZZZZ2222", LAST4)
        assert wrong_number.json["ours"] is False
        assert (wrong_number.status, wrong_number.body) == (
            unknown_code.status, unknown_code.body,
        )  # fmt: skip
        same = {name for name in wrong_number.headers if name != "date"}
        assert all(wrong_number.headers[n] == unknown_code.headers[n] for n in same)

    def test_both_are_the_same_miss_of_one_index(self, sent):
        with psycopg.connect(sent.url, autocommit=True) as ours:
            ours.execute("SET enable_seqscan = off")
            plans = []
            for code, last4 in ((CODE, "9999"), ("ZZZZ2222", LAST4)):
                rows = ours.execute(
                    "EXPLAIN (ANALYZE, FORMAT JSON) SELECT business_date, channel FROM"
                    " store_message WHERE code = %s AND right(address, 4) = %s",
                    (code, last4),
                ).fetchone()
                text = json.dumps(rows[0])
                assert "message_verify" in text
                node = rows[0][0]["Plan"]
                plans.append((node["Node Type"], node["Actual Rows"],
                              node.get("Rows Removed by Filter", 0)))  # fmt: skip
        assert plans[0] == plans[1]

    @pytest.mark.parametrize("state", ["planned", "released", "claimed", "cancelled", "blocked"])
    def test_what_was_not_sent_is_not_ours(self, sent, state):
        with psycopg.connect(sent.url, autocommit=True) as ours:
            ours.execute("ALTER TABLE store_message DISABLE TRIGGER USER")
            ours.execute("UPDATE store_message SET state = %s, worker = 1"
                         " WHERE message_id = 'm00000'", (state,))  # fmt: skip
            ours.execute("ALTER TABLE store_message ENABLE TRIGGER USER")
        assert asked(sent, CODE, LAST4).json["ours"] is False

    def test_after_ninety_days_it_is_forgotten(self, sent):
        day = AT.date()
        assert verifying.verify(CODE, LAST4, today=day + timedelta(days=89)) is not None
        assert verifying.verify(CODE, LAST4, today=day + timedelta(days=90)) is None

    def test_one_code_is_asked_for_a_few_times_an_hour(self, sent):
        found = [asked(sent, "ABCD2345", f"{n:04}").status for n in range(CODE_AN_HOUR + 2)]
        assert found == [200] * CODE_AN_HOUR + [429] * 2
        for code in ("ABCD-2345", "abcd2345", "A B C D 2345", " -ABCD2345-"):
            last = asked(sent, code, LAST4)
            assert (last.code, last.headers["retry-after"]) == ("too_often", "3600"), code
        assert asked(sent, CODE, LAST4).status == 200

    def test_one_address_asks_a_few_times_a_minute(self, sent):
        # A window may turn between two questions: so many more are asked that one is refused.
        found = [asked(sent, f"AAAA{n:04}", LAST4).status for n in range(2 * ADDRESS_A_MINUTE + 2)]
        assert set(found[:ADDRESS_A_MINUTE]) == {200}
        assert 429 in found
        # A header that anybody can write changes nothing.
        assert asked(sent, CODE, LAST4, X_Forwarded_For="8.8.8.8").status == 429
        forgotten(sent)

    @pytest.mark.parametrize("last4", ["", "12", "12345", "12a4", "１２３４", 1234, None])
    def test_what_is_no_end_of_a_number_is_refused(self, sent, last4):
        assert asked(sent, CODE, last4).code == "invalid"


def posted(served, body, *, name="w1", stamp=None, secret=GATEWAY_SECRET, route="gateway", **more):
    """Post to a route as its gateway does; `more` replaces headers."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    stamp = int(time.time()) if stamp is None else stamp
    headers = signature(secret.encode(), message_id=name, timestamp=stamp, body=data)
    headers = {key.replace("-", "_"): value for key, value in headers.items()} | more
    return served.post(f"/api/v1/webhooks/{route}", data, key=None, **headers)


RECEIPT = {"receipts": [{"id": "p1", "code": "DELIVRD"}]}


def refusals():
    return [json.loads(one.payload)["why"] for one in Audit.objects.filter(
        kind="webhook.refused").order_by("id")]  # fmt: skip


@pytest.fixture
def before(sent):
    """Give how many refusals there were."""
    return len(refusals())


class TestWebhooks:
    def test_a_receipt_moves_its_message(self, sent):
        found = posted(sent, RECEIPT)
        assert (found.status, found.body) == (200, b"")
        assert Message.objects.get(message_id="m00000").state == "delivered"
        assert Report.objects.get().kind == "receipt"

    def test_a_reply_is_kept(self, sent):
        reply = {"replies": [{"from": "+8613800000001", "text": "TD", "to": "1069"}]}
        assert posted(sent, reply).status == 200
        assert Report.objects.get().kind == "reply"

    @pytest.mark.parametrize(
        "given",
        [{"secret": "another"}, {"webhook_signature": "v1,AAAA"}, {"webhook_signature": ""},
         {"webhook_id": "w2"}, {"webhook_timestamp": "1"}, {"webhook_timestamp": "now"},
         {"webhook_id": ""}],
        ids=str,
    )  # fmt: skip
    def test_a_forged_one_is_refused_with_a_record(self, sent, before, given):
        found = posted(sent, RECEIPT, **given)
        assert (found.status, found.code) == (401, "bad_signature")
        assert Message.objects.get(message_id="m00000").state == "accepted"
        assert Report.objects.count() == 0
        assert refusals()[before:] == ["signature"]

    def test_another_body_under_the_signature_is_refused(self, sent, before):
        signed = signature(GATEWAY_SECRET.encode(), message_id="w1", timestamp=int(time.time()),
                           body=b"{}")  # fmt: skip
        found = posted(sent, RECEIPT, webhook_signature=signed["webhook-signature"])
        assert found.code == "bad_signature"
        assert Report.objects.count() == 0
        assert len(refusals()) == before + 1

    @pytest.mark.parametrize("seconds", [-TOLERANCE_SECONDS - 5, TOLERANCE_SECONDS + 5])
    def test_one_of_another_time_is_refused(self, sent, before, seconds):
        found = posted(sent, RECEIPT, stamp=int(time.time()) + seconds)
        assert found.code == "bad_signature"
        assert Report.objects.count() == 0
        assert refusals()[before:] == ["stale"]

    def test_a_replayed_one_is_refused_and_a_retry_is_heard(self, sent, before):
        stamp = int(time.time())
        assert posted(sent, RECEIPT, stamp=stamp).status == 200
        again = posted(sent, RECEIPT, stamp=stamp)
        assert (again.status, again.code) == (409, "seen_before")
        assert refusals()[before:] == ["repeated"]
        retry = posted(sent, RECEIPT, stamp=stamp + 1)
        assert retry.status == 200
        assert Report.objects.count() == 1

    def test_what_finds_no_room_on_the_disk_is_not_taken_and_comes_again(self, sent):
        stamp = int(time.time())
        with psycopg.connect(sent.url, autocommit=True) as ours:
            ours.execute(FULL.format(what="INSERT", table="store_report"))
            try:
                full = posted(sent, RECEIPT, stamp=stamp)
            finally:
                ours.execute("DROP TRIGGER no_room ON store_report")
        assert (full.status, full.code, full.headers["retry-after"]) == (503, "no_database", "5")
        assert b"store_" not in full.body
        assert Report.objects.count() == 0
        # The gateway brings the very same again: nothing says that it was there before.
        assert posted(sent, RECEIPT, stamp=stamp).status == 200
        assert Message.objects.get(message_id="m00000").state == "delivered"

    @pytest.mark.parametrize("name", HOSTILE, ids=ascii)
    def test_a_receipt_of_nobody_is_kept_as_it_came_and_moves_nothing(self, sent, name):
        told = {"receipts": [{"id": name, "code": name}]}
        assert posted(sent, told).status == 200
        (kept,) = Report.objects.all()
        shown = name.replace("\r\n", "\\x0d\\x0a")  # What no line can hold is spelled out.
        assert (kept.message_id, kept.provider_id) == (None, shown)
        assert json.loads(kept.raw)["code"] == name
        assert Message.objects.get(message_id="m00000").state == "accepted"

    def test_a_body_too_large_is_refused_with_a_record(self, sent, before):
        # Its length is told and no more: who writes on may find the line closed before the answer.
        found = posted(sent, b"", Content_Length=str(BODY_MAX + 1))
        assert (found.status, found.code) == (413, "too_large")
        assert refusals()[before:] == ["too_large"]
        assert Report.objects.count() == 0

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null", b'{"receipts": 1}'])
    def test_what_cannot_be_read_is_refused_with_a_record(self, sent, before, body):
        found = posted(sent, body)
        assert (found.status, found.code) == (422, "unreadable")
        assert refusals()[before:] == ["unreadable"]

    def test_another_content_type_is_refused(self, sent, before):
        found = posted(sent, RECEIPT, Content_Type="text/xml")
        assert (found.status, found.code) == (415, "content_type")
        assert refusals()[before:] == ["content_type"]

    def test_a_flood_of_forgeries_fills_no_record(self, sent, before):
        for n in range(70):
            assert posted(sent, RECEIPT, name=f"w{n}", secret="x").status == 401
        assert len(refusals()) - before <= 60  # Two windows of a minute at most.

    @pytest.mark.parametrize("route", ["silent", "nobody", "x" * 101, "a%0d%0ab", "a'--"])
    def test_a_route_without_a_secret_takes_nothing(self, sent, route):
        found = posted(sent, RECEIPT, route=route)
        assert found.code in ("not_found", "invalid")
        assert Report.objects.count() == 0

    @pytest.mark.parametrize("token", ["", "x", RESELLER_TOKEN[:-1], "é"])
    def test_a_reseller_without_its_token_is_refused(self, sent, before, token):
        from urllib.parse import quote

        found = sent.post(f"/api/v1/webhooks/reseller?token={quote(token)}", [], key=None)
        assert found.code == "bad_signature"
        assert refusals()[before:] == ["signature"]

    def test_a_reseller_is_answered_in_its_own_words(self, sent):
        body = [{"biz_id": "p1", "success": True, "err_code": "DELIVERED",
                 "report_time": "2026-03-10 10:00:05", "phone_number": "13800000001"}]  # fmt: skip
        path = f"/api/v1/webhooks/reseller?token={RESELLER_TOKEN}"
        for _ in range(2):
            found = sent.post(path, body, key=None)
            assert (found.status, found.json) == (200, {"code": 0, "msg": "OK"})
        assert Report.objects.count() == 1
        # The name is another route's: nobody's message moves.
        assert Message.objects.get(message_id="m00000").state == "accepted"


def test_an_address_of_a_network_is_that_network():
    from duly.service.api.slowing import household

    assert household("2001:db8:1:2::9") == household("2001:db8:1:2:ffff::1")
    assert household("2001:db8:1:3::9") != household("2001:db8:1:2::9")
    assert household("::ffff:192.0.2.1") != household("::ffff:192.0.2.2")
    assert household("nonsense") == "nonsense"


class TestIntakes:
    def route(self, **settings):
        return Route(name="g", channel="sms", kind="http", settings=settings)

    def test_a_missing_secret_or_strange_format_is_refused(self):
        with pytest.raises(Refused):
            intakes_of([self.route(webhook_secret_env="NOT_THERE")], {})
        with pytest.raises(Refused):
            intakes_of([self.route(webhook_secret_env="X", webhook_format="fax")], {"X": "s"})

    def test_a_route_that_names_no_secret_has_none(self):
        assert intakes_of([self.route()], {}) == {}
