"""Goal: the table of rules is what a plan and a door ask, and its counts are what was decided.

Method: a plan of twelve decisions with the rules that spoke; the page, one rule's page, the lists
behind the numbers and the file compared with the rules themselves, for every role as it may know.
"""

from __future__ import annotations

import csv
import io
from datetime import date
from urllib.parse import urlencode

import pytest
from browsing import lacks
from console_world import rows_since, seated, since
from outgoing import DAY, fill
from portal_world import emptied

from duly.book import load_lender
from duly.core.words import LOCALES, catalogue
from duly.rules import active, lenders_rules
from duly.rules.pages import show_case
from duly.service.console import rules as page_of_rules
from duly.service.console.reasons import told_rules
from duly.service.store.models import Decision

RUN = "a" * 64
LENDER = load_lender(None)
KEPT = lenders_rules(LENDER.packs, LENDER.switched_off)
NOW = active(KEPT, DAY)
SECRET = {"CN-HOLD-2", "DEC-HOLD-2", "DEC-SECURITY-1"}
#: Decision, reason, the rules that spoke, how many.
DECIDED = (
    ("contact", "overdue", [], 3), ("task", "call_back", ["DEC-HOURS-1"], 1),
    ("wait", "cap", ["DEC-FREQ-1"], 2), ("blocked", "opt_out", ["DEC-FREQ-1", "DEC-STOP-1"], 1),
    ("hold", "dispute", ["CN-HOLD-2", "DEC-HOLD-2"], 3),
    ("hold", "fraud_claim", ["CN-HOLD-2", "DEC-HOLD-2", "DEC-FREQ-1"], 2),
)  # fmt: skip


@pytest.fixture
def empty(facts):
    emptied(facts.url, books=False)
    return facts


@pytest.fixture
def world(empty):
    fill(1, state="delivered", route="gateway")
    rows = [one for one in DECIDED for _ in range(one[3])]
    Decision.objects.bulk_create(
        Decision(
            loan_id=f"L{place:03}", run_id=RUN, borrower_id=f"b{place:05}", business_date=DAY,
            decision=decision, reason=reason, legal=legal,
            figures={"currency": "CNY", "days_past_due": 5, "overdue_total": 100},
        )
        for place, (decision, reason, legal, _) in enumerate(rows)
    )  # fmt: skip
    return empty


def table(browser, **asked: str) -> dict[str, list[str]]:
    """Return the cells of the table by the id of the rule, as the page at that query has them."""
    query = urlencode(asked)
    assert browser.go(f"/staff/rules?{query}").status == 200
    assert lacks(browser.page) == []
    found: list[tuple[str, list[str]]] = []
    for one in browser.page.elements:
        if one.tag == "td" and one.attributes.get("class") == "says":
            found.append(("", []))
        if one.tag == "td":
            found[-1][1].append(" ".join(one.text.split()))
        if one.tag == "a" and "td" in one.path and not found[-1][0]:
            found[-1] = (one.text, found[-1][1])
    assert len(dict(found)) == len(found)
    return dict(found)


def links_of(browser) -> list[str]:
    return [one.attributes["href"] for one in browser.page.all("a")]


def test_every_rule_in_force_is_there_once_with_source_and_dates(world):
    found = table(seated(world, "compliance"))
    says = {cells[0] for cells in found.values()}
    assert says == {f"{one.id}{one.says['en']}" for one in NOW}
    assert len(found) == len(NOW) > 100
    sms = next(one for one in NOW if one.id == "CN-SMS-1")
    cells = found["CN-SMS-1"]
    assert cells[1] == "regulator's rule"
    assert cells[2] == f"{sms.source.text}{sms.source.clause}"


def test_each_count_is_the_length_of_the_list_it_leads_to(world):
    browser = seated(world, "compliance")
    found = table(browser)
    assert found["DEC-FREQ-1"][5:] == ["5", "5"]
    assert found["DEC-HOURS-1"][5:] == ["1", "0"]
    assert found["CN-HOLD-2"][5:] == ["5", "5"]
    assert found["DEC-HOURS-2"][5:] == ["0", "0"]
    assert found["CN-SMS-1"][5:] == ["asked at the door, not in a plan"]
    links = [one for one in links_of(browser) if "/lists/decisions" in one]
    assert len(links) == 5
    for where in links:
        browser.go(where)
        assert len(browser.page.all("tr")) - 1 == int(found[where.rpartition("=")[2]][5])


def test_who_may_not_know_of_an_investigation_hears_no_count_of_its_rules(world):
    assert {one.id for one in KEPT} - told_rules(LENDER.packs, LENDER.switched_off) == SECRET
    for role in ("team_lead", "strategy", "admin"):
        browser = seated(world, role)
        found = table(browser)
        for one in SECRET:
            assert found[one][5:] == ["counted for compliance only"], role
        assert found["DEC-FREQ-1"][5:] == ["5", "5"]
        browser.go("/staff/rules/CN-HOLD-2")
        assert "compliance and auditors see it" in browser.text
        assert not [one for one in links_of(browser) if "/lists/" in one]
    browser = seated(world, "strategy")
    for asked, rows in (("CN-HOLD-2", 0), ("NO-SUCH-1", 0), ("DEC-FREQ-1", 5), ("a b", 0)):
        assert browser.go(f"/staff/lists/decisions?{urlencode({'rule': asked})}").status == 200
        assert max(len(browser.page.all("tr")) - 1, 0) == rows, asked
        assert asked in browser.text


def test_a_role_without_lists_sees_counts_and_no_links(world):
    browser = seated(world, "admin")
    assert table(browser)["DEC-FREQ-1"][5:] == ["5", "5"]
    assert not [one for one in links_of(browser) if "/lists/" in one]


@pytest.mark.parametrize(
    ("asked", "keeps"),
    [
        ({"force": "law"}, lambda one: one.force == "law" and one in NOW),
        ({"pack": "decency"}, lambda one: one.pack == "decency" and one in NOW),
        ({"text": "ADVERTIS"}, lambda one: "advertis" in _words(one) and one in NOW),
        ({"dated": "later"}, lambda one: one.in_force_from > DAY),
        ({"dated": "all", "pack": "cn"}, lambda one: one.pack == "cn"),
        ({"force": "nonsense", "pack": "us", "dated": "x"}, lambda one: one in NOW),
    ],
)
def test_what_is_asked_for_is_what_is_shown(world, asked, keeps):
    browser = seated(world, "auditor")
    browser.go(f"/staff/rules?{urlencode(asked)}")
    shown = sorted(one.text for one in browser.page.all("td", class_="says"))
    wanted = sorted(f"{one.id}{one.says['en']}" for one in KEPT if keeps(one))
    assert shown == wanted
    assert wanted


def _words(one) -> str:
    return " ".join((one.id, one.says["en"], one.source.text, one.source.clause)).casefold()


def test_those_that_spoke_are_shown_alone_and_taken_alone(world):
    browser = seated(world, "compliance")
    spoke = {one for _, _, legal, _ in DECIDED for one in legal}
    assert set(table(browser, spoke="yes")) == spoke
    assert browser.page.one("input", name="spoke").attributes["checked"] == ""
    assert "/staff/rules?lang=zh-CN&spoke=yes" in links_of(browser)
    (file,) = [one for one in links_of(browser) if "rules.csv" in one]
    rows = list(csv.reader(io.StringIO(browser.go(file).body.decode("utf-8-sig"))))
    assert {row[0] for row in rows[1:]} == spoke
    # Nor does this show who is not told about an investigation that its rules spoke.
    assert set(table(seated(world, "strategy"), spoke="yes")) == spoke - SECRET
    assert table(seated(world, "strategy"), spoke="no").keys() > spoke


def test_what_no_rule_has_is_said_and_leads_back(world):
    browser = seated(world, "auditor")
    assert table(browser, text="<no such rule>") == {}
    assert "No rule fits" in browser.text
    assert browser.page.one("input", name="text").attributes["value"] == "<no such rule>"
    assert "/staff/rules" in links_of(browser)


def test_one_rule_is_a_page_with_its_cases_and_its_versions(world):
    browser = seated(world, "compliance")
    versions = [one for one in KEPT if one.id == "CN-SMS-1"]
    assert len(versions) > 1
    for one in versions:
        assert browser.go(f"/staff/rules/CN-SMS-1?from={one.in_force_from}").status == 200
        assert lacks(browser.page) == []
        assert one.says["en"] in browser.text
        assert _first_day(browser) == str(one.in_force_from)
        items = [" ".join(found.text.split()) for found in browser.page.all("li")]
        for case in one.cases:
            assert " ".join(show_case(case, "en").split()) in items
    browser.go("/staff/rules/CN-SMS-1")
    (now,) = [one for one in versions if one in NOW]
    assert _first_day(browser) == str(now.in_force_from)
    assert len([one for one in links_of(browser) if "from=" in one]) == len(versions)
    browser.go("/staff/rules/DEC-FREQ-1")
    split = [one for one in links_of(browser) if "rule=DEC-FREQ-1&kind" in one]
    assert len(split) == 3
    for where, count in zip(split, (2, 2, 1), strict=True):
        browser.go(where)
        assert len(browser.page.all("tr")) - 1 == count


def _first_day(browser) -> str:
    return browser.page.all("time")[0].attributes["datetime"]


def test_an_unknown_rule_is_nowhere(world):
    browser = seated(world, "auditor")
    assert browser.go("/staff/rules/US-TCPA-1").status == 404
    assert browser.go("/staff/rules/..%2Fx").status == 404
    assert browser.go("/staff/rules/CN-SMS-1?from=nonsense").status == 200


def test_the_file_holds_the_rules_asked_for_and_is_recorded(world):
    browser, before = seated(world, "strategy"), since()
    found = browser.go("/staff/rules.csv?pack=decency&text=dec-freq")
    rows = list(csv.reader(io.StringIO(found.body.decode("utf-8-sig"))))
    wanted = [one for one in NOW if one.pack == "decency" and "dec-freq" in _words(one)]
    assert sorted(row[0] for row in rows[1:]) == sorted(one.id for one in wanted)
    assert rows[0][:4] == ["Rule", "Force", "Pack", "What it says"]
    spoke = {row[0]: row[-2:] for row in rows[1:]}
    assert spoke["DEC-FREQ-1"] == ["5", "5"]
    told = {"list": "rules", "rows": len(wanted), "pack": "decency", "dated": "now",
            "text": "dec-freq"}  # fmt: skip
    assert rows_since(before, "staff.exported") == [("strategy.1", told)]


def test_before_the_first_plan_nothing_is_counted(empty):
    browser = seated(empty, "compliance")
    assert table(browser)["DEC-FREQ-1"][5:] == ["no plan loaded yet"]
    browser.go("/staff/rules/DEC-FREQ-1")
    assert "No plan has been loaded yet" in browser.text


def test_in_chinese_every_rule_speaks_chinese(world):
    browser = seated(world, "strategy", language="zh-CN")
    browser.go("/staff/rules")
    assert "规则" in browser.page.one("h1").text
    shown = sorted(one.text for one in browser.page.all("td", class_="says"))
    assert shown == sorted(f"{one.id}{one.says['zh-CN']}" for one in NOW)


def test_a_version_is_dated_by_its_days(world):
    (one, *_) = [one for one in KEPT if one.in_force_to is not None]
    assert page_of_rules._dated(one, one.in_force_to) == "over"
    assert page_of_rules._dated(one, date(1, 1, 1)) == "later"
    assert page_of_rules._dated(one, one.in_force_from) == "now"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_column_and_state_has_its_words(locale):
    said = set(catalogue("console", locale))
    assert {f"rules_column.{one}" for one in page_of_rules._COLUMNS} <= said
    assert {f"dated.{one}" for one in page_of_rules.DATED} <= said
    codes = ("door", "then", "secret", "no_plan")
    assert {f"{group}.{one}" for group in ("spoken", "rule_spoken") for one in codes} <= said
