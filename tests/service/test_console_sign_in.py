"""Goal: only who has both factors comes in, each code once; whoever goes out is out on the server.

Method: a running server; refusals compared by bytes; the record read back.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from browsing import Browser
from console_world import (
    KEYS,
    added,
    at_door,
    code_of,
    rows_since,
    same,
    seated,
    since,
    tried,
)
from portal_world import emptied

from duly.core.errors import Refused
from duly.service.console.signing_in import COOKIE, TRIED
from duly.service.operations import one_time, staff
from duly.service.store.models import Staff, StaffSession


@pytest.fixture
def world(facts):
    emptied(facts.url, books=False)
    return facts


def age(**minutes: int) -> None:
    """Let the sessions be older by so many minutes."""
    before = {f"{name}_at": datetime.now(UTC) - timedelta(minutes=one)
              for name, one in minutes.items()}  # fmt: skip
    StaffSession.objects.update(**before)


class TestDoor:
    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_name_password_and_code_open_it(self, world, language):
        given, before = added(), since()
        browser = at_door(world, "/staff/", language=language)
        assert browser.at == "/staff/sign-in"
        tried(browser, given)
        assert browser.at == "/staff/"
        assert "li.na" in browser.page.all("header")[0].text
        ((name, row),) = rows_since(before, "staff.signed_in")
        assert (name, row["by"], row["recovery"]) == ("li.na", "code", one_time.RECOVERY_CODES)
        assert given.password not in str(row)

    def test_the_cookie_is_for_this_host_alone_and_no_script(self, world):
        browser = at_door(world)
        given = added()
        fields = browser.form("/staff/sign-in") | {
            "name": "LI.NA", "password": given.password, "code": code_of(given),
        }  # fmt: skip
        found = browser.post("/staff/sign-in", fields, follow=False)
        (cookie,) = [one for one in found.cookies if one.startswith(f"{COOKIE}=")]
        rest = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "samesite=strict", "path=/"} == rest
        assert found.headers["content-security-policy"].count("unsafe") == 0
        assert found.headers["cache-control"] == "no-store"

    def test_a_deep_link_is_opened_after_it_and_nothing_else(self, world):
        given = added()
        browser = at_door(world, "/staff/")
        assert browser.form("/staff/sign-in")["to"] == "/staff/"
        for elsewhere in ("//evil.example", "https://evil.example", "/loan", "/staff/nowhere"):
            browser.go(f"/staff/sign-in?{urlencode({'to': elsewhere})}")
            assert browser.form("/staff/sign-in")["to"] == ""
        tried(browser, given)
        assert browser.at == "/staff/"

    @pytest.mark.parametrize("wrong", ["name", "password", "code", "disabled", "locked"])
    def test_whatever_is_wrong_the_answer_is_one(self, world, wrong):
        given = added()
        reference = at_door(world)
        tried(reference, given, name="nobody.here", password="a", code="000000")
        browser, before = at_door(world), since()
        other = {wrong: "nobody.at.all"} if wrong in ("name", "password", "code") else {}
        if wrong == "disabled":
            staff.disable(given.name)
        if wrong == "locked":
            Staff.objects.update(locked_until=datetime.now(UTC) + timedelta(minutes=1))
        found = tried(browser, given, **other)
        assert found.status == 422
        assert same(found.body) == same(reference.reply.body)
        assert COOKIE not in browser.cookies
        assert StaffSession.objects.count() == 0
        ((_, row),) = rows_since(before, "staff.refused")
        why = {"name": "unknown", "disabled": "unknown", "locked": "locked"}.get(wrong, "wrong")
        assert row["why"] == why
        assert "nobody.at.all" not in str(row)

    def test_a_code_counts_once(self, world):
        given = added()
        code = code_of(given)
        assert tried(at_door(world), given, code=code).status == 200
        again = at_door(world)
        assert tried(again, given, code=code).status == 422
        assert COOKIE not in again.cookies
        assert tried(again, given, code=code_of(given, steps=1)).status == 200

    def test_a_recovery_code_counts_once_however_it_is_written(self, world):
        given = added()
        text = given.recovery[0].upper().replace("-", " ")
        assert tried(at_door(world), given, code=text).status == 200
        assert len(Staff.objects.get().recovery) == one_time.RECOVERY_CODES - 1
        assert tried(at_door(world), given, code=given.recovery[0]).status == 422
        assert StaffSession.objects.get().by == "recovery"

    def test_five_wrong_tries_lock_the_account_for_a_quarter_of_an_hour(self, world):
        given, before = added(), since()
        browser = at_door(world)
        for _ in range(staff.TRIES):
            assert tried(browser, given, code="000000x").status == 422
        assert tried(browser, given).status == 422
        assert [name for name, _ in rows_since(before, "staff.locked")] == ["li.na"]
        until = Staff.objects.get().locked_until - datetime.now(UTC)
        assert timedelta(minutes=14) < until <= timedelta(minutes=15)
        Staff.objects.update(locked_until=datetime.now(UTC) - timedelta(seconds=1))
        assert tried(browser, given).status == 200
        assert Staff.objects.get().failures == 0

    def test_one_address_gets_so_many_tries_whatever_the_names(self, world):
        browser = at_door(world)
        fields = browser.form("/staff/sign-in") | {"name": "x", "password": "y", "code": "z"}
        found = [browser.post("/staff/sign-in", fields).status for _ in range(TRIED + 1)]
        assert found == [422] * TRIED + [429]
        assert "Retry-After".lower() in browser.reply.headers

    def test_a_form_of_elsewhere_is_refused(self, world):
        given, before = added(), since()
        fields = {"name": given.name, "password": given.password, "code": code_of(given)}
        browser = Browser(world, at="/staff/sign-in")
        assert browser.post("/staff/sign-in", fields).status == 403
        assert "Nothing" in browser.text or "nothing" in browser.text
        assert StaffSession.objects.count() == 0
        assert rows_since(before, "staff.refused") == []


class TestSession:
    def test_signing_out_ends_it_on_the_server(self, world):
        browser = seated(world)
        browser.go("/staff/")
        kept, before = dict(browser.cookies), since()
        browser.submit("/staff/sign-out")
        assert COOKIE not in browser.cookies
        thief = Browser(world, cookies=kept)
        thief.go("/staff/")
        assert thief.at == "/staff/sign-in"
        assert [name for name, _ in rows_since(before, "staff.signed_out")] == ["agent.1"]

    @pytest.mark.parametrize(
        "minutes",
        [{"seen": staff.IDLE_MINUTES + 1}, {"began": staff.WHOLE_MINUTES + 1}],
    )
    def test_two_clocks_end_it(self, world, minutes):
        browser = seated(world)
        assert browser.go("/staff/").status == 200
        age(**minutes)
        browser.go("/staff/")
        assert browser.at == "/staff/sign-in"

    def test_its_token_changes_and_the_former_ends(self, world):
        browser = seated(world)
        first = browser.cookies[COOKIE]
        age(changed=6)
        browser.go("/staff/")
        assert browser.cookies[COOKIE] != first
        age(changed=1)
        former = Browser(world, cookies={COOKIE: first})
        former.go("/staff/")
        assert former.at == "/staff/sign-in"

    @pytest.mark.parametrize("how", ["disable", "reset"])
    def test_who_is_disabled_or_reset_is_out(self, world, how):
        browser = seated(world)
        assert browser.go("/staff/").status == 200
        if how == "disable":
            assert staff.disable("agent.1") == 1
        else:
            staff.reset("agent.1", keys=KEYS)
        browser.go("/staff/")
        assert browser.at == "/staff/sign-in"

    def test_a_role_holds_from_the_second_it_is_given(self, world):
        browser = seated(world)
        browser.go("/staff/")
        assert "agent" in browser.page.all("header")[0].text
        Staff.objects.update(role="auditor")
        browser.go("/staff/")
        assert "auditor" in browser.page.all("header")[0].text


class TestAccounts:
    def test_a_name_is_one_persons_for_good(self, world):
        added()
        staff.disable("li.na")
        with pytest.raises(Refused) as refused:
            added()
        assert refused.value.diagnostics[0].code == "staff_there"
        with pytest.raises(Refused):
            staff.reset("li.na", keys=KEYS)
        assert [row["name"] for row in staff.listed()] == ["li.na"]

    @pytest.mark.parametrize(
        ("name", "role", "code"),
        [("Li Na", "agent", "staff_name"), ("", "agent", "staff_name"),
         ("a" * 61, "agent", "staff_name"), ("li.na", "boss", "staff_role")],
    )  # fmt: skip
    def test_what_is_no_name_or_role_is_refused(self, world, name, role, code):
        with pytest.raises(Refused) as refused:
            added(name, role)
        assert refused.value.diagnostics[0].code == code
        assert Staff.objects.count() == 0

    def test_nothing_that_opens_is_kept_as_it_is(self, world):
        given = added()
        kept = str(Staff.objects.values().get())
        for secret in (given.password, given.secret.hex(), *given.recovery):
            assert secret not in kept
        assert bytes(Staff.objects.get().secret).find(given.secret) == -1
        assert Staff.objects.get().password.startswith("scrypt$")
        assert given.password not in repr(given)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"),
     (1234567890, "89005924"), (2000000000, "69279037"), (20000000000, "65353130")],
)  # fmt: skip
def test_the_codes_are_those_of_rfc_6238(seconds, code):
    secret = b"12345678901234567890"
    assert one_time.code_at(secret, seconds // 30) == code[-6:]
    at = datetime.fromtimestamp(seconds, UTC)
    assert one_time.step_of(secret, code[-6:], at=at, after=0) == seconds // 30
    assert one_time.step_of(secret, code[-6:], at=at, after=seconds // 30) is None
    assert one_time.step_of(secret, code[-6:], at=at + timedelta(seconds=60), after=0) is None
