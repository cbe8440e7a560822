"""Goal: a route of the lender file becomes its gateway, or every mistake is named at once.

Method: routes with one mistake each; the file's own reader first where it reads the file.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from duly.book import Route, load_lender
from duly.core.errors import Refused
from duly.delivery.http import HttpGateway
from duly.delivery.letters import LetterGateway
from duly.delivery.pacing import Paced
from duly.delivery.retrying import Terms
from duly.delivery.smpp import SmppGateway
from duly.delivery.smtp import SmtpGateway
from duly.service.operations.intake import intakes_of
from duly.service.outbox.gateways import gateways_of, sent_by_worker
from duly.service.outbox.route_terms import terms_of

ENVIRON = {"DULY_SMPP_PASSWORD": "s3cr3t", "DULY_GATEWAY_SECRET": "a secret"}
SMPP = {
    "host": "127.0.0.1", "port": 2775, "system_id": "duly", "source": "1069000000",
    "password_env": "DULY_SMPP_PASSWORD",
}  # fmt: skip
SMTP = {"host": "127.0.0.1", "port": 25, "sender": "service@lender.example"}
HEAD = {"zh-CN": "示例消费金融有限公司|95xxx"}
LETTER = {"spool": "/nowhere", "letterhead": HEAD}
HTTP = {"url": "http://127.0.0.1:8081/send", "secret_env": "DULY_GATEWAY_SECRET"}


def clock() -> datetime:
    return datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def made(kind: str, settings, environ=ENVIRON):
    channel = {"smtp": "email", "webhook": "push", "letter": "letter"}.get(kind, "sms")
    route = Route(name="one", channel=channel, kind=kind, settings=settings)
    return gateways_of([route], clock=clock, label="w1", environ=environ)["one"]


def test_the_example_of_the_contract_becomes_its_gateways():
    routes = [route for route in load_lender(None).routes if sent_by_worker(route)]
    found = gateways_of(routes, clock=clock, label="w1", environ=ENVIRON)
    assert {name: type(one).__name__ for name, one in found.items()} == {
        "carrier-a": "SmppGateway", "gateway-b": "HttpGateway", "mail": "SmtpGateway",
        "sandbox": "Sandbox",
    }  # fmt: skip
    assert [one.window for one in found.values()] == [50, 20, 10, 50]


def test_every_setting_of_the_documents_is_read_by_the_file_and_by_its_gateway(tmp_path):
    key = tmp_path / "key.pem"
    key.write_text("a key", encoding="utf-8")
    file = tmp_path / "lender.yaml"
    file.write_text(
        f"""
lender: {{name: 示例, signature: 示例, hotline: "95xxx", app: 示例}}
routes:
  - {{name: a, channel: sms, kind: smpp, host: 127.0.0.1, port: 2775, system_id: duly,
     password_env: DULY_SMPP_PASSWORD, source: Example, source_ton: 5, source_npi: 0,
     system_type: OTP, tls: required, window: 5, per_second: 9, ids: answer_hex,
     time_zone: Asia/Shanghai, default_coding: 3, validity: false, timeout_seconds: 9,
     enquire_seconds: 9, attempts: 5, back_off: 5s, back_off_most: 2h, fallback_refusals: 3,
     fallback_after: 10m}}
  - {{name: b, channel: sms, kind: http, url: "https://gateway.example/send",
     secret_env: DULY_GATEWAY_SECRET, template_codes: {{receipt: SMS_1}}, id_field: BizId,
     code_field: Code, code_ok: OK, by_part: true, window: 5, per_second: 9, timeout_seconds: 9}}
  - {{name: c, channel: email, kind: smtp, host: mail.example, port: 587, tls: required,
     user: duly, password_env: DULY_SMPP_PASSWORD, sender: service@lender.example,
     sender_name: 示例, envelope: bounces@lender.example, subject: 通知,
     unsubscribe_url: "https://lender.example/stop/{{message_id}}",
     unsubscribe_mail: stop@lender.example, dkim_domain: lender.example, dkim_selector: s1,
     dkim_key_file: "{key}", window: 5, per_second: 9, timeout_seconds: 9}}
  - {{name: d, channel: push, kind: webhook, url: "https://app.lender.example/duly",
     secret_env: DULY_GATEWAY_SECRET, webhook_secret_env: DULY_GATEWAY_SECRET, id_field: ref,
     title: {{en: A message}}, preview: {{zh-CN: 请打开App}}, time_zone: Asia/Shanghai,
     link: "lender://inbox/{{message_id}}", window: 5, per_second: 9, timeout_seconds: 9}}
  - {{name: e, channel: letter, kind: letter, spool: "{tmp_path}", time_zone: Asia/Taipei,
     letterhead: {{zh-TW: "示例|02-0000-0000"}}, fonts: "{tmp_path}", typeface: Noto Serif,
     webhook_secret_env: DULY_GATEWAY_SECRET, window: 5, per_second: 9, timeout_seconds: 9}}
""",
        encoding="utf-8",
    )
    found = gateways_of(load_lender(file).routes, clock=clock, label="w1", environ=ENVIRON)
    assert isinstance(found["a"], SmppGateway)
    assert isinstance(found["b"], HttpGateway)
    assert isinstance(found["c"], SmtpGateway)
    assert isinstance(found["d"], HttpGateway)
    assert isinstance(found["e"], LetterGateway)
    assert [one.window for one in found.values()] == [5, 5, 5, 5, 5]
    # What each of them may do a second is shared with the workers beside us.
    assert [name for name, one in found.items() if not isinstance(one, Paced)] == []
    assert all(one.pace.limited for one in found.values())
    assert set(intakes_of(load_lender(file).routes, ENVIRON)) == {"d", "e"}
    assert {one.form for one in intakes_of(load_lender(file).routes, ENVIRON).values()} == {
        "generic"
    }


@pytest.mark.parametrize(
    ("kind", "settings", "code", "named"),
    [
        ("smpp", {k: v for k, v in SMPP.items() if k != "host"}, "route_missing_setting", "host"),
        ("smpp", SMPP | {"port": 0}, "route_bad_setting", "port"),
        ("smpp", SMPP | {"port": "2775"}, "route_bad_setting", "port"),
        ("smpp", SMPP | {"window": 0}, "route_bad_setting", "window"),
        ("smpp", SMPP | {"window": True}, "route_bad_setting", "window"),
        ("smpp", SMPP | {"source": "示例消金"}, "route_bad_setting", "source"),
        ("smpp", SMPP | {"source": "1" * 21}, "route_bad_setting", "source"),
        ("smpp", SMPP | {"system_id": "a" * 16}, "route_bad_setting", "system_id"),
        ("smpp", SMPP | {"ids": "octal"}, "route_bad_setting", "ids"),
        ("smpp", SMPP | {"time_zone": "Beijing"}, "route_bad_setting", "time_zone"),
        ("smpp", SMPP | {"tls": "maybe"}, "route_bad_setting", "tls"),
        ("smpp", SMPP | {"validity": "no"}, "route_bad_setting", "validity"),
        ("smpp", SMPP | {"ca_file": "/nowhere/ca.pem"}, "route_no_file", "ca_file"),
        ("smpp", SMPP | {"sender": "a@b.example"}, "route_unknown_setting", "sender"),
        ("smpp", SMPP | {"password_env": "NOT_SET"}, "route_no_secret", "NOT_SET"),
        ("http", {"secret_env": "DULY_GATEWAY_SECRET"}, "route_missing_setting", "url"),
        ("http", HTTP | {"url": "ftp://x.example"}, "route_bad_setting", "url"),
        ("http", HTTP | {"url": "https://me:pw@x.example"}, "route_bad_setting", "url"),
        ("http", HTTP | {"url": "http://[::1"}, "route_bad_setting", "url"),
        ("http", HTTP | {"template_codes": ["SMS_1"]}, "route_bad_setting", "template_codes"),
        ("http", HTTP | {"secret_env": "NOT_SET"}, "route_no_secret", "NOT_SET"),
        ("smtp", SMTP | {"sender": "示例 <a@b.example>"}, "route_bad_setting", "sender"),
        ("smtp", SMTP | {"sender_name": "a\r\nBcc: b"}, "route_bad_setting", "sender_name"),
        ("smtp", SMTP | {"unsubscribe_url": "http://x.example"}, "route_bad_setting",
         "unsubscribe_url"),
        ("smtp", SMTP | {"dkim_domain": "x.example"}, "route_missing_setting", "dkim_key_file"),
        ("sandbox", {"seed": "seven"}, "route_bad_setting", "seed"),
        ("sandbox", {"host": "127.0.0.1"}, "route_unknown_setting", "host"),
        ("webhook", {"url": HTTP["url"]}, "route_missing_setting", "secret_env"),
        ("webhook", HTTP | {"title": "您好"}, "route_bad_setting", "title"),
        ("webhook", HTTP | {"title": {"zh-CN": "还款提醒"}}, "route_tells_debt", "还款"),
        ("webhook", HTTP | {"link": "//lender.example"}, "route_bad_setting", "link"),
        ("webhook", HTTP | {"webhook_format": "aliyun"}, "route_unknown_setting",
         "webhook_format"),
        ("letter", {"spool": "/nowhere"}, "route_missing_setting", "letterhead"),
        ("letter", {"letterhead": HEAD}, "route_missing_setting", "spool"),
        ("letter", LETTER | {"letterhead": {}}, "route_bad_setting", "letterhead"),
        ("letter", LETTER | {"letterhead": {"zh-CN": "示例||95xxx"}}, "route_bad_setting",
         "letterhead"),
        ("letter", LETTER | {"letterhead": "示例"}, "route_bad_setting", "letterhead"),
        ("letter", LETTER | {"time_zone": "Beijing"}, "route_bad_setting", "time_zone"),
        ("letter", LETTER | {"url": "https://x.example"}, "route_unknown_setting", "url"),
        ("pigeon", {}, "no_gateway", "pigeon"),
    ],
)  # fmt: skip
def test_a_setting_that_is_missing_wrong_or_unknown_is_refused_by_name(kind, settings, code, named):
    with pytest.raises(Refused) as refused:
        made(kind, settings)
    assert [one.code for one in refused.value.diagnostics] == [code]
    (found,) = refused.value.diagnostics
    for locale in ("en", "zh-CN"):
        text = found.render(locale)
        assert named in text
        assert "{" not in text.replace("{message_id}", "").replace("{template: code}", "")
        assert "s3cr3t" not in text


def test_the_mistakes_of_all_routes_are_named_at_once():
    routes = [
        Route(name="a", channel="sms", kind="smpp", settings={}),
        Route(name="b", channel="sms", kind="http", settings={"url": "x", "color": "red"}),
    ]
    with pytest.raises(Refused) as refused:
        gateways_of(routes, clock=clock, label="w1", environ={})
    found = [(one.values["route"], one.code, one.values.get("name"))
             for one in refused.value.diagnostics]  # fmt: skip
    assert found == [
        ("a", "route_missing_setting", "source"),
        ("a", "route_missing_setting", "system_id"),
        ("a", "route_missing_setting", "password_env"),
        ("a", "route_missing_setting", "host"),
        ("b", "route_bad_setting", "url"),
        ("b", "route_missing_setting", "secret_env"),
        ("b", "route_unknown_setting", "color"),
    ]


def test_the_terms_of_a_route_are_read_and_are_plain_where_nothing_is_said():
    said = {"attempts": 5, "back_off": "5s", "back_off_most": "2h", "fallback_refusals": 3,
            "fallback_after": "10m"}  # fmt: skip
    routes = [
        Route(name="one", channel="sms", kind="smpp", settings=SMPP | said),
        Route(name="two", channel="sms", kind="smpp", settings=SMPP),
    ]
    assert terms_of(routes) == {
        "one": Terms(attempts=5, first_seconds=5, most_seconds=7200, fallback_refusals=3,
                     fallback_after=600),
        "two": Terms(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("attempts", 0), ("attempts", 101), ("attempts", "5"), ("back_off", 5), ("back_off", "0s"),
        ("back_off", "25h"), ("back_off_most", "1d"), ("fallback_after", "soon"),
        ("fallback_after", True), ("fallback_refusals", -1),
    ],
)  # fmt: skip
def test_a_term_that_is_none_is_refused_by_name(key, value):
    with pytest.raises(Refused, match=key):
        made("smpp", SMPP | {key: value})
