"""Goal: the HTTP gateway keeps to the port, and says no more than was meant for its URL.

Method: the conformance suite and one fault each, against aiohttp's server.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from conformance import PATIENCE_SECONDS, SLOW_SECONDS, Conformance, Rig, read, within
from http_server import HttpServer

from duly.delivery import Answer, Outgoing
from duly.delivery.http import HttpGateway, HttpSettings, signature

WANTS = {"accepted": 0, "refused": 1, "throttled": 2, "unknown": 3, "slow": 4, "reset": 5}
AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
SECRET = b"a secret of the two of us"


def outgoing(n: int, want: str = "accepted", text: str = "您好") -> Outgoing:
    return Outgoing(
        message_id=f"m{n:04}", channel="sms", address=f"+86138{n:07}{WANTS[want]}", text=text,
        message_class="receipt", template="receipt", locale="zh-CN",
        params={"amount": "100.00"},
    )  # fmt: skip


def gateway(server: HttpServer, **given) -> HttpGateway:
    settings = HttpSettings(
        url=f"http://127.0.0.1:{server.port}/send", secret=SECRET, connect_seconds=1.0,
        response_seconds=PATIENCE_SECONDS, close_seconds=2.0, retry_seconds=0.05,
    )  # fmt: skip
    return HttpGateway("gateway-b", replace(settings, **given), clock=lambda: AT)


class TestConformance(Conformance):
    bad_addresses = ("", "a\0", "a\r\nb", "1" * 321)

    @asynccontextmanager
    async def rig(self, *, window=20):
        async with HttpServer(slow_seconds=SLOW_SECONDS) as server:

            def arrived(address: str) -> str:
                (one,) = [one for one in server.requests if one.told["to"] == address]
                return str(one.told["text"])

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


def with_server(test, *, server: HttpServer | None = None, **given) -> None:
    async def whole() -> None:
        async with server or HttpServer() as peer:
            mine = gateway(peer, **given)
            await mine.open()
            async with read(mine):
                await test(peer, mine)

    asyncio.run(asyncio.wait_for(whole(), 20))


class TestRequests:
    def test_says_the_template_in_the_gateways_words_and_no_text(self):
        async def test(server, mine):
            one = replace(outgoing(1), not_after=datetime(2026, 3, 10, 11, 0, tzinfo=UTC))
            (answer,) = await mine.submit([one])
            assert answer.provider_ids == ("h000001",)
            (request,) = server.requests
            assert request.told == {
                "id": "m0001", "channel": "sms", "to": one.address, "class": "receipt",
                "locale": "zh-CN", "template": "SMS_0001", "params": {"amount": "100.00"},
                "not_after": "2026-03-10T11:00:00+00:00",
            }  # fmt: skip

        with_server(test, template_codes={"receipt": "SMS_0001"})

    def test_a_template_that_the_gateway_does_not_know_is_refused_before_the_wire(self):
        async def test(server, mine):
            (answer,) = await mine.submit([replace(outgoing(1), template="overdue")])
            assert (answer.outcome, answer.code) == ("refused", "DULY:no_template_code")
            assert server.requests == []

        with_server(test, template_codes={"receipt": "SMS_0001"})

    def test_is_signed_over_id_time_and_body_and_is_idempotent(self):
        async def test(server, mine):
            await mine.submit([outgoing(1)])
            (request,) = server.requests
            assert request.headers["Idempotency-Key"] == request.headers["webhook-id"] == "m0001"
            assert request.headers["webhook-timestamp"] == "1773108000"  # 2026-03-10T02:00:00Z
            mac = hmac.new(SECRET, b"m0001.1773108000." + request.body, hashlib.sha256)
            expected = "v1," + base64.b64encode(mac.digest()).decode()
            assert request.headers["webhook-signature"] == expected
            assert b"secret" not in request.body

        with_server(test)

    def test_a_signature_is_that_of_the_standards_own_example(self):
        # standard-webhooks, its reference libraries' test vector.
        secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        found = signature(
            secret,
            message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp=1614265330,
            body=b'{"test": 2432232314}',
        )
        assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_an_id_that_no_header_can_hold_is_hashed(self):
        async def test(server, mine):
            await mine.submit([replace(outgoing(1), message_id="m\r\nX: 1")])
            (request,) = server.requests
            assert "X" not in request.headers
            assert request.headers["webhook-id"] == hashlib.sha256(b"m\r\nX: 1").hexdigest()

        with_server(test)


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "answer", "headers", "outcome", "code", "retry"),
        [
            (202, b'{"id": 7}', {}, "accepted", "", None),
            (200, b'{"id": true}', {}, "accepted", "DULY:no_id", None),
            (200, b"thanks", {}, "accepted", "DULY:no_id", None),
            (204, b"", {}, "accepted", "DULY:no_id", None),
            (200, b"[" * 5000, {}, "accepted", "DULY:no_id", None),
            (400, b'{"code": "isv.X"}', {}, "refused", "HTTP 400 isv.X", None),
            (401, b"<html>", {}, "refused", "HTTP 401", None),
            (302, b"", {"Location": "/send"}, "refused", "HTTP 302", None),
            (429, b"", {"Retry-After": "9"}, "throttled", "HTTP 429", 9),
            (429, b"", {"Retry-After": "soon"}, "throttled", "HTTP 429", 1),
            (503, b"", {}, "throttled", "HTTP 503", 1),
            (500, b"", {}, "unknown", "HTTP 500", None),
            (502, b"\x00\x1b[31m", {}, "unknown", "HTTP 502", None),
        ],
    )
    def test_each_answer_leads_to_its_outcome(self, status, answer, headers, outcome, code, retry):
        async def test(server, mine):
            (found,) = await mine.submit([outgoing(1)])
            assert (found.outcome, found.code, found.retry_after_seconds) == (outcome, code, retry)
            assert len(server.requests) == 1

        with_server(test, server=HttpServer(status=status, answer=answer, headers=headers))

    @pytest.mark.parametrize(
        ("answer", "outcome", "ids"),
        [
            (b'{"Code": "OK", "BizId": "b1"}', "accepted", ("b1",)),
            (b'{"Code": "isv.BUSINESS_LIMIT_CONTROL"}', "throttled", ()),
            (b'{"Code": "isv.SMS_CONTENT_ILLEGAL", "BizId": "b1"}', "refused", ()),
            (b"{}", "refused", ()),
        ],
    )
    def test_a_gateway_that_says_no_with_200_is_understood(self, answer, outcome, ids):
        async def test(server, mine):
            (found,) = await mine.submit([outgoing(1)])
            assert (found.outcome, found.provider_ids) == (outcome, ids)

        with_server(test, server=HttpServer(answer=answer), id_field="BizId", code_field="Code")

    def test_parts_that_are_reported_one_by_one_are_named_one_by_one(self):
        async def test(server, mine):
            long, short = await mine.submit([outgoing(1, text="逾" * 71), outgoing(2)])
            assert long.provider_ids == ("h1#1/2", "h1#2/2")
            assert short.provider_ids == ("h1",)

        with_server(test, server=HttpServer(answer=b'{"id":"h1"}'), by_part=True)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"


def answered_by(*pieces: bytes) -> tuple[Answer, int]:
    """Let a server write these pieces, one after another; return the answer, how many it wrote."""
    written = 0

    async def serve(reader, writer):
        nonlocal written
        await reader.readuntil(b"}")
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                written += 1
                await asyncio.sleep(0.002)
        writer.close()

    async def whole() -> Answer:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        settings = HttpSettings(
            url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/send", secret=SECRET,
            connect_seconds=1.0, response_seconds=2.0, id_field="BizId", code_field="Code",
        )  # fmt: skip
        mine = HttpGateway("gateway-b", settings, clock=lambda: AT)
        async with server:
            await mine.open()
            (found,) = await within(mine.submit([outgoing(1)]))
            await mine.close()
        await asyncio.sleep(0.01)
        return found

    return asyncio.run(whole()), written


class TestFaults:
    def test_a_reset_after_the_request_was_written_is_unknown_and_not_tried_again(self):
        async def test(server, mine):
            await mine.submit([outgoing(0)])  # The connection is one that was used before.
            (found,) = await within(mine.submit([outgoing(1, "reset")]))
            assert found.outcome == "unknown"
            assert found.code.startswith("DULY:")
            await asyncio.sleep(0.1)
            assert len(server.requests) == 2

        with_server(test)

    def test_an_answer_that_comes_in_pieces_is_read_whole(self):
        found, _ = answered_by(HEAD, b'{"Code": "O', b'K", "BizId": "b1"}')
        assert (found.outcome, found.provider_ids) == ("accepted", ("b1",))

    def test_an_answer_without_an_end_is_read_so_far_and_no_further(self):
        found, written = answered_by(HEAD, *[b" " * 65_536] * 400)
        # It may have been sent all the same: nobody tries again by himself.
        assert (found.outcome, found.code) == ("unknown", "DULY:answer_too_long")
        assert written < 200, "the gateway hangs up: it does not listen to megabytes"

    def test_a_certificate_that_nobody_vouches_for_is_not_sent_to(self):
        async def test(server, mine):
            (found,) = await within(mine.submit([outgoing(1)]))
            assert found.outcome == "not_sent"
            assert server.requests == []

        async def whole() -> None:
            async with HttpServer() as server:
                # This server speaks no TLS at all: the handshake fails before a byte of ours.
                mine = gateway(server, url=f"https://127.0.0.1:{server.port}/send")
                await mine.open()
                async with read(mine):
                    await test(server, mine)

        asyncio.run(whole())
