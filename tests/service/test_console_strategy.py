"""Goal: the page shows the policy that decided, and what check and proof say of it, never less.

Method: a plan whose policy is kept, of three kinds (refuted, refused, not kept), and none at all;
the page, its ladder and its file compared with what the policy's own reader and proof say.
"""

from __future__ import annotations

import csv
import io
import subprocess
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from browsing import lacks
from console_world import rows_since, seated, since
from outgoing import fill
from portal_world import emptied

from duly.book import load_lender
from duly.core import digest
from duly.core.words import LOCALES, catalogue
from duly.plan.kept import policy_bytes
from duly.policy import TASK_KINDS, TONES, load
from duly.policy.experiment_reader import MEASURES
from duly.policy.parts import LEAVE_REASONS, SEND_CHANNELS, WAIT_REASONS
from duly.service.console import proofs, reasons
from duly.service.console import strategy as page_of_strategy
from duly.service.console.policies import Question, key_of, read_policy
from duly.service.store.models import Run
from duly.service.store.privacy_models import Source

BUILT_IN = "cn-installment"
SMALL = """\
policy: small
version: 7
first_contact: {default: after_grace + 1 day}
holdout: {share: 2 %}
experiments:
  - id: tempo
    where: days_delinquent between 1 and 15
    arms: {usual: 50 %, slow: 50 %}
    measure: cured_15d
    detect: 2.5 %
    stop_on: [complaints, opt_outs]
    salt: spring
treatments:
  - id: slow-first
    if: arm_tempo = 'slow' and days_past_due >= 1
    from_day: 1
    every: 12 days
    send: {template: overdue, tone: plain, channels: [preferred, sms, email]}
  - id: overdue
    if: days_past_due >= 1
    from_day: 1
    every: 7 days
    send: {template: overdue, tone: serious, channels: [sms]}
"""


@pytest.fixture
def world(facts):
    emptied(facts.url, books=False)
    return facts


def decided_by(text: str, *, kept: bool = True, name: str = "small", version: int = 7) -> str:
    """Let the latest plan be one that a policy decided; return the policy's fingerprint."""
    fill(1, state="delivered", route="gateway")
    sha256 = digest.of_bytes(text.encode())
    summary = {"policy": {"name": name, "version": version}, "versions": {"policy": sha256}}
    Run.objects.update(summary=summary)
    if kept:
        Source.objects.create(sha256=sha256, kind="policy", name=name, text=text)
    return sha256


def proved(browser, *, seconds: float = 600) -> None:
    """Look again until the proof has come to its end."""
    until = time.monotonic() + seconds
    while True:
        assert browser.go("/staff/strategy").status == 200
        if "being proved" not in browser.text:
            return
        assert time.monotonic() < until


def ladder(browser) -> list[list[str]]:
    found: list[list[str]] = []
    for one in browser.page.elements:
        if one.tag == "tr" and one.attributes.get("id", "").startswith("step-"):
            found.append([])
        elif one.tag == "td" and found:
            found[-1].append(" ".join(one.text.split()))
    return found


def never(*_args, **_named):
    raise AssertionError("a proof was begun")


def test_the_built_in_policy_is_proved_once_and_shown_line_by_line(world, monkeypatch):
    browser = seated(world, "strategy")
    proved(browser)
    policy, text = load(BUILT_IN), policy_bytes(BUILT_IN).decode()
    assert lacks(browser.page) == []
    assert browser.page.one("h1").text == f"{BUILT_IN}, version {policy.version}"
    assert policy.fingerprint in browser.text
    assert "No plan has recorded a policy yet" in browser.text
    assert "It is well said" in browser.text
    assert f"of {len(policy.treatments)} steps shown by a plan" in browser.text
    assert "Proved for every borrower" in browser.text
    lines = [one.text for one in browser.page.all("code") if "li" in one.path and "ol" in one.path]
    assert lines == text.rstrip("\n").split("\n")
    assert [row[1] for row in ladder(browser)] == [one.id for one in policy.treatments]
    # The proof stays: another look, another language, another person; none is begun again.
    monkeypatch.setattr(proofs.subprocess, "run", never)
    other = seated(world, "auditor", language="zh-CN")
    other.go("/staff/strategy")
    assert "已证明对每一位借款人成立" in other.text


def test_the_policy_that_decided_is_shown_with_what_refutes_it(world):
    sha256 = decided_by(SMALL)
    browser = seated(world, "compliance")
    proved(browser)
    assert browser.page.one("h1").text == "small, version 7"
    assert sha256 in browser.text
    assert "The policy that decided the latest plan, of Mar 10, 2026" in browser.text
    assert f"The next plan takes {BUILT_IN} {load(BUILT_IN).version}" in browser.text
    assert "Refuted" in browser.text
    assert "Proved" not in browser.text
    assert "security_demand" in browser.text
    assert "Decided again by the real plan: it does the same." in browser.text
    marked = [one.attributes["id"] for one in browser.page.all("li", class_="needs")]
    assert marked == ["line-1", "line-18", "line-23"]
    assert "#line-18" in [one.attributes["href"] for one in browser.page.all("a")]
    assert lacks(browser.page) == []
    assert ladder(browser) == [
        ["1", "slow-first not for the holdout", "from day 1",
         "arm_tempo = 'slow' and days_past_due >= 1", "Text overdue",
         "the borrower's choice → text → e-mail", "plain", "after 12 days"],
        ["2", "overdue not for the holdout", "from day 1", "days_past_due >= 1", "Text overdue",
         "text", "serious", "after 7 days"],
    ]  # fmt: skip
    shown = " ".join(one.text for one in browser.page.all("section", id="experiments"))
    shown = " ".join(shown.split())
    assert "Holdout: 2 % of the borrowers hear no reminder" in shown
    for said in ("Arm usual (control)50 %", "Arm slow50 %", "nothing overdue after 15 days",
                 "2.5 %", "complaints, requests to stop"):  # fmt: skip
        assert said in shown, said


def test_a_policy_that_no_plan_would_take_now_is_not_proved(world):
    decided_by(SMALL.replace("template: overdue, tone: plain", "template: overdu, tone: plain"))
    browser = seated(world, "team_lead")
    browser.go("/staff/strategy")
    assert "A plan would refuse it now: 1 mistake." in browser.text
    assert "roved for every borrower" not in browser.text
    assert [one.attributes["id"] for one in browser.page.all("li", class_="needs")] == ["line-18"]
    assert ladder(browser) == []
    assert lacks(browser.page) == []
    assert browser.go("/staff/strategy.csv").status == 404


def test_a_text_that_was_not_kept_is_not_replaced_by_another(world):
    decided_by(SMALL, kept=False)
    browser = seated(world, "strategy")
    browser.go("/staff/strategy")
    assert "is not kept here" in browser.text
    assert ladder(browser) == []
    assert not browser.page.all("ol")


def test_the_file_of_the_same_fingerprint_stands_for_a_text_that_was_not_kept(world):
    decided_by(policy_bytes(BUILT_IN).decode(), kept=False, name=BUILT_IN, version=1)
    browser = seated(world, "strategy")
    proved(browser)
    assert len(ladder(browser)) == len(load(BUILT_IN).treatments)
    assert "was changed since" not in browser.text


def test_the_ladder_is_a_file_and_is_recorded(world):
    decided_by(SMALL)
    browser, before = seated(world, "admin"), since()
    found = browser.go("/staff/strategy.csv")
    rows = list(csv.reader(io.StringIO(found.body.decode("utf-8-sig"))))
    assert rows == [
        ["Step", "Line", "Days past due", "Within the grace", "For whom", "What",
         "Way, the first that works", "Tone", "Again"],
        ["slow-first", "14", "1", "no", "arm_tempo = 'slow' and days_past_due >= 1",
         "Text overdue", "the borrower's choice > text > e-mail", "plain", "12"],
        ["overdue", "19", "1", "no", "days_past_due >= 1", "Text overdue", "text", "serious", "7"],
    ]  # fmt: skip
    assert rows_since(before, "staff.exported") == [("admin.1", {"list": "strategy", "rows": 2})]


class TestProofs:
    @pytest.fixture
    def question(self):
        at = datetime(2026, 3, 10, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
        return Question(file="s.yaml", data=SMALL.encode(), lender=load_lender(None), at=at)

    @pytest.fixture(autouse=True)
    def alone(self, monkeypatch):
        monkeypatch.setattr(proofs, "_jobs", type(proofs._jobs)())

    def test_one_that_breaks_off_is_said_and_begun_anew(self, question, monkeypatch):
        begun = []

        def breaks(*_, **__):
            begun.append(1)
            raise subprocess.CalledProcessError(1, "x")

        monkeypatch.setattr(proofs.subprocess, "run", breaks)
        policy = read_policy(question)
        for count in (1, 2):
            assert proofs.proof_of(question, policy, wait=30) == proofs.Proof(state="broken")
            assert len(begun) == count

    def test_one_that_takes_long_is_not_waited_for_and_not_begun_twice(self, question, monkeypatch):
        begun = []

        def waits(*_, **__):
            begun.append(1)
            time.sleep(0.5)
            raise subprocess.TimeoutExpired("x", 1)

        monkeypatch.setattr(proofs.subprocess, "run", waits)
        policy = read_policy(question)
        for _ in range(3):
            assert proofs.proof_of(question, policy, wait=0.01).state == "under_way"
        assert len(begun) == 1
        (job,) = proofs._jobs.values()
        assert job.done.wait(30)

    def test_another_day_lender_or_policy_is_another_proof(self, question):
        from dataclasses import replace

        policy = read_policy(question)
        others = [
            key_of(replace(question, at=question.at.replace(day=11)), policy),
            key_of(replace(question, lender=replace(question.lender, sha256="x")), policy),
            key_of(question, replace(policy, fingerprint="x")),
        ]
        assert len({key_of(question, policy), *others}) == 4


def test_every_share_is_exact():
    assert [page_of_strategy._percent(one) for one in (1, 250, 3333, 10_000)] == [
        "0.01 %", "2.5 %", "33.33 %", "100 %",
    ]  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
def test_every_word_of_a_policy_has_its_words(locale):
    said = set(catalogue("console", locale))
    assert {f"tone.{one}" for one in TONES} <= said
    assert {f"channel.{one}" for one in SEND_CHANNELS} <= said
    assert {f"measure.{one}" for one in MEASURES} <= said
    assert {f"strategy_column.{one}" for one in page_of_strategy._COLUMNS} <= said
    assert {f"task.{one}" for one in TASK_KINDS} <= set(catalogue("service", locale))
    for one in (*WAIT_REASONS, *LEAVE_REASONS):
        assert reasons.reason_name(one, locale) != one
