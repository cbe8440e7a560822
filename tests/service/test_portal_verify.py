"""Goal: anybody may ask whether a message is ours; nobody learns anything else by asking.

Method: a running server, a browser without JavaScript, forms that no page of ours made.
"""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from browsing import Browser, shown
from outgoing import fill

from duly.core.words import catalogue
from duly.service.api.slowing import ADDRESS_A_MINUTE, CODE_AN_HOUR
from duly.service.portal import guarding
from duly.service.store.models import Message

CODE, LAST4 = "3P773SGS", "0001"
LANGUAGES = ("en", "zh-CN")
PORTAL = Path(guarding.__file__).parent


@pytest.fixture
def sent(facts):
    """Give the server with one message that was sent."""
    with psycopg.connect(facts.url, autocommit=True) as ours:
        ours.execute("TRUNCATE store_message, store_run, store_borrower, store_counter CASCADE")
    fill(2, state="accepted", route="gateway")
    Message.objects.filter(message_id="m00001").update(code="ABCD2345")
    return facts


def asked(served, code, last4, *, language="en"):
    browser = shown(served, "/verify", language=language)
    browser.submit("/verify", code=code, last4=last4)
    return browser


class TestAnswer:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_the_owner_of_the_number_hears_when_and_by_which_way(self, sent, language):
        browser = asked(sent, "3p77-3sgs", LAST4, language=language)
        assert browser.reply.status == 200
        said = {"en": ["sent this message on Mar 10 by text message"],
                "zh-CN": ["在3月10日用短信发出了这条信息"]}  # fmt: skip
        assert all(one in browser.text for one in said[language]), browser.text

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_nothing_of_a_debt_or_a_person_is_said(self, sent, language):
        text = asked(sent, CODE, LAST4, language=language).text
        assert not re.search(r"overdue|owe|loan|欠|逾期|还款|借款|b00000|138", text), text

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_unknown_code_and_wrong_number_are_one_answer(self, sent, language):
        found = [
            asked(sent, code, last4, language=language)
            for code, last4 in ((CODE, "9999"), ("ZZZZ2222", LAST4), ("ZZZZ2222", "9999"))
        ]
        first, *rest = [one.reply for one in found]
        for one in rest:
            assert (one.status, one.body, one.cookies) == (200, first.body, first.cookies)
            assert one.headers | {"date": ""} == first.headers | {"date": ""}
        assert CODE not in first.body.decode()

    def test_the_same_answers_as_the_api(self, sent):
        for code, last4 in ((CODE, LAST4), (CODE, "9999"), ("ABCD2345", LAST4)):
            api = sent.post("/api/v1/verify", {"code": code, "phone_last4": last4}, key=None).json
            page = asked(sent, code, last4).text
            assert ("Yes, we sent it" in page) is api["ours"]

    @pytest.mark.parametrize(
        ("code", "last4", "wrong"),
        [("", LAST4, "code"), ("ＡＢＣＤ2345", LAST4, "code"), ("<b>", LAST4, "code"),
         ("x\x00y", LAST4, "code"), (CODE, "", "last4"), (CODE, "12", "last4"),
         (CODE, "１２３４", "last4"), (CODE, "12a4", "last4"), ("'--", "'--", "code")],
    )  # fmt: skip
    def test_what_cannot_be_one_is_said_beside_its_field(self, sent, code, last4, wrong):
        browser = asked(sent, code, last4)
        assert browser.reply.status == 422
        field = browser.page.one("input", name=wrong).attributes
        assert field["aria-invalid"] == "true"
        assert f"{wrong}-wrong" in field["aria-describedby"]


class TestLimits:
    def test_one_code_is_asked_for_a_few_times_an_hour_by_page_and_api_together(self, sent):
        for n in range(CODE_AN_HOUR // 2):
            assert asked(sent, "ABCD2345", f"{n:04}").reply.status == 200
            body = {"code": "abcd-2345", "phone_last4": "9999"}
            assert sent.post("/api/v1/verify", body, key=None).status == 200
        last = asked(sent, "ABCD 2345", LAST4)
        assert (last.reply.status, last.reply.headers["retry-after"]) == (429, "3600")
        assert "60 minutes" in last.text

    def test_one_address_asks_a_few_times_a_minute(self, sent):
        browser = shown(sent, "/verify")
        fields = browser.form("/verify")
        found = [browser.post("/verify", fields | {"code": f"AAAA{n:04}", "last4": LAST4}).status
                 for n in range(2 * ADDRESS_A_MINUTE + 2)]  # fmt: skip
        assert set(found[:ADDRESS_A_MINUTE]) == {200}
        assert 429 in found
        assert browser.post("/verify", fields, X_Forwarded_For="8.8.8.8").status == 429

    def test_no_address_and_no_code_is_kept(self, sent):
        asked(sent, "ABCD2345", LAST4)
        with psycopg.connect(sent.url) as ours:
            kept = str(ours.execute("SELECT * FROM store_counter").fetchall())
        assert "127.0.0.1" not in kept
        assert "ABCD2345" not in kept


class TestForms:
    def test_a_form_that_no_page_of_ours_made_is_refused(self, sent):
        browser = shown(sent, "/verify")
        fields = browser.form("/verify") | {"code": CODE, "last4": LAST4}
        forged = [
            (fields | {"csrfmiddlewaretoken": "x" * 64}, {}, browser.cookies),
            ({k: v for k, v in fields.items() if k != "csrfmiddlewaretoken"}, {}, browser.cookies),
            (fields, {}, {}),
            (fields, {"Origin": "https://evil.example"}, browser.cookies),
            (fields, {"Origin": "null"}, browser.cookies),
        ]
        for given, headers, cookies in forged:
            other = Browser(sent, cookies=dict(cookies))
            assert other.post("/verify", given, **headers).status == 403
            assert "sent it" not in other.text
        mine = f"http://127.0.0.1:{sent.port}"
        assert browser.post("/verify", fields, Origin=mine).status == 200

    def test_the_only_cookie_is_the_mark_of_the_form(self, sent):
        browser = shown(sent, "/verify")
        (cookie,) = browser.reply.cookies
        assert cookie.startswith("__Host-duly-form=")
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; ")), (
            cookie
        )
        assert not any(word in cookie.lower() for word in ("max-age", "domain", "expires"))

    @pytest.mark.parametrize(
        ("kind", "body", "status"),
        [("application/json", b"{}", 415), ("text/plain", b"code=1", 415),
         ("application/x-www-form-urlencoded", b"a" * (guarding.FORM_MAX + 1), 413),
         ("multipart/form-data", b"junk", 400), ("multipart/form-data; boundary=x", b"junk", 403),
         ("application/x-www-form-urlencoded; charset=nonsense", b"a=1", 403)],
    )  # fmt: skip
    def test_other_bodies_are_refused(self, sent, kind, body, status):
        browser = Browser(sent)
        assert browser.go("/verify", method="POST", body=body, kind=kind).status == status
        assert browser.page is not None

    def test_nothing_is_read_of_a_body_without_an_end(self, sent):
        browser = Browser(sent)
        found = browser.go(
            "/verify",
            method="POST",
            body=b"a=1",
            kind="application/x-www-form-urlencoded",
            Content_Length="9" * 13,
        )
        assert found.status == 400

    def test_thousands_of_fields_break_nothing(self, sent):
        many = "&".join(["a=1"] * 1100)
        browser = Browser(sent)
        assert browser.go(f"/?{many}").status == 200
        form = "application/x-www-form-urlencoded"
        found = browser.go("/verify", method="POST", body=many.encode(), kind=form)
        assert found.status in (400, 403)

    def test_other_methods_are_refused(self, sent):
        browser = Browser(sent)
        assert browser.go("/verify", method="PUT", body=b"").status == 405
        assert browser.reply.headers["allow"] == "GET, POST"


class TestPages:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("path", ["/", "/verify", "/caller", "/nowhere"])
    def test_each_says_who_helps_and_switches(self, sent, path, language):
        browser = shown(sent, path, language=language)
        assert browser.page.one("html").attributes["lang"] == language
        footer = browser.page.one("footer").text
        assert "95xxx" in footer
        assert "12378" in footer
        assert ("family" in footer) is (language == "en")
        other = next(one for one in LANGUAGES if one != language)
        browser.go(browser.page.one("a", hreflang=other).attributes["href"])
        assert browser.page.one("html").attributes["lang"] == other
        # The language of the address goes on, whatever the browser asks for.
        browser.go(browser.page.one("header").text and browser.page.all("a")[1].attributes["href"])
        assert browser.page.one("html").attributes["lang"] == other

    def test_larger_text_is_a_switch_that_goes_on_through_a_form(self, sent):
        browser = shown(sent, "/verify?size=large&lang=zh-CN")
        assert browser.page.one("html").attributes["class"] == "large"
        browser.submit("/verify", code=CODE, last4=LAST4)
        assert browser.page.one("html").attributes == {"lang": "zh-CN", "class": "large"}

    @pytest.mark.parametrize("path", ["/", "/verify", "/nowhere", "/style.css"])
    def test_nothing_comes_from_elsewhere(self, sent, path):
        headers = Browser(sent).go(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        if path != "/style.css":
            assert headers["cache-control"] == "no-store"
        assert "url(" not in (PORTAL / "style.css").read_text(encoding="utf-8")

    @pytest.mark.parametrize("value", ["<script>", "en\r\nX: y", "fr", "../..", "large" * 900])
    def test_strange_choices_change_nothing(self, sent, value):
        from urllib.parse import quote

        browser = shown(sent, f"/?lang={quote(value)}&size={quote(value)}")
        assert browser.page.one("html").attributes == {"lang": "en"}

    def test_programs_hear_of_unknown_addresses_as_before(self, sent):
        found = sent.get("/nowhere", key=None)
        assert (found.status, found.code) == (404, "not_found")
        assert Browser(sent).go("/api/v1/nowhere").status == 404
        assert sent.get("/healthz", key=None, Accept="text/html").status == 200


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(share * one for share, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_letters_stand_out_from_their_ground():
    text = (PORTAL / "style.css").read_text(encoding="utf-8")
    named = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", text))
    named = {k: "#" + "".join(c * 2 for c in v[1:]) if len(v) == 4 else v for k, v in named.items()}
    grounds = {
        "ink": ("paper", "warm", "need"),
        "soft": ("paper", "warm"),
        "act": ("paper", "warm"),
        "act-dark": ("paper", "warm"),
        "ours": ("paper",),
    }
    for letters, on in grounds.items():
        for ground in on:
            light, dark = sorted((luminance(named[ground]), luminance(named[letters])))[::-1]
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (letters, ground)


def test_both_languages_say_everything_and_no_page_says_what_is_not_there():
    chinese, english = catalogue("portal", "zh-CN"), catalogue("portal", "en")
    assert chinese.keys() == english.keys()
    holes = re.compile(r"\{(\w+)")
    for key, text in english.items():
        assert set(holes.findall(text)) == set(holes.findall(chinese[key])), key
        assert not re.search("[一-鿿]", text) or key == "page.language", key
    for file in (PORTAL / "templates").glob("*.html"):
        for key in re.findall(r'\{% (?:say|other) ["\']([\w.-]+)["\']', file.read_text("utf-8")):
            assert key in english, (file.name, key)
    assert not any(re.search("尊敬的|请知悉|！|你", text) for text in chinese.values())
    assert not any("!" in text for text in english.values())
