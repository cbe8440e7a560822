"""Every loan of the sample can be explained, in both languages, with the plan's own figures."""

from __future__ import annotations

import json
import time
from datetime import date

import pytest
from plan_made import Made

from duly.core.errors import Refused
from duly.plan.explain import explain_loan
from duly.plan.explain_page import page
from duly.plan.replay import read_table

UNNAMED = ("abnormal", "异常交易")


def _chosen(made: Made) -> list[str]:
    """Give loans of each decision: up to two of different reasons, and every restricted task."""
    kinds: dict[str, dict[str, str]] = {}
    for name, row in made.decisions.items():
        of_decision = kinds.setdefault(row["decision"], {})
        if len(of_decision) < 2 or row["task_kind"] == "restricted":
            of_decision.setdefault(row["reason"], name)
    return sorted(name for found in kinds.values() for name in found.values())


def test_loans_of_every_kind_are_explained_in_both_languages(sample_plan: Made) -> None:
    positions = {
        row["loan_id"]: row for row in read_table(sample_plan.path, "positions").to_pylist()
    }
    chosen = _chosen(sample_plan)
    assert len(chosen) > 9
    for name in chosen:
        found = explain_loan(sample_plan.path, name, clock=time.perf_counter)
        pages = [page(found, locale) for locale in ("en", "zh-CN")]
        pages.append(json.dumps(found, ensure_ascii=False))
        assert all(name in text for text in pages)
        assert not any(word in text for text in pages for word in UNNAMED)
        decision = sample_plan.decisions[name]
        assert found["decision"]["reason"] == decision["reason"]
        if decision["decision"] == "quarantined":
            continue
        wanted = {
            key: cell.isoformat() if isinstance(cell, date) else cell
            for key, cell in positions[name].items()
        }
        assert {key: found["position"][key] for key in wanted if key in found["position"]} == {
            key: cell for key, cell in wanted.items() if key in found["position"]
        }
        assert found["position"]["overdue_total"] == wanted["overdue_total"]
        spoke = [rule["id"] for rule in found["rules"] if rule["effect"] != "allow"]
        assert spoke == (decision["legal"] or [])


def test_a_loan_that_is_not_there_is_refused_with_the_nearest(sample_plan: Made) -> None:
    with pytest.raises(Refused):
        explain_loan(sample_plan.path, "nobody", clock=time.perf_counter)
