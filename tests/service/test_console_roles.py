"""Goal: every address of the console asks for a role, and each role gets what the table says.

Method: the addresses come from the urlconf itself, the expected answers from a table in data; a
running server answers every address for every role, and for nobody.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from browsing import Browser
from console_world import ROLES, rows_since, seated, since
from portal_world import emptied

from duly.book import Console, Portal
from duly.service.api import serving as api_serving
from duly.service.console import guarding, urls
from duly.service.console.roles import may, permissions
from duly.service.store.models import StaffSession
from duly.service.store.staff_models import ROLES as KNOWN

TABLE: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("console_roles.yaml").read_text("utf-8")
)
FORBIDDEN, SEE_OTHER = 403, 303


@pytest.fixture
def world(facts):
    emptied(facts.url, books=False)
    return facts


def test_every_address_has_a_row_and_a_permission():
    assert sorted(TABLE) == sorted(one.name for one in urls.urlpatterns)
    for one in urls.urlpatterns:
        needed = one.callback.permission
        expected = TABLE[one.name]["may"]
        if expected == "open":
            assert needed == "open", one.name
        else:
            assert sorted(permissions()[needed]) == sorted(expected), one.name


def test_the_table_of_roles_names_every_role_and_nothing_else():
    assert KNOWN == ROLES
    assert {role for roles in permissions().values() for role in roles} == set(ROLES)
    with pytest.raises(KeyError):
        may("admin", "no.such.permission")


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_the_table_says(world, role):
    browser, before = seated(world, role), since()
    browser.go("/staff/")
    mark = browser.form("/staff/sign-out")["csrfmiddlewaretoken"]
    refused = []
    for name, row in TABLE.items():
        if row["may"] == "open":
            continue
        where = f"/staff/{row['path']}"
        if row.get("method") == "POST":
            found = browser.post(where, {"csrfmiddlewaretoken": mark}, follow=False)
        else:
            found = browser.go(where, follow=False)
        assert (found.status == FORBIDDEN) == (role not in row["may"]), (name, found.status)
        refused += [name] * (role not in row["may"])
    noted = [row for _, row in rows_since(before, "staff.forbidden")]
    assert len(noted) == len(refused)
    assert {row["role"] for row in noted} <= {role}


def test_nobody_gets_anything_without_signing_in(world):
    browser = Browser(world)
    browser.go("/staff/sign-in")
    mark = browser.form("/staff/sign-in")["csrfmiddlewaretoken"]
    for name, row in TABLE.items():
        if row["may"] == "open":
            continue
        where = f"/staff/{row['path']}"
        if row.get("method") == "POST":
            found = browser.post(where, {"csrfmiddlewaretoken": mark}, follow=False)
            assert found.status == FORBIDDEN, name
        else:
            found = browser.go(where, follow=False)
            assert (found.status, found.body) == (SEE_OTHER, b""), name
            assert found.headers["location"].startswith("/staff/sign-in?to="), name


def test_no_form_is_taken_without_its_mark(world):
    browser = seated(world, "team_lead")
    for name, row in TABLE.items():
        if row.get("method") == "POST":
            assert browser.post(f"/staff/{row['path']}", {}).status == FORBIDDEN, name
    assert StaffSession.objects.get().ended_at is None


class TestPlace:
    @pytest.fixture
    def asked(self, world, monkeypatch):
        """Ask whether a request is the console's, for a lender file and staff."""
        from dataclasses import replace
        from datetime import UTC, datetime

        from django.test import RequestFactory
        from known_books import LENDER

        from duly.service.api.signing import Signer

        def ask(console: Console, path: str = "/staff/", host: str = "x.example") -> bool:
            monkeypatch.setattr(guarding, "_someone", [])
            lender = replace(LENDER, console=console, portal=Portal())
            api_serving.begin(
                api_serving.Serving(lender=lender, now=lambda: datetime.now(UTC),
                                    clock=lambda: datetime.now(UTC), signer=Signer([b"Z" * 32]),
                                    plans=Path())
            )  # fmt: skip
            request = RequestFactory().get(path, HTTP_HOST=host, HTTP_ACCEPT="text/html")
            return guarding.owns(request)

        return ask

    def test_it_is_there_once_somebody_may_sign_in_or_the_file_says_so(self, asked, world):
        assert asked(Console()) is False
        assert asked(Console(serve=True)) is True
        seated(world)
        assert asked(Console()) is True
        assert asked(Console(serve=False)) is False

    def test_path_and_host_of_the_file_hold(self, asked):
        desk = Console(serve=True, path="/desk", host="desk.example.com")
        assert asked(desk, "/desk/", "desk.example.com") is True
        assert asked(desk, "/desk/", "x.example") is False
        assert asked(desk, "/staff/", "desk.example.com") is False
        assert asked(Console(serve=True), "/staffing") is False
