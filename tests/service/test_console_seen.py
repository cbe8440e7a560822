"""Goal: the console's pages are whole on a narrow screen and a wide one, light and dark; keys work.

Method: a real browser, where the machine has one, opens them at the running server as a team lead;
axe-core looks at each.
"""

from __future__ import annotations

from typing import Any

import pytest
from console_world import WAYS, seat_of, seated
from portal_world import LOAN, WHO, begin, emptied, tell

from chromium import NARROWEST, found_wrong, measured, pictures
from duly.service.operations import tasks
from duly.service.store.models import Decision, Task

WIDE = 1440


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    yield tell(served, write_book, tmp_path_factory.mktemp("book"))
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    begin(facts)
    Decision.objects.update(by_channel=WAYS, legal=["DEC-FREQ-1"])
    for kind in ("answer_dispute", "care_now", "agree_date"):
        tasks.open_tasks([kind], borrower_id=WHO, loan_id=LOAN)
    return facts


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(("width", "scheme"), [(NARROWEST, "light"), (WIDE, "light"),
                                               (WIDE, "dark")])  # fmt: skip
def test_nothing_is_cut_off_and_axe_finds_nothing(
    chromium, world, tmp_path, language, width, scheme
):
    cookies = seated(world, "team_lead").cookies
    number = Task.objects.get(kind="agree_date").id
    paths = {
        "today": "", "tasks": "work", "task": f"work/{number}", "borrower": f"borrower/{WHO}",
        "list": "lists/decisions", "portfolio": "portfolio", "rules": "rules?pack=decency",
        "rule": "rules/DEC-FREQ-1",
        "strategy": "strategy",
        "nowhere": "nowhere", "sign-in": "sign-in",
    }  # fmt: skip
    here = f"http://127.0.0.1:{world.port}"

    def steps(browser: Any) -> list[tuple[str, dict[str, Any], list[str]]]:
        # The pages' own content policy stands; axe is laid beside it, not into it.
        seat = seat_of(browser, cookies, here, bypass_csp=True, color_scheme=scheme,
                       viewport={"width": width, "height": 900})  # fmt: skip
        page, seen = seat.new_page(), []
        for name, path in paths.items():
            page.goto(f"{here}/staff/{path}{'&' if '?' in path else '?'}lang={language}")
            folder = pictures(tmp_path)
            page.screenshot(path=folder / f"console-{name}-{language}-{width}{scheme}.png",
                            full_page=True)  # fmt: skip
            seen.append((name, measured(page), found_wrong(page)))
        seat.close()
        return seen

    for name, seen, wrong in chromium.do(steps):
        assert seen["styled"] == 1
        assert seen["wide"] <= seen["room"], (name, seen)
        assert seen["tiny"] == [], name
        assert wrong == [], name


def test_the_keys_lead_on_and_choose(chromium, world):
    cookies = seated(world, "team_lead").cookies
    first = Task.objects.get(kind="care_now").id
    here = f"http://127.0.0.1:{world.port}"

    def steps(browser: Any) -> list[str]:
        seat = seat_of(browser, cookies, here)
        page = seat.new_page()
        page.goto(f"{here}/staff/work")
        seen = []
        for key in ("j", "j", "k"):
            with page.expect_navigation():
                page.keyboard.press(key)
            seen.append(page.url.rpartition("/")[2])
        page.keyboard.press("3")
        seen.append(page.locator("input[name=outcome]:checked").get_attribute("value"))
        page.locator("#note").fill("jk1")
        seen.append(page.url.rpartition("/")[2])
        seat.close()
        return seen

    second = str(Task.objects.get(kind="answer_dispute").id)
    assert chromium.do(steps) == [str(first), second, str(first), "answered", str(first)]
