"""Goal: a reseller's report says what it says, whatever its zone, and never more.

Method: bodies composed by hand in the published formats, one fault each.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duly.delivery import Receipt, Reply
from duly.delivery.webhooks import ANSWERS, UnreadableError, When, read

SHANGHAI = ZoneInfo("Asia/Shanghai")
WHEN = When(zone=SHANGHAI, received_at=datetime(2026, 3, 10, 2, 5, tzinfo=UTC))
TEN_ONE = datetime(2026, 3, 10, 2, 1, tzinfo=UTC)


def body(told) -> bytes:
    return json.dumps(told).encode()


def aliyun(**also) -> dict:
    return {
        "phone_number": "13800000001", "send_time": "2026-03-10 10:00:00",
        "report_time": "2026-03-10 10:01:00", "success": True, "err_code": "DELIVERED",
        "err_msg": "用户接收成功", "sms_size": "1", "biz_id": "b1", "out_id": "",
    } | also  # fmt: skip


def tencent(**also) -> dict:
    return {
        "user_receive_time": "2026-03-10 10:01:00", "nationcode": "86", "mobile": "13800000001",
        "report_status": "SUCCESS", "errmsg": "DELIVRD", "description": "用户短信送达成功",
        "sid": "s1",
    } | also  # fmt: skip


HUAWEI = (
    "sequence={part}&total={parts}&updateTime={time}&source=1&smsMsgId=h1_b2&status={status}"
    "&statusDesc=x"
)


def huawei(*, part=1, parts=1, time="2026-03-10T02:01:00Z", status="DELIVRD") -> bytes:
    return HUAWEI.format(part=part, parts=parts, time=time, status=status).encode()


@pytest.mark.parametrize(
    ("form", "told", "provider_id", "state", "code", "at"),
    [
        ("aliyun", body([aliyun()]), "b1", "delivered", "DELIVERED", TEN_ONE),
        ("aliyun", body(aliyun()), "b1", "delivered", "DELIVERED", TEN_ONE),  # Not in an array.
        ("aliyun", body([aliyun(success=False, err_code="MK:0001")]), "b1", "undelivered",
         "MK:0001", TEN_ONE),
        ("aliyun", body([aliyun(success=False, err_code="MK:0010")]), "b1", "unknown", "MK:0010",
         TEN_ONE),
        ("aliyun", body([aliyun(success=False, err_code="ZZ:1")]), "b1", "unknown", "ZZ:1",
         TEN_ONE),
        # Flag and code contradict each other.
        ("aliyun", body([aliyun(success=True, err_code="UNDELIV")]), "b1", "unknown", "UNDELIV",
         TEN_ONE),
        ("aliyun", body([aliyun(success=False, err_code="")]), "b1", "undelivered", "", TEN_ONE),
        ("tencent", body([tencent()]), "s1", "delivered", "DELIVRD", TEN_ONE),
        ("tencent", body([tencent(report_status="FAIL", errmsg="REJECTD")]), "s1", "undelivered",
         "REJECTD", TEN_ONE),
        ("huawei", huawei(), "h1_b2", "delivered", "DELIVRD", TEN_ONE),
        ("huawei", huawei(part=2, parts=3), "h1_b2#2/3", "delivered", "DELIVRD", TEN_ONE),
        ("huawei", huawei(status="E200030"), "h1_b2", "unknown", "E200030", TEN_ONE),
        ("generic", body({"receipts": [{"id": "g1", "code": "DELIVRD",
                                        "at": "2026-03-10T10:01:00+08:00"}]}),
         "g1", "delivered", "DELIVRD", TEN_ONE),
        ("generic", body({"receipts": [{"id": 5, "code": "EXPIRED", "part": 1, "parts": 2}]}),
         "5#1/2", "undelivered", "EXPIRED", None),
    ],
)  # fmt: skip
def test_a_receipt_is_read(form, told, provider_id, state, code, at):
    (found,) = read(form, told, when=WHEN)
    assert isinstance(found, Receipt)
    assert (found.provider_id, found.state, found.code) == (provider_id, state, code)
    assert found.at == at


@pytest.mark.parametrize(
    ("form", "told", "address", "to", "text", "at"),
    [
        ("aliyun", body([{"phone_number": "13800000001", "send_time": "2026-03-10 10:01:00",
                          "content": "TD", "sign_name": "示例", "dest_code": "1069",
                          "sequence_id": 9}]), "+8613800000001", "1069", "TD", TEN_ONE),
        ("tencent", body({"extend": "01", "mobile": "13800000001", "nationcode": "86",
                          "sign": "示例", "text": "退订", "time": 1773108060}),
         "+8613800000001", "01", "退订", TEN_ONE),
        ("tencent", body({"mobile": "13800000001", "text": "1", "time": "1773108060"}),
         "+8613800000001", "", "1", TEN_ONE),
        ("generic", body({"replies": [{"from": "+447700900001", "to": "1069", "text": "stop",
                                       "at": "2026-03-10T02:01:00Z"}]}),
         "+447700900001", "1069", "stop", TEN_ONE),
        ("generic", body({"replies": [{"from": "+447700900001", "text": ""}]}),
         "+447700900001", "", "", None),
    ],
)  # fmt: skip
def test_a_reply_is_read(form, told, address, to, text, at):
    (found,) = read(form, told, when=WHEN)
    assert isinstance(found, Reply)
    assert (found.address, found.to, found.text, found.at) == (address, to, text, at)


@pytest.mark.parametrize(
    ("time", "zone", "at"),
    [
        ("2026-03-10 10:01:00", SHANGHAI, TEN_ONE),
        ("2026-03-10 10:01:00", None, None),  # Nobody knows whose ten o'clock.
        ("2026-03-10 02:01:00", ZoneInfo("UTC"), TEN_ONE),
        # Read in a wrong zone it would come after it was told of: it says no instant.
        ("2026-03-10 10:01:00", ZoneInfo("UTC"), None),
        ("2026-03-06 09:00:00", SHANGHAI, None),  # Four days: no receipt is so late.
        ("2026-03-07 10:00:00", SHANGHAI, datetime(2026, 3, 7, 2, 0, tzinfo=UTC)),
        ("2026-02-30 10:00:00", SHANGHAI, None),
        ("0001-01-01 00:00:00", SHANGHAI, None),
        ("20260310100100", SHANGHAI, None),
        ("", SHANGHAI, None),
        (None, SHANGHAI, None),
        (1773108060, SHANGHAI, None),
    ],
)
def test_a_time_that_cannot_be_is_left_out(time, zone, at):
    when = When(zone=zone, received_at=WHEN.received_at)
    (found,) = read("aliyun", body([aliyun(report_time=time)]), when=when)
    assert (found.state, found.at) == ("delivered", at)


def test_the_same_report_twice_is_the_same_text_whatever_its_order_of_keys():
    turned = dict(reversed(aliyun().items()))
    first, again, other = read("aliyun", body([aliyun(), turned, aliyun(biz_id="b2")]), when=WHEN)
    assert first.raw == again.raw != other.raw


def test_one_element_that_makes_no_sense_does_not_take_the_others_with_it():
    told = body([aliyun(), 7, aliyun(biz_id=""), aliyun(success="yes"), None, aliyun(biz_id="b5")])
    found = read("aliyun", told, when=WHEN)
    assert [one.provider_id for one in found] == ["b1", "", "", "", "", "b5"]
    assert [json.loads(one.raw)["what"] for one in found[1:5]] == [
        "no object", "biz_id is no text", "success is no truth value", "no object",
    ]  # fmt: skip
    assert {one.code for one in found[1:5]} == {"DULY:malformed"}


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("aliyun", b""), ("aliyun", b"\xff\xfe"), ("aliyun", b"[" * 100_000),
        ("tencent", b"not json"), ("huawei", b"\xff=1"), ("huawei", b"no form at all"),
        ("huawei", b"&".join(b"a=1" for _ in range(60))), ("generic", b"[]"),
        ("generic", b'{"receipts": 7}'), ("generic", b"{}"),
        ("aliyun", b"[" + b" " * (1 << 20) + b"]"), ("aliyun", body([1] * 1001)),
        ("generic", body({"receipts": [1] * 501, "replies": [1] * 500})),
    ],
)  # fmt: skip
def test_a_body_of_another_format_is_refused(form, told):
    with pytest.raises(UnreadableError):
        read(form, told, when=WHEN)


@given(
    st.sampled_from(sorted(ANSWERS)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*aliyun(), *tencent(), "content", "text", "receipts", "replies",
                             "id", "code", "at", "part", "parts", "from", "time"]),
            inner, max_size=8),
        max_leaves=20,
    ),
)  # fmt: skip
def test_any_json_is_read_or_refused_and_can_be_stored(form, told):
    try:
        found = read(form, body(told), when=WHEN)
    except UnreadableError:
        return
    for one in found:
        assert "\0" not in one.raw
        one.raw.encode()
        if isinstance(one, Receipt):
            assert one.provider_id.isascii()
            assert "\0" not in one.code
