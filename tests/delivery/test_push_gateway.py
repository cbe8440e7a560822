"""Goal: a push keeps to the port, and a locked phone shows nothing of a debt.

Method: the conformance suite and what is said, against aiohttp's server.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from conformance import PATIENCE_SECONDS, SLOW_SECONDS, Conformance, Rig, within
from http_server import HttpServer

from duly.book import Route
from duly.core.errors import Refused
from duly.delivery import Outgoing
from duly.delivery.http import HttpGateway, HttpSettings
from duly.delivery.port import Receipt
from duly.delivery.push import LockScreen
from duly.delivery.webhooks import When, read
from duly.service.outbox.gateways import gateways_of
from duly.service.outbox.own_routes import tells_debt

WANTS = {"accepted": 0, "refused": 1, "throttled": 2, "unknown": 3, "slow": 4, "reset": 5}
AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
TEXT = "【示例消金】周女士，736.67元已逾期7天。核验码H4T9-W7KX"
ENVIRON = {"DULY_APP_SECRET": "a secret of the two of us"}
APP = {"url": "https://app.lender.example/duly", "secret_env": "DULY_APP_SECRET"}


def outgoing(n: int, want: str = "accepted", text: str = TEXT, locale: str = "zh-CN") -> Outgoing:
    return Outgoing(
        message_id=f"m{n:04}", channel="push", address=f"customer-{n}-{WANTS[want]}", text=text,
        message_class="dunning", template="overdue", locale=locale,
        not_after=datetime(2026, 3, 10, 13, 0, tzinfo=UTC),
    )  # fmt: skip


def gateway(server: HttpServer, *, window: int = 20, screen: LockScreen | None = None):
    settings = HttpSettings(
        url=f"http://127.0.0.1:{server.port}/push", secret=b"a secret", connect_seconds=1.0,
        response_seconds=PATIENCE_SECONDS, close_seconds=2.0, retry_seconds=0.05, window=window,
    )  # fmt: skip
    tell = (screen or LockScreen()).tell
    return HttpGateway("app", settings, clock=lambda: AT, tell=tell)


class TestConformance(Conformance):
    bad_addresses = ("", "a\0", "a\r\nb", "1" * 321)

    @asynccontextmanager
    async def rig(self, *, window=20):
        async with HttpServer(slow_seconds=SLOW_SECONDS) as server:

            def arrived(address: str) -> str:
                (one,) = [one for one in server.requests if one.told["to"] == address]
                return str(one.told["message"]["text"])

            yield Rig(
                gateway=gateway(server, window=window),
                outgoing=outgoing,
                reached=lambda: [str(one.told["to"]) for one in server.requests],
                text_of=arrived,
                most_open=lambda: server.most_open,
                die=server.stop,
                revive=server.start,
                key=lambda one: one.address,
            )


def told_of(one: Outgoing, screen: LockScreen | None = None) -> tuple[dict, dict]:
    """Return the body and headers of a push."""

    async def whole():
        async with HttpServer() as server:
            mine = gateway(server, screen=screen)
            await mine.open()
            (answer,) = await within(mine.submit([one]))
            await mine.close()
            assert answer.outcome == "accepted"
            (request,) = server.requests
            return request.told, request.headers

    return asyncio.run(whole())


class TestLockScreen:
    def test_a_locked_phone_shows_that_a_message_waits_and_no_more(self):
        body, headers = told_of(outgoing(1), LockScreen(link="lender://inbox/{message_id}"))
        assert body == {
            "id": "m0001", "channel": "push", "to": "customer-1-0", "class": "dunning",
            "locale": "zh-CN",
            "notification": {"title": "您有一条新消息", "body": "请打开App查看。"},
            "message": {"text": TEXT},
            "link": "lender://inbox/m0001", "not_after": "2026-03-10T13:00:00+00:00",
        }  # fmt: skip
        assert headers["Idempotency-Key"] == headers["webhook-id"] == "m0001"
        assert headers["webhook-signature"].startswith("v1,")

    def test_each_locale_has_its_own_words(self):
        body, _ = told_of(outgoing(1, locale="en"), LockScreen(titles={"en": "A note from us"}))
        assert body["notification"] == {
            "title": "A note from us", "body": "Open the app to read it.",
        }  # fmt: skip
        assert "link" not in body

    def test_an_id_cannot_lead_a_link_elsewhere(self):
        one = replace(outgoing(1), message_id="../x?a=b#c")
        body, _ = told_of(one, LockScreen(link="https://lender.example/in/{message_id}"))
        assert body["link"] == "https://lender.example/in/..%2Fx%3Fa%3Db%23c"

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ("您有一条新消息", ""),
            ("A message for you", ""),
            ("还款提醒", "还款"),
            ("您的借款有新消息", "借款"),
            ("您的貸款有新訊息", "贷款"),
            ("这不是催收", "催收"),
            ("Your loan is late", "loan"),
            ("Pay 100.00元 now", "0元"),
            ("You have $5", "You have $5"),
        ],
    )
    def test_words_of_a_debt_are_found_denied_or_not(self, said, words):
        assert tells_debt(said) == words

    @pytest.mark.parametrize(
        ("settings", "channel", "codes"),
        [
            ({"title": {"zh-CN": "还款提醒"}}, "push", ["route_tells_debt"]),
            ({"preview": {"zh-TW": "您有一筆貸款"}}, "push", ["route_tells_debt"]),
            ({"title": {"en": "You owe $5"}, "preview": {"en": "Overdue"}}, "push",
             ["route_tells_debt", "route_tells_debt"]),
            ({"link": "javascript:alert(1)"}, "push", ["route_bad_setting"]),
            ({"link": "http://lender.example"}, "push", ["route_bad_setting"]),
            ({"template_codes": {"a": "b"}}, "push", ["route_unknown_setting"]),
            ({}, "sms", ["route_other_channel"]),
        ],
    )  # fmt: skip
    def test_a_route_that_would_tell_is_refused_before_anything_is_sent(
        self, settings, channel, codes
    ):
        route = Route(name="app", channel=channel, kind="webhook", settings=APP | settings)
        with pytest.raises(Refused) as refused:
            gateways_of([route], clock=lambda: AT, label="w1", environ=ENVIRON)
        assert [one.code for one in refused.value.diagnostics] == codes

    @pytest.mark.parametrize("kind", ["http", "smpp", "smtp", "letter"])
    def test_a_push_goes_by_no_kind_that_would_show_its_text(self, kind):
        route = Route(name="app", channel="push", kind=kind, settings={})
        with pytest.raises(Refused) as refused:
            gateways_of([route], clock=lambda: AT, label="w1", environ=ENVIRON)
        assert refused.value.diagnostics[0].code == "route_other_channel"


class TestReports:
    @pytest.mark.parametrize(
        ("code", "provider_id", "state"),
        [
            ("DELIVERED", "h000001", "delivered"),
            ("UNREGISTERED", "h000001", "undelivered"),
            ("QUEUED", "", "unknown"),  # On the way: kept, and moves nothing.
            ("SOMETHING", "h000001", "unknown"),
        ],
    )
    def test_what_an_app_server_tells_later(self, code, provider_id, state):
        body = b'{"receipts": [{"id": "h000001", "code": "%s"}]}' % code.encode()
        (found,) = read("generic", body, when=When(zone=None, received_at=AT))
        assert isinstance(found, Receipt)
        assert (found.provider_id, found.state, found.code) == (provider_id, state, code)
        assert "h000001" in found.raw
