"""Every sentence of the contract about the plan, each as a case with a small book."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from case_book import Group, dated, loan_id, read_groups
from plan_made import Made, make, write_book_json, write_lender

GROUPS = {group.name: group for group in read_groups()}
EACH = [
    pytest.param(group.name, number, id=f"{group.name}-{number}: {case['says']}")
    for group in GROUPS.values()
    for number, case in enumerate(group.cases, start=1)
]


@pytest.fixture(scope="session")
def plan_of(tmp_path_factory, write_book):
    """Give the plan of a group, made once."""

    @cache
    def of(name: str) -> Made:
        group = GROUPS[name]
        folder = tmp_path_factory.mktemp(name)
        book = write_book(folder, group.tables)
        if group.book is not None:
            write_book_json(book, dated(group, dict(group.book)))
        lender = write_lender(folder, group.lender)
        return make(book, folder / "plan", at=group.instant, lender=lender, policy=group.policy)

    return of


@pytest.mark.parametrize(("name", "number"), EACH)
def test_a_case_is_decided_as_it_says(plan_of, name: str, number: int) -> None:
    group, made = GROUPS[name], plan_of(name)
    case = group.cases[number - 1]
    borrower = f"B{number}"
    then = case["then"]
    loans = list(case.get("loans") or {"a": None})
    expected = then if set(then) <= set(loans) else {loans[0]: then}
    wrong = []
    for loan, wanted in expected.items():
        found = made.decisions[loan_id(borrower, loan)]
        wrong += _differences(group, made, borrower, found, wanted)
    assert not wrong, "\n".join(
        [case["says"], *wrong, *(str(made.decisions[loan_id(borrower, n)]) for n in expected)]
    )


@pytest.mark.parametrize("name", [name for name, one in GROUPS.items() if one.alerts is not None])
def test_a_run_says_its_alerts(plan_of, name: str) -> None:
    found = {alert["code"] for alert in plan_of(name).run["alerts"]}
    assert found == set(GROUPS[name].alerts or ())


def _differences(
    group: Group, made: Made, borrower: str, found: Mapping[str, Any], wanted: Mapping[str, Any]
) -> list[str]:
    wrong = []
    message = made.message_of(found["loan_id"])
    for key, value in wanted.items():
        match key:
            case "legal":
                missing = set(_listed(value)) - set(found["legal"])
                wrong += [f"legal: {name} did not speak" for name in sorted(missing)]
            case "no_legal":
                spoke = set(_listed(value)) & set(found["legal"])
                wrong += [f"legal: {name} spoke" for name in sorted(spoke)]
            case "message":
                wrong += _message(group, message, borrower, value)
            case "from" | "until":
                wrong += _bounds(group, found, key, value)
            case _:
                actual = _plain(found[key])
                if actual != dated(group, value):
                    wrong.append(f"{key}: {actual}, not {dated(group, value)}")
    return wrong


def _bounds(group: Group, found: Mapping[str, Any], key: str, value: Any) -> list[str]:
    """`from: [09:00, 09:30]` bounds not_before, `until: 20:59:59` is not_after, local time."""
    column = "not_before" if key == "from" else "not_after"
    moment = found[column]
    if moment is None:
        return [f"{column} is empty"]
    local = moment.astimezone(group.zone)
    clock = local.strftime("%H:%M:%S")
    bounds = [_clock(part) for part in _listed(value)]
    if local.date() != group.today or not bounds[0] <= clock <= bounds[-1]:
        return [f"{column}: {local}, not within {bounds}"]
    return []


def _clock(value: str) -> str:
    return value if len(value) == 8 else f"{value}:00"


def _message(
    group: Group, message: Mapping[str, Any] | None, borrower: str, wanted: Any
) -> list[str]:
    if wanted is None or message is None:
        return [] if wanted is message else [f"message: {message}"]
    wrong = []
    for key, value in wanted.items():
        match key:
            case "says":
                wrong += [
                    f"text lacks {part}" for part in _listed(value) if part not in message["text"]
                ]
            case "never_says":
                said = [part for part in _listed(value) if part in message["text"]]
                wrong += [f"text has {part}" for part in said]
            case "loans":
                ids = [loan_id(borrower, name) for name in value]
                wrong += [] if message["loan_ids"] == ids else [f"loans: {message['loan_ids']}"]
            case "until":
                wrong += _bounds(group, message, key, value)
            case _:
                if _plain(message[key]) != dated(group, value):
                    wrong.append(f"message {key}: {message[key]}, not {value}")
    return wrong + ([f"text: {message['text']}"] if wrong else [])


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime | timedelta) else value


def test_cases_stand_in_files_of_their_own() -> None:
    assert len(GROUPS) > 1
    assert all(Path(__file__).parent.joinpath("cases").glob("*.yaml"))
