"""Goal: anybody may reckon and find help without signing in, and nothing typed is kept anywhere.

Method: a running server; pages in both languages, what cannot be, the store before and after.
"""

from __future__ import annotations

import psycopg
import pytest
from browsing import shown

from duly.core.words import LOCALES
from duly.rules.load import pack_names
from duly.service.portal.advice import helpers
from duly.service.portal.calculating import CALCULATORS, read


@pytest.fixture(scope="module")
def world(served):
    return served


def worked(world, name, language="en", **given):
    browser = shown(world, f"/help/{name}", language=language)
    browser.submit(f"/help/{name}", **given)
    return browser


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("budget", {"income": "5,000", "housing": "2100", "food": "1200.50"},
         ["CNY 5,000.00 come in, CNY 3,300.50 go out", "CNY 1,699.50 are left each month"]),
        ("budget", {"income": "3000", "housing": "3000.01"}, ["CNY 0.01 are missing each month"]),
        ("budget", {"income": "100", "food": "100"}, ["Nothing is left, and nothing is missing"]),
        ("savings", {"goal": "1000", "have": "100", "monthly": "200"}, ["there in 5 months"]),
        ("savings", {"goal": "1000", "months": "3"}, ["In 3 months it takes CNY 333.34 a month"]),
        ("savings", {"goal": "1000", "have": "1000"}, ["You have it already"]),
        ("savings", {"goal": "1000"}, ["Please give an amount a month or a number of months"]),
        ("savings", {"goal": "1000", "monthly": "0"}, ["longer than fifty years"]),
        # 1000.00 at 12 % and 500.00 a month: 10.00, 5.10 and 0.15 of interest.
        ("payoff", {"owed": "1000", "rate": "12", "monthly": "500", "extra": "550"},
         ["paid off in 3 months", "comes to CNY 15.25", "the last payment is CNY 15.25",
          "1 month, and CNY 5.25 less interest"]),
        ("payoff", {"owed": "1000", "rate": "12%", "monthly": "10"}, ["it never ends"]),
        ("late", {"base": "600", "rate": "0.05", "days": "30"},
         ["7 days late: CNY 2.10", "30 days late: CNY 9.00", "90 days late: CNY 27.00"]),
    ],
)  # fmt: skip
def test_it_says_what_follows(world, name, given, says):
    browser = worked(world, name, **given)
    assert browser.reply.status == 200
    for one in says:
        assert one in browser.text, browser.text


def test_it_says_it_in_chinese_too(world):
    browser = worked(world, "payoff", "zh-CN", owed="1000", rate="12", monthly="500")
    assert "3 个月还清" in browser.text
    assert "利息一共 15.25元" in browser.text


@pytest.mark.parametrize(
    ("name", "given", "wrong"),
    [("budget", {"income": ""}, "income"), ("budget", {"income": "-1"}, "income"),
     ("budget", {"income": "1", "food": "much"}, "food"),
     ("payoff", {"owed": "1", "rate": "1e3", "monthly": "1"}, "rate"),
     ("payoff", {"owed": "1", "rate": "1000", "monthly": "1"}, "rate"),
     ("savings", {"goal": "1", "months": "0"}, "months"),
     ("savings", {"goal": "1", "months": "601"}, "months"),
     ("late", {"base": "1", "rate": "1", "days": "²"}, "days")],
)  # fmt: skip
def test_what_cannot_be_is_said_beside_its_field(world, name, given, wrong):
    browser = worked(world, name, **given)
    assert browser.reply.status == 422
    assert browser.page.one("input", id=wrong).attributes["aria-invalid"] == "true"
    assert not browser.page.all("div", class_="answer")


def test_nothing_typed_is_kept_in_store_journal_or_address(world):
    figure = "73519.42"
    worked(world, "budget", income=figure)
    with psycopg.connect(world.url) as ours:
        tables = ours.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'store%'")
        for (table,) in tables.fetchall():
            found = ours.execute(
                f"SELECT count(*) FROM {table} AS x WHERE strpos(x::text, '73519.42') > 0"
            ).fetchone()
            assert found == (0,), table
    for path in world.folder.glob("*"):
        assert not path.is_file() or b"73519.42" not in path.read_bytes(), path
    browser = shown(world, f"/help/budget?income={figure}")
    assert browser.page.one("input", id="income").attributes["value"] == ""


def test_the_page_names_who_helps_where_the_lender_is(world):
    browser = shown(world, "/help")
    for phone in ("12378", "12345", "12348", "96110"):
        assert browser.page.one("a", href=f"tel:{phone}").text == phone
    assert "StepChange" not in browser.text


def test_an_unknown_calculator_is_none_and_a_forged_form_does_nothing(world):
    assert shown(world, "/help/lottery").reply.status == 404
    browser = shown(world, "/help/budget")
    assert browser.post("/help/budget", {"income": "1"}).status == 403


def test_each_helper_is_whole_and_none_is_shown_where_we_know_none():
    for locale in LOCALES:
        for pack in pack_names():
            for one in helpers([pack], locale):
                assert one.name
                assert one.help
                assert one.source
                assert 3 <= len(one.dials) <= 12
    assert helpers(["decency", "eu"], "en") == ()
    assert {"cn", "uk", "us", "in"} <= set(pack_names())


def test_an_empty_field_is_nothing_only_where_it_may_be():
    given, wrong = read(CALCULATORS["budget"], {"income": "1"}, "CNY")
    assert (given["income"], given["food"], wrong) == (100, None, [])
