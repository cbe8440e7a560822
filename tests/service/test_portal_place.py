"""Goal: the pages are where the lender file says, behind its proxy too, and nowhere else.

Method: the whole stack in this process, for several lender files; no database is asked.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from browsing import Page
from django.test import Client
from django.urls import set_script_prefix
from known_books import LENDER

from duly.book import Portal
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.api import serving
from duly.service.api.signing import Signer
from duly.service.portal import handing_over

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


@pytest.fixture
def served():
    """Give the function that serves a lender file in this process."""

    def begin(**portal):
        serving.begin(
            serving.Serving(
                lender=replace(LENDER, portal=Portal(**portal)), now=lambda: NOW, clock=lambda: NOW,
                signer=Signer([b"Z" * 32]), plans=None, proxies=frozenset({"10.0.0.1"}),  # type: ignore[arg-type]
            )
        )  # fmt: skip
        return Client(enforce_csrf_checks=True, headers={"accept": "text/html"})

    yield begin
    set_script_prefix("/")


def test_under_a_path_every_address_has_it(served):
    client = served(path="/my/pages")
    for path in ("/my/pages/", "/my/pages", "/my/pages/verify", "/my/pages/caller?lang=zh-CN"):
        found = client.get(path)
        assert found.status_code == 200, path
        page = Page(found.content.decode())
        for one in page.elements:
            for name in ("href", "action"):
                where = one.attributes.get(name, "/my/pages/#")
                assert where.startswith(("/my/pages", "#", "tel:")), where
    assert client.get("/my/pages/style.css").status_code == 200
    assert client.get("/my/pages/nowhere").status_code == 404
    for path in ("/verify", "/my", "/my/pagesx"):
        found = client.get(path)
        assert (found.status_code, found["Content-Type"]) == (404, "application/problem+json"), path


def test_under_a_host_name_it_is_that_host_alone(served):
    client = served(host="my.example.com")
    assert client.get("/verify", headers={"host": "my.example.com:443"}).status_code == 200
    assert client.get("/verify", headers={"host": "MY.example.com"}).status_code == 200
    for host in ("api.example.com", "my.example.com.evil.example", "evil", ""):
        found = client.get("/verify", headers={"host": host})
        assert (found.status_code, found["Content-Type"]) == (404, "application/problem+json")
    # That host has no API.
    found = client.get("/healthz", headers={"host": "my.example.com"})
    assert (found.status_code, found["Content-Type"][:9]) == (404, "text/html")
    assert client.get("/healthz", headers={"host": "10.1.1.1"}).status_code == 200


def test_a_lender_may_serve_none(served):
    client = served(serve=False)
    for path in ("/", "/verify", "/sign-in"):
        found = client.get(path)
        assert (found.status_code, found["Content-Type"]) == (404, "application/problem+json")


def test_https_is_believed_of_our_proxy_alone(served):
    client = served()
    told = {"x-forwarded-proto": "https"}
    found = client.get("/verify", headers=told, REMOTE_ADDR="10.0.0.1")
    assert "max-age" in found["Strict-Transport-Security"]
    for address in ("10.0.0.2", "127.0.0.1"):
        found = client.get("/verify", headers=told, REMOTE_ADDR=address)
        assert "Strict-Transport-Security" not in found


def test_behind_the_proxy_a_form_of_its_own_page_is_taken_and_no_other(served):
    client = served()
    given = {"x-forwarded-proto": "https", "host": "my.example.com"}
    page = client.get("/sign-in", headers=given, REMOTE_ADDR="10.0.0.1")
    mark = Page(page.content.decode()).one("input", name="csrfmiddlewaretoken").attributes["value"]
    secret = f"__Host-duly-form={page.cookies['__Host-duly-form'].value}"
    for origin, status in (("https://my.example.com", 200), ("http://my.example.com", 403),
                           ("https://evil.example", 403)):  # fmt: skip
        # Signing out asks nothing of the store where nobody is signed in.
        found = client.post(
            "/sign-out",
            {"csrfmiddlewaretoken": mark},
            REMOTE_ADDR="10.0.0.1",
            headers=given | {"origin": origin, "cookie": secret},
        )
        assert found.status_code == status, origin


@pytest.mark.parametrize(("value", "good"), [("x" * 16, True), ("x" * 15, False), ("", False)])
def test_a_secret_of_hand_overs_is_long_or_the_server_does_not_begin(value, good):
    lender = replace(LENDER, portal=Portal(handover_secret_env="HAND"))
    if good:
        assert handing_over.secret_of(lender, {"HAND": value}) == value.encode()
        return
    with pytest.raises(Refused) as caught:
        handing_over.secret_of(lender, {"HAND": value})
    assert [one.code for one in caught.value.diagnostics] == ["handover_secret"]
    assert isinstance(caught.value.diagnostics[0], Diagnostic)
    assert handing_over.secret_of(LENDER, {}) == b""
