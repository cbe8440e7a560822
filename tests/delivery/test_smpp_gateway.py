"""Goal: the SMPP gateway keeps to the port, and survives every center.

Method: the conformance suite, then one fault each, against a center of the tests' own.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from center import Act, Center, always, frame, tlv
from conformance import PATIENCE_SECONDS, SLOW_SECONDS, Conformance, Rig, read, until, within

from duly.core.errors import Refused
from duly.delivery import Outgoing, Receipt, Reply
from duly.delivery.smpp import SmppGateway, SmppSettings

WANTS = {"accepted": 0, "refused": 1, "throttled": 2, "unknown": 3, "slow": 4}


def outgoing(n: int, want: str = "accepted", text: str = "您好") -> Outgoing:
    """Return a message to a number whose last digit says what the center does."""
    return Outgoing(
        message_id=f"m{n:04}", channel="sms", address=f"+86138{n:07}{WANTS[want]}", text=text,
        message_class="dunning", template="overdue", locale="zh-CN",
    )  # fmt: skip


def act(submitted) -> Act:
    match int(submitted.destination[2][-1]):
        case 1:
            return Act(status=0x0B)
        case 2:
            return Act(status=0x58)
        case 3:
            return Act(answers=0, receipts=())
        case 4:
            return Act(after=SLOW_SECONDS)
        case _:
            return Act()


def gateway(center: Center, **given) -> SmppGateway:
    settings = SmppSettings(
        host="127.0.0.1", port=center.port, system_id="duly", password="s3cr3t",
        source="1069000000", response_seconds=PATIENCE_SECONDS, close_seconds=2.0,
        retry_seconds=0.05, throttled_seconds=0.05, connect_seconds=1.0,
    )  # fmt: skip
    return SmppGateway("carrier-a", replace(settings, **given), label="w1")


def read_message(parts) -> str:
    """Read the parts of one message by Python's own codecs; GSM-7 where it is ASCII."""
    bodies = [one.message[6:] if one.esm_class & 0x40 else one.message for one in parts]
    if parts[0].data_coding == 8:
        return b"".join(bodies).decode("utf-16-be")
    text = b"".join(bodies)
    for octets, one in ((b"\x1b\x3c", "["), (b"\x1b\x3e", "]"), (b"\x1b\x28", "{"),
                        (b"\x1b\x29", "}"), (b"\x1b\x3d", "~"), (b"\x1b\x2f", "\\"),
                        (b"\x1b\x40", "|"), (b"\x1b\x14", "^")):  # fmt: skip
        text = text.replace(octets, one.encode())
    return text.decode("ascii")


class TestConformance(Conformance):
    bad_addresses = ("", "+", "1 3800", "13800;1069", "138\0", "١٣٨", "a@b.example", "1" * 21)

    @asynccontextmanager
    async def rig(self, *, window=20):
        async with Center(act=act) as center:

            def arrived(digits: str) -> str:
                return read_message([s for s in center.submitted if s.destination[2] == digits])

            async def die() -> None:
                await center.stop()

            yield Rig(
                gateway=gateway(center, window=window),
                outgoing=outgoing,
                reached=lambda: [
                    one.destination[2]
                    for one in center.submitted
                    if not one.esm_class or one.message[5] == 1
                ],
                text_of=arrived,
                most_open=lambda: center.most_open,
                die=die,
                revive=center.start,
                key=lambda one: one.address[1:],
            )


def with_center(test, *, center: Center | None = None, **given) -> list:
    """Run a test against a center and return what came in."""

    async def whole() -> list:
        async with center or Center(act=act) as peer:
            mine = gateway(peer, **given)
            await mine.open()
            async with read(mine) as found:
                await test(peer, mine, found)
            return found

    return asyncio.run(asyncio.wait_for(whole(), 20))


class TestSigningIn:
    def test_signs_in_as_a_transceiver_of_version_3_4_and_signs_out(self):
        async def test(center, mine, found):
            assert center.binds == [("duly", "s3cr3t", "", 0x34)]
            await mine.close()
            await until(lambda: 0x06 in center.heard)

        with_center(test)

    def test_a_bind_that_is_refused_names_route_and_status(self):
        async def whole() -> None:
            async with Center(bind_status=0x0E) as center:
                with pytest.raises(Refused) as refused:
                    await gateway(center).open()
                (told,) = refused.value.diagnostics
                assert told.code == "smpp_bind_refused"
                assert "carrier-a" in told.sentence("en")
                assert "0x0000000e ESME_RINVPASWD" in told.sentence("en")
                assert "s3cr3t" not in told.render("en") + told.render("zh-CN")
                assert center.submitted == []

        asyncio.run(whole())

    def test_a_center_that_does_not_answer_the_bind_is_given_up(self):
        async def whole() -> None:
            async with Center(silent_to=(0x09,)) as center:
                with pytest.raises(Refused, match="DULY:no_answer"):
                    await within(gateway(center, connect_seconds=0.2).open())

        asyncio.run(whole())

    def test_nobody_at_the_port_is_refused(self):
        async def whole() -> None:
            async with Center() as center:
                mine = gateway(center)
            with pytest.raises(Refused, match="carrier-a"):
                await within(mine.open())
            assert not mine.ready

        asyncio.run(whole())

    def test_a_password_never_shows_in_a_settings_text(self):
        assert "s3cr3t" not in repr(SmppSettings(host="h", port=1, system_id="duly",
                                                 password="s3cr3t", source="1069"))  # fmt: skip


class TestSubmission:
    def test_says_whom_from_whom_to_and_until_when(self):
        async def test(center, mine, found):
            one = replace(outgoing(1), not_after=datetime(2026, 3, 10, 11, 0, tzinfo=UTC))
            (answer,) = await mine.submit([one])
            assert answer.provider_ids == ("c000001",)
            (sent,) = center.submitted
            assert sent.source == (0, 0, "1069000000")
            assert sent.destination == (1, 1, one.address[1:])
            assert (sent.validity, sent.receipt, sent.esm_class) == ("260310110000000+", 1, 0)
            assert (sent.data_coding, sent.message) == (8, "您好".encode("utf-16-be"))

        with_center(test)

    def test_a_name_of_letters_and_a_center_without_validity(self):
        async def test(center, mine, found):
            one = replace(outgoing(1), not_after=datetime(2026, 3, 10, 11, 0, tzinfo=UTC))
            await mine.submit([one])
            assert center.submitted[0].source == (5, 0, "Example")
            assert center.submitted[0].validity == ""

        with_center(test, source="Example", validity=False)

    def test_a_long_text_has_one_id_a_part_and_fits_any_window(self):
        async def test(center, mine, found):
            (answer,) = await mine.submit([outgoing(1, text="逾" * 150)])
            assert answer.provider_ids == ("c000001", "c000002", "c000003")
            assert [one.message[:6].hex() for one in center.submitted] == [
                f"050003{center.submitted[0].message[3]:02x}03{n:02x}" for n in (1, 2, 3)
            ]
            assert center.most_open == 1

        with_center(test, window=1)

    @pytest.mark.parametrize(
        ("second", "outcome", "code"),
        [
            (Act(status=0x45), "refused", "DULY:partial 0x00000045 ESME_RSUBMITFAIL"),
            (Act(status=0x58), "refused", "DULY:partial 0x00000058 ESME_RTHROTTLED"),
            (Act(answers=0, receipts=()), "unknown", "DULY:no_answer"),
        ],
    )
    def test_a_text_of_which_a_part_was_not_taken_is_not_delivered(self, second, outcome, code):
        async def test(center, mine, found):
            (answer,) = await mine.submit([outgoing(1, text="逾" * 150)])
            assert (answer.outcome, answer.code) == (outcome, code)
            assert answer.provider_ids == ()  # A receipt for a fragment is no delivery.

        center = Center(act=lambda one: second if one.nth == 2 else Act())
        with_center(test, center=center)

    @pytest.mark.parametrize(
        ("status", "outcome", "code", "retry"),
        [
            (0x58, "throttled", "0x00000058 ESME_RTHROTTLED", 1),
            (0x14, "throttled", "0x00000014 ESME_RMSGQFUL", 1),
            (0x08, "throttled", "0x00000008 ESME_RSYSERR", 1),
            (0x0B, "refused", "0x0000000b ESME_RINVDSTADR", None),
            (0x421, "refused", "0x00000421", None),
        ],
    )
    def test_each_status_leads_to_its_outcome_and_is_kept_raw(self, status, outcome, code, retry):
        async def test(center, mine, found):
            (answer,) = await mine.submit([outgoing(1)])
            assert (answer.outcome, answer.code) == (outcome, code)
            assert answer.retry_after_seconds == retry

        with_center(test, center=Center(act=always(Act(status=status))))

    def test_a_center_that_says_not_now_is_left_alone_for_a_while(self):
        async def test(center, mine, found):
            loop = asyncio.get_running_loop()
            await mine.submit([outgoing(1)])
            before = loop.time()
            await mine.submit([outgoing(2)])
            assert loop.time() - before >= 0.3

        center = Center(act=lambda one: Act(status=0x58 if one.nth == 1 else 0))
        with_center(test, center=center, throttled_seconds=0.3)

    def test_a_route_goes_no_faster_than_it_may(self):
        async def test(center, mine, found):
            loop = asyncio.get_running_loop()
            before = loop.time()
            for n in range(3):
                await mine.submit([outgoing(20 * n + k) for k in range(20)])
            # 60 at 100 a second, of which a twentieth of a second may go at once.
            assert loop.time() - before >= 0.5

        with_center(test, per_second=100)

    def test_an_answer_without_an_id_is_accepted_and_says_so(self):
        async def test(center, mine, found):
            (answer,) = await mine.submit([outgoing(1)])
            assert (answer.outcome, answer.provider_ids) == ("accepted", ())
            assert answer.code == "DULY:no_id"

        with_center(test, center=Center(act=always(Act(name="", receipts=()))))


class TestFaults:
    def test_a_connection_cut_in_the_window_leaves_its_messages_unknown(self):
        async def test(center, mine, found):
            answers = await within(mine.submit([outgoing(n) for n in range(10)]))
            outcomes = [one.outcome for one in answers]
            reached = [one.destination[2] for one in center.submitted]
            assert "unknown" in outcomes
            for n, outcome in enumerate(outcomes):
                assert outcome != "not_sent" or outgoing(n).address[1:] not in reached
            await until(lambda: mine.ready and len(center.binds) == 2)
            (again,) = await within(mine.submit([outgoing(11)]))
            assert again.outcome == "accepted"
            assert max(reached.count(one) for one in reached) == 1

        center = Center(act=lambda one: Act(cut=one.nth == 4, after=0.05))
        with_center(test, center=center)

    def test_answers_out_of_order_and_twice_reach_their_messages(self):
        async def test(center, mine, found):
            answers = await within(mine.submit([outgoing(n) for n in range(6)]))
            assert [one.provider_ids for one in answers] == [(f"c{n:06}",) for n in range(1, 7)]
            await until(lambda: len(found) >= 6)
            assert {one.code for one in found} == {"DULY:malformed"}
            assert all("answer to nothing" in one.raw for one in found)

        center = Center(act=lambda one: Act(after=0.3 - 0.04 * one.nth, answers=2, receipts=()))
        with_center(test, center=center)

    def test_an_answer_after_the_time_is_kept_for_whoever_reconciles(self):
        async def test(center, mine, found):
            (answer,) = await within(mine.submit([outgoing(1)]))
            assert (answer.outcome, answer.code) == ("unknown", "DULY:no_answer")
            await until(lambda: len(found) == 1)
            (kept,) = found
            assert (kept.provider_id, kept.state, kept.code) == ("", "unknown", "DULY:late_answer")
            assert json.loads(kept.raw) == {"message_id": "m0001", "provider_id": "c000001",
                                            "status": "0x00000000 ESME_ROK"}  # fmt: skip

        center = Center(act=always(Act(after=0.7, receipts=())))
        with_center(test, center=center, response_seconds=0.3)

    @pytest.mark.parametrize(
        ("garbage", "what"),
        [
            (bytes(16), "command_length 0"),
            (b"\xff" * 40, "command_length 4294967295"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "command_length 1213486160"),
        ],
    )
    def test_bytes_that_are_no_pdu_end_the_connection_with_a_record(self, garbage, what):
        async def test(center, mine, found):
            (answer,) = await within(mine.submit([outgoing(1)]))
            assert answer.outcome == "unknown"
            await until(lambda: len(found) == 1 and mine.ready)
            assert (found[0].code, json.loads(found[0].raw)["what"]) == ("DULY:malformed", what)
            (again,) = await within(mine.submit([outgoing(2)]))
            assert again.outcome == "accepted"

        garbled = Act(garbage=garbage, receipts=())
        center = Center(act=lambda one: garbled if one.nth == 1 else Act(receipts=()))
        with_center(test, center=center)

    def test_a_body_that_is_cut_and_a_command_that_is_unknown_are_survived(self):
        async def test(center, mine, found):
            center.send(frame(0x05, 0, 71, b"\0\x01\x01861"))
            center.send(frame(0x0103, 0, 72, b"data_sm"))
            center.send(frame(0x0102, 0, 73, b"alert"))
            center.send(frame(0x80000004, 0, 7777, b"x\0"))
            await until(lambda: len(found) == 3 and len(center.answers) == 2)
            assert center.answers == [(0x80000005, 0x66, 71), (0x80000000, 0x03, 72)]
            assert [json.loads(one.raw)["what"] for one in found] == [
                "source_addr has no end", "command 0x00000103", "answer to nothing",
            ]  # fmt: skip
            (answer,) = await within(mine.submit([outgoing(1)]))
            assert answer.outcome == "accepted"

        with_center(test)

    def test_a_center_that_falls_silent_is_left_and_come_back_to(self):
        async def test(center, mine, found):
            await until(lambda: len(center.binds) == 2 and mine.ready)
            assert "enquire_link was not answered" in found[0].raw

        center = Center(silent_to=(0x15,))
        with_center(test, center=center, enquire_seconds=0.1, response_seconds=0.2)

    def test_a_silent_connection_is_asked_and_an_enquiry_is_answered(self):
        async def test(center, mine, found):
            center.send(frame(0x15, 0, 5))
            await until(lambda: (0x80000015, 0, 5) in center.answers)
            await until(lambda: center.heard.count(0x15) >= 2)
            assert mine.ready
            assert len(center.binds) == 1

        with_center(test, enquire_seconds=0.1)

    def test_a_center_that_signs_us_out_is_answered_and_come_back_to(self):
        async def test(center, mine, found):
            center.send(frame(0x06, 0, 9))
            await until(lambda: (0x80000006, 0, 9) in center.answers)
            await until(lambda: len(center.binds) == 2 and mine.ready)

        with_center(test)

    def test_a_lane_that_is_cancelled_gives_its_place_back(self):
        async def test(center, mine, found):
            lanes = [asyncio.create_task(_submit(mine, n)) for n in range(4)]
            await until(lambda: len(center.submitted) == 2)
            for lane in lanes:
                lane.cancel()
            await asyncio.wait(lanes)
            await asyncio.sleep(PATIENCE_SECONDS + 0.3)
            answers = await within(mine.submit([outgoing(50), outgoing(51)]))
            assert [one.outcome for one in answers] == ["accepted", "accepted"]

        with_center(test, window=2)


async def _submit(mine, n):
    return await mine.submit([outgoing(n, "unknown")])


class TestReports:
    def test_a_receipt_is_acknowledged_after_it_was_taken_and_not_before(self):
        async def whole() -> None:
            async with Center() as center:
                mine = gateway(center, close_seconds=0.1)
                await mine.open()
                reports = mine.incoming()
                await mine.submit([outgoing(1), outgoing(2)])
                first = await within(anext(reports))
                await asyncio.sleep(0.05)
                assert center.answers == []  # Not yet written down: the center keeps it.
                second = await within(anext(reports))
                await until(lambda: center.answers == [(0x80000005, 0, 1)])
                assert {first.provider_id, second.provider_id} == {"c000001", "c000002"}
                await mine.close()
                assert center.answers == [(0x80000005, 0, 1)]
                await reports.aclose()

        asyncio.run(whole())

    def test_receipts_find_their_message_and_strange_ones_stay_unknown(self):
        async def test(center, mine, found):
            await mine.submit([outgoing(1)])
            await until(lambda: len(found) == 3)
            assert [(one.provider_id, one.state, one.code) for one in found] == [
                ("c000001", "delivered", "DELIVRD"),
                ("c000001", "delivered", "DELIVRD"),
                ("c000001", "unknown", "MK:0010"),
            ]
            assert found[0].raw == found[1].raw  # The store keeps the same one once.

        receipts = ("DELIVRD", "DELIVRD", "MK:0010")
        with_center(test, center=Center(act=always(Act(receipts=receipts))))

    def test_replies_come_with_their_words_and_long_ones_whole(self):
        async def test(center, mine, found):
            center.deliver(b"TD")
            center.deliver(b"TD")
            for part, words in ((2, "催了"), (1, "别再")):
                center.deliver(bytes([5, 0, 3, 9, 2, part]) + words.encode("utf-16-be"),
                               esm_class=0x40, data_coding=8)  # fmt: skip
            center.deliver(b"", tlvs=tlv(0x0424, "退订".encode("utf-16-be")), data_coding=8)
            await until(lambda: len([one for one in found if isinstance(one, Reply)]) == 4)
            replies = [one for one in found if isinstance(one, Reply)]
            assert [one.text for one in replies] == ["TD", "TD", "别再催了", "退订"]
            assert {one.address for one in replies} == {"+8613800000001"}
            assert len({one.raw for one in replies}) == 4  # Said twice is said twice.
            pieces = [one for one in found if isinstance(one, Receipt)]
            assert [one.code for one in pieces] == ["DULY:piece_of_reply"] * 2
            await until(lambda: len(center.answers) == 5)

        with_center(test)

    def test_a_long_reply_that_stays_in_pieces_is_not_lost(self):
        async def test(center, mine, found):
            center.deliver(bytes([5, 0, 3, 9, 2, 1]) + b"stop it", esm_class=0x40)
            await until(lambda: any(isinstance(one, Reply) for one in found))
            assert found[-1].text == "stop it[…]"

        with_center(test, reply_seconds=0.2)

    def test_ids_in_hex_and_decimal_are_one(self):
        async def test(center, mine, found):
            (answer,) = await mine.submit([outgoing(1)])
            assert answer.provider_ids == ("31",)
            center.deliver(b"id:0000000031 stat:DELIVRD", esm_class=4)
            center.deliver(b"", esm_class=4, tlvs=tlv(0x1E, b"1f\0") + tlv(0x427, b"\x02"))
            await until(lambda: len(found) == 2)
            assert [one.provider_id for one in found] == ["31", "31"]

        center = Center(act=always(Act(name="0000001F", receipts=())))
        with_center(test, center=center, ids="answer_hex")
