"""A borrower who has answered the questions of relief, reads a cost sheet, and agrees."""

from __future__ import annotations

from portal_world import LOAN, WHO, signed_in

from duly.service.portal import drafts

ANSWERS = {"wish": "installments", "income": "5,000", "essentials": "4,600.00", "loans": "0",
           "day": "20", "words": ""}  # fmt: skip


def answered(world, who=WHO, loan=LOAN, *, language="en", **given):
    """Return a browser that has answered every question about a loan."""
    browser = signed_in(world, who, language=language)
    browser.go(f"/relief?loan={loan}")
    browser.go(browser.page.one("a", class_="button").attributes["href"])
    for name, value in (ANSWERS | given).items():
        step = browser.at
        assert browser.submit(step, **{name: value}).status == 200, (name, browser.text)
    return browser


def opened(browser, which=0):
    """Open the cost sheet of an offer."""
    links = [one for one in browser.page.all("a", class_="button") if "sheet" in
             one.attributes["href"]]  # fmt: skip
    browser.go(links[which].attributes["href"])
    return browser


def read(seconds=60, who=WHO, loan=LOAN):
    """Let time pass on the cost sheet that is open."""
    draft = drafts.load(who, loan)
    drafts.save(who, loan, draft | {"sheet_at": str(int(draft["sheet_at"]) - seconds)})
