"""Goal: each figure of the portfolio is right, and is as long as the list behind it.

Method: a dozen loans at three runs, each on one side of a definition; the expected figures are
worked out beside by a few lines of Python, promises by `duly.care.promising` itself.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from browsing import lacks
from console_world import rows_since, seat_of, seated, since
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from known_books import LENDER
from outgoing import AT, fill
from portal_world import emptied

from chromium import NARROWEST, found_wrong, measured, pictures
from duly.care.promising import Promise, outcome
from duly.core.words import LOCALES, catalogue
from duly.service.api import serving as api_serving
from duly.service.api.signing import Signer
from duly.service.console import periods, portfolio, portfolio_sql
from duly.service.console.signing_in import COOKIE
from duly.service.store.book_models import BookContact, BookPayment, BookSignal
from duly.service.store.event_models import Word
from duly.service.store.models import Contact, Decision, Message, Run

THEN, NOW, TODAY = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 10)
CUT = datetime(2026, 3, 9, tzinfo=UTC)
#: Loan → (days past due, outstanding) at both month ends; None: in no plan, a word: its reason.
LOANS = {
    "L01": ((0, 1000_00), (10, 1000_00)),
    "L02": ((5, 2000_00), (33, 1900_00)),  # reached in February
    "L03": ((20, 300_00), (0, 250_00)),  # cured, reached in February
    "L04": ((3, 400_00), (0, 350_00)),  # cured by itself
    "L05": ((3, 500_00), (0, 0)),  # paid whole; reached the day before it was late
    "L06": ((40, 600_00), None),
    "L07": ((170, 700_00), "written_off"),
    "L08": ((8, 800_00), (0, 700_00)),  # cured; reached on its first day past due
    "L09": ((12, 90_00), (2, 80_00)),  # in dollars
    "L10": (None, (0, 1000_00)),
    "L11": ((2, 110_00), "unknown"),
    "L12": ((4, 120_00), (0, 100_00)),  # cured; got answers and a receipt alone
    "L13": ((95, 130_00), (64, 100_00)),  # better, and still late
    "L14": ((6, 140_00), "closed"),  # sold
}
BUCKET = ((0, "M0"), (30, "M1"), (60, "M2"), (90, "M3"), (120, "M4"), (150, "M5"), (180, "M6"))
CURED, SELF_CURED = {"L03", "L04", "L05", "L08", "L12"}, {"L04", "L05", "L12"}
WORSE = {"L01", "L02", "L07"}
LATE = set(LOANS) - {"L01", "L10"}


def bucket(days: int) -> str:
    return next((name for most, name in BUCKET if days <= most), "M7+")


def place(told) -> str:
    if told is None:
        return "absent"
    if isinstance(told, str):
        return told
    return "settled" if told[1] == 0 else bucket(told[0])


def decided(loan: str, run: str, day: date, told) -> Decision:
    reason, figures = "x", None
    if told == "written_off" or told == "closed":
        reason, told = told, (170, 700_00)
    if told != "unknown":
        figures = {"currency": "USD" if loan == "L09" else "CNY", "days_past_due": told[0],
                   "bucket": bucket(told[0]), "overdue_total": told[1] // 2 if told[0] else 0,
                   "outstanding_total": told[1]}  # fmt: skip
    return Decision(
        loan_id=loan, run_id=run, borrower_id=f"P{loan[1:]}", business_date=day, decision="wait",
        reason=reason, legal=[], figures=figures,
    )  # fmt: skip


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


def contact(number: int, person: str, at: str, kind: str = "dunning", way: str = "out") -> None:
    BookContact.objects.create(
        contact_id=f"k{number}", borrower_id=person, channel="voice", at=local(at), direction=way,
        outcome="unanswered", by="agency", contact_class=kind, cut_at=CUT,
    )  # fmt: skip


#: id → (person, loan, since, on, amount); payments: id → (loan, day, minor units, reversed on).
PROMISES = {
    "p1": ("P02", "L02", "2026-02-03", "2026-02-10", "100.00"),  # 95.00 in time: kept
    "p2": ("P03", "L03", "2026-02-03", "2026-02-10", "100.00"),  # 94.99: partly
    "p3": ("P04", "L04", "2026-02-03", "2026-02-10", "100.00"),  # a day too late: broken
    "p4": ("P05", "L05", "2026-02-03", "2026-02-10", "100.00"),  # returned: broken
    "p5": ("P06", "L06", "2026-02-25", "2026-02-27", "100.00"),  # still open
    "p6": ("P08", "L08", "2026-01-20", "2026-01-31", "100.00"),  # of the time before
    "p7": ("P12", "L12", "2026-02-03", "2026-02-10", "100.00"),  # told by an event, kept
}
PAYMENTS = {
    "a1": ("L02", date(2026, 2, 11), 95_00, None), "a0": ("L02", date(2026, 2, 2), 50_00, None),
    "a2": ("L03", date(2026, 2, 3), 94_99, None), "a3": ("L04", date(2026, 2, 12), 100_00, None),
    "a4": ("L05", date(2026, 2, 5), 100_00, date(2026, 2, 9)),
    "a7": ("L12", date(2026, 2, 10), 100_00, None),
}  # fmt: skip


def told_by(name: str, data: dict[str, str], kind: str, **given: str) -> None:
    Word.objects.create(kind=kind, key=name, time=AT, source="/x", event_id=name, data=data,
                        **given)  # fmt: skip


def promised() -> None:
    for name, (person, loan, begun, on, amount) in PROMISES.items():
        detail = json.dumps({"on": on, "amount": amount})
        starts = local(f"{begun}T12:00:00")
        if name == "p7":
            told_by(name, {"kind": "promise", "starts_at": starts.isoformat(), "detail": detail},
                    "signal", borrower_id=person, loan_id=loan)  # fmt: skip
            continue
        BookSignal.objects.create(signal_id=name, borrower_id=person, loan_id=loan, kind="promise",
                                  starts_at=starts, detail=detail, cut_at=CUT)  # fmt: skip
    for name, (loan, on, amount, back) in PAYMENTS.items():
        if name == "a7":
            told_by(name, {"paid_on": on.isoformat(), "amount": "100.00"}, "payment", loan_id=loan)
            continue
        BookPayment.objects.create(payment_id=name, loan_id=loan, paid_on=on, amount=amount,
                                   kind="payment", decimals=2, cut_at=CUT,
                                   reversed_on=None if name == "a4" else back)  # fmt: skip
    told_by("a4", {"reversed_on": "2026-02-09"}, "reversal")


def judged() -> dict[str, int]:
    """Count the outcomes as `duly.care.promising` says them."""
    found: dict[str, int] = {}
    for _, loan, begun, on, amount in PROMISES.values():
        one = Promise(name="x", since=date.fromisoformat(begun), on=date.fromisoformat(on),
                      amount=int(amount.replace(".", "")))  # fmt: skip
        if THEN < one.on <= NOW:
            paid = [(day, sum_) for of, day, sum_, back in PAYMENTS.values()
                    if of == loan and not back]  # fmt: skip
            said = outcome(one, paid, NOW)
            found[said] = found.get(said, 0) + 1
    return found


def reached() -> int:
    """Tell the contacts; return how many of them fall into February."""
    contact(1, "P02", "2026-02-05T10:00:00")
    contact(2, "P03", "2026-02-01T00:00:00")
    contact(3, "P05", "2026-01-28T23:59:59")
    contact(4, "P08", "2026-01-24T00:00:00")
    contact(5, "P12", "2026-02-05T10:00:00", "answer")
    contact(6, "P12", "2026-02-06T10:00:00", "receipt")
    contact(7, "P04", "2026-02-06T10:00:00", way="in")
    contact(8, "P04", "2026-03-01T00:00:00")
    contact(9, "P02", "2026-02-28T23:59:59")
    # Ours that no book has yet: one that left, one that came back; an agency's.
    (sent,) = fill(1, state="delivered", route="gateway")
    back = Message.objects.get(message_id=sent)
    back.message_id, back.state, back.code = "m-back", "blocked", "ABCD2345"
    back.save(force_insert=True)
    Message.objects.filter(message_id=sent).update(attempts=1)
    for name, agency in ((f"duly:{sent}", None), ("duly:m-back", None), ("x1", "agency")):
        Contact.objects.create(
            contact_id=name, borrower_id="b00000", channel="sms", direction="out",
            at=local("2026-02-07T10:00:00"), outcome="sent", agency=agency,
        )  # fmt: skip
    return 5


@pytest.fixture(scope="module")
def told(served):
    from duly.service import setting_up

    with setting_up.using(served.url):
        emptied(served.url, books=True)
        count = reached()
        Run.objects.update(state="superseded")
        for day, which in ((THEN, 0), (NOW, 1), (TODAY - timedelta(days=1), 1), (TODAY, 1)):
            run = f"{day:%m%d}".ljust(64, "r")
            Run.objects.create(plan_sha256=run, business_date=day, state="released",
                               messages_count=0, summary={})  # fmt: skip
            Decision.objects.bulk_create(
                decided(loan, run, day, told[which])
                for loan, told in LOANS.items() if told[which] is not None
            )  # fmt: skip
        promised()
        for name, kind, at in (
            ("c1", "complaint", "2026-02-10T10:00:00"), ("c2", "opt_out", "2026-02-10T10:00:00"),
            ("c3", "opt_out", "2026-02-28T23:59:59"), ("c4", "complaint", "2026-01-31T23:59:59"),
            ("c5", "fraud_claim", "2026-02-10T10:00:00"),
        ):  # fmt: skip
            BookSignal.objects.create(signal_id=name, borrower_id="P01", kind=kind,
                                      starts_at=local(at), cut_at=CUT)  # fmt: skip
    yield count
    emptied(served.url, books=True)


@pytest.fixture
def world(told, facts):
    return facts


def listed(browser, where: str) -> set[str]:
    """Return the first cell of each row of a list."""
    browser.go(where)
    cells = [one for one in browser.page.elements if one.tag in ("tr", "td")]
    pairs = itertools.pairwise(cells)
    return {two.text for one, two in pairs if one.tag == "tr" and two.tag == "td"}


def links(browser, where: str = "/staff/portfolio") -> dict[str, int]:
    browser.go(where)
    return {
        one.attributes["href"]: int(one.text)
        for one in browser.page.all("a")
        if "/lists/" in one.attributes["href"] and one.text.strip().isdigit()
    }


def test_the_last_whole_month_is_shown_and_each_loan_is_where_it_belongs(world, told):
    browser = seated(world, "strategy")
    browser.go("/staff/portfolio")
    assert lacks(browser.page) == []
    assert "From Jan 31, 2026 to Feb 28, 2026 (28 days)." in browser.text
    of = {how: listed(browser, f"/staff/lists/loans?how={how}")
          for how in ("late", "cured", "self_cured", "worse")}  # fmt: skip
    assert of == {"late": LATE, "cured": CURED, "self_cured": SELF_CURED, "worse": WORSE}
    for was in portfolio_sql.PLACES:
        for became in portfolio_sql.PLACES:
            expected = {loan for loan, (one, two) in LOANS.items()
                        if (place(one), place(two)) == (was, became)}  # fmt: skip
            if expected or was == "M1":
                query = f"was={was}&became={became}".replace("+", "%2B")
                assert listed(browser, f"/staff/lists/loans?{query}") == expected, (was, became)
    assert listed(browser, "/staff/lists/loans?currency=USD") == {"L09"}


def test_the_figures_are_those_worked_out_beside(world, told):
    browser, before = seated(world, "auditor"), since()
    found = browser.go("/staff/portfolio.csv")
    rows = list(csv.reader(io.StringIO(found.body.decode("utf-8-sig"))))
    assert rows[0] == ["Figure", "Currency", "Then", "Now", "Count", "Money",
                       "Per cent; of complaints and requests per 10,000 contacts"]  # fmt: skip
    one = {row[0]: row[4:] for row in rows[1:] if not row[1]}
    assert one["Past due at the first run"] == ["12", "", ""]
    assert one["Cured"] == ["5", "", "41.7"]
    assert one["Cured by itself"] == ["3", "", "60.0"]
    assert judged() == {"kept": 2, "partly_kept": 1, "broken": 2, "open": 1}
    assert one["Promises that were due"] == ["5", "", ""]
    assert one["Kept"] == ["2", "", "40.0"]
    assert told == 5
    assert one["Contacts"] == [str(told), "", ""]
    assert one["Contacts per cure"] == ["", "", "1.0"]
    assert one["Complaints"] == ["1", "", "2000.0"]
    assert one["Requests to stop"] == ["2", "", "4000.0"]
    flows = {(row[1], row[2]): row[4:] for row in rows if row[0] == "Flow: got worse"}
    in_m1 = sum(one[1] for loan, (one, _) in LOANS.items()
                if one and place(one) == "M1" and loan != "L09")  # fmt: skip
    assert flows["CNY", "M1, 1–30 days"] == ["1", "2000.00", portfolio.percent(2000_00, in_m1)]
    assert flows["CNY", "M0, not late"] == ["1", "1000.00", "100.0"]
    assert flows["CNY", "M6, 151–180"] == ["1", "700.00", "100.0"]
    assert flows["CNY", "M4, 91–120"] == ["0", "0.00", "0.0"]
    assert flows["USD", "M1, 1–30 days"] == ["0", "0.00", "0.0"]
    assert rows_since(before, "staff.exported") == [
        ("auditor.1", {"list": "portfolio", "rows": len(rows) - 1, "until": "2026-02-28"})
    ]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_each_number_leads_to_a_list_of_that_length(world, language):
    browser = seated(world, "compliance", language=language)
    found = links(browser)
    assert len(found) >= 25
    contacted = [where for where in found if "how=contacted" in where]
    for where, count in found.items():
        if where not in contacted:
            assert len(listed(browser, where)) == count, where
    # Contacts are counted, loans of those who were reached are listed.
    assert listed(browser, contacted[0]) == {"L02", "L03"}
    browser.go(next(where for where in found if "outcome=kept" in where))
    assert lacks(browser.page) == []
    assert re.search(r"95\.0+", browser.text)


def test_two_other_runs_can_be_chosen_and_nonsense_is_as_if_not_said(world):
    browser = seated(world, "team_lead")
    browser.go("/staff/portfolio?since=2026-03-09&until=2026-03-10")
    assert "(1 day)" in browser.text
    assert "No promise was due in this time." in browser.text
    assert "no rate: nothing to divide by" in browser.text
    for query in (
        "since=2026-03-10&until=2026-03-09",
        "until=2026-03-09",
        "since=x&until=2026-03-09",
    ):
        browser.go(f"/staff/portfolio?{query}")
        assert "From Feb 28, 2026 to Mar 9, 2026" in browser.text, query
    browser.go("/staff/portfolio?until=2020-01-01")
    assert "From Jan 31, 2026 to Feb 28, 2026" in browser.text
    browser.go("/staff/portfolio?until=2026-01-31")
    assert "As of Jan 31, 2026." in browser.text
    assert "There is one run so far" in browser.text
    assert listed(browser, "/staff/lists/loans?how=nonsense") == set()


def test_a_list_goes_on_where_its_page_ended(world, monkeypatch):
    from duly.service.console import lists

    monkeypatch.setattr(lists, "SHOWN", 5)
    client = in_process(world)
    seen, where = [], "/staff/lists/loans?how=late"
    for _ in range(4):
        text = client.get(where).content.decode()
        seen += re.findall(r"<tr><td>(L\d\d)</td>", text)
        onward = re.search(r'<a class="button second" href="([^"]*after=[^"]*)"', text)
        if not onward:
            break
        where = onward[1].replace("&amp;", "&")
        assert "since=2026-01-31" in where
    assert seen == sorted(LATE)


def in_process(facts) -> Client:
    api_serving.begin(
        api_serving.Serving(lender=LENDER, now=lambda: AT, clock=lambda: datetime.now(UTC),
                            signer=Signer([b"Z" * 32]), plans=Path())
    )  # fmt: skip
    client = Client()
    client.cookies[COOKIE] = seated(facts, "strategy").cookies[COOKIE]
    return client


def test_the_questions_are_as_many_for_all_loans_as_for_one(world):
    client = in_process(world)

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(f"/staff/{path}").status_code == 200
        return len(found)

    asked("portfolio")  # Whether anybody may sign in is asked once a process.
    whole = [asked(f"portfolio?{query}") for query in ("", "since=2026-01-31&until=2026-02-28")]
    alone = asked("portfolio?until=2026-01-31")
    assert [*whole, alone] == [7, 7, 7]
    assert {asked(f"lists/{one}") for one in portfolio_sql.LISTS} == {4}


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("en", NARROWEST, "light"), ("zh-CN", 1440, "dark")]
)
def test_nothing_of_it_is_cut_off_and_axe_finds_nothing(
    chromium, world, tmp_path, language, width, scheme
):
    cookies = seated(world, "compliance").cookies
    here = f"http://127.0.0.1:{world.port}"

    def steps(browser):
        seat = seat_of(browser, cookies, here, bypass_csp=True, color_scheme=scheme,
                       viewport={"width": width, "height": 900})  # fmt: skip
        page, seen = seat.new_page(), []
        for name, path in (("portfolio", "portfolio"), ("loans", "lists/loans?how=late")):
            page.goto(f"{here}/staff/{path}{'&' if '?' in path else '?'}lang={language}")
            shot = f"console-{name}-{language}-{width}{scheme}.png"
            page.screenshot(path=pictures(tmp_path) / shot, full_page=True)
            seen.append((name, measured(page), found_wrong(page)))
        seat.close()
        return seen

    for name, seen, wrong in chromium.do(steps):
        assert seen["wide"] <= seen["room"], (name, seen)
        assert seen["tiny"] == [], name
        assert wrong == [], name


def test_before_the_first_run_the_page_says_so(world, monkeypatch):
    monkeypatch.setattr(periods, "runs", tuple)
    client = in_process(world)
    assert "No plan has been loaded yet" in client.get("/staff/portfolio?lang=en").content.decode()
    assert client.get("/staff/portfolio.csv").status_code == 404
    assert "Nothing here." in client.get("/staff/lists/loans?lang=en").content.decode()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_place_and_outcome_has_its_words(locale):
    said = set(catalogue("console", locale))
    assert {f"place.{one}" for one in portfolio_sql.PLACES} <= said
    assert {f"outcome.{one}" for one in portfolio.OUTCOMES} <= said
    narrows = {one for listing in portfolio_sql.LISTS.values() for one in listing.narrows}
    assert {f"narrow.{one}" for one in narrows} <= said
