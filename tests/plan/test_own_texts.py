"""A lender's own texts in a plan: used, kept, refused where a plan could not write them."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from case_book import EXAMPLE_LENDER, dated, group
from plan_made import KEY, Made, make, write_book_json
from ruamel.yaml import YAML

from duly.book import load_lender
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.messages import templates_sha256
from duly.messages.publishing import publish
from duly.plan.explain import explain_loan
from duly.plan.replay import replay

BUILT_IN = Path(__file__).parents[2] / "src/duly/policy/builtin/cn-installment.yaml"
AT = "2026-03-10T09:00:00+08:00"
WORDS = (
    "【{{ signature }}】[[hello]]，[[loan]][[late]]，截至{{ as_of }}待还{{ overdue_total }}。\n"
    "这是我们自己的话。已还请忽略。有疑问，或想延期、分期，请{{ ways }}。[[code]][[stop]]\n"
)
MAIL = "[[hello]]：\n\n[[loan]]已[[late]]。已还请忽略。\n\n[[figures]]\n[[rights]]\n[[closing]]\n"
ELEMENTS = "identity, name, loan, amount, date, as_of, route, objection, relief, ignore, code"
LATE = {"late": 10}
MAILED = {"points": [{"channel": "sms"}, {"channel": "email"}]}
TOLD_BEFORE = {"contacts": [{"channel": "sms", "at": "-40d 10:00"}]}


def write_text(folder: Path, name: str, channel: str, **more: str) -> Path:
    """Write and publish a text that stands in place of `first_late`, or has an id of its own."""
    keys = {"id": name, "version": "1", "locale": "zh-CN", "channel": channel}
    keys |= {"tone": "[gentle, plain, serious]", "stage": "late", "class": "dunning"}
    keys |= {"elements": f"[{ELEMENTS}, opt_out]", "phrases": "1"} | more
    words = WORDS
    if channel == "email":
        keys["subject"] = "账单提醒"
        words = MAIL
    front = "".join(f"{key}: {value}\n" for key, value in keys.items())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.{channel}.{keys['version']}.txt"
    path.write_text(f"---\n{front}---\n{words}", encoding="utf-8")
    for who in ("李明", "王芳"):
        publish(path, by=who, on=date(2026, 3, 1), lender=load_lender(None))
    return path


@pytest.fixture
def planned(tmp_path: Path, write_book: Any) -> Any:
    """Give the function that plans one case with a lender file and a policy made of ours."""

    def plan(
        case: Mapping[str, Any],
        *,
        lender: Mapping[str, Any] | None = None,
        replaced: tuple[str, str] = ("", ""),
        out: str = "plan",
        at: str = AT,
    ) -> Made:
        made = group("own", {"at": at, "cases": [case]})
        book = write_book(tmp_path / "books", made.tables)
        write_book_json(book, dated(made, dict(made.book or {})))
        told = YAML(typ="safe").load(EXAMPLE_LENDER) | dict(lender or {})
        file = tmp_path / "lender" / "lender.yaml"
        file.parent.mkdir(exist_ok=True)
        with file.open("w", encoding="utf-8") as opened:
            YAML(typ="safe").dump(told, opened)
        policy = tmp_path / "policy.yaml"
        text = BUILT_IN.read_text(encoding="utf-8")
        assert replaced[0] in text
        policy.write_text(text.replace(*replaced) if replaced[0] else text, encoding="utf-8")
        return make(book, tmp_path / out, at=made.instant, lender=file, policy=str(policy))

    return plan


def only(made: Made) -> Mapping[str, Any]:
    assert len(made.messages) == 1
    return next(iter(made.messages.values()))


def test_own_words_stand_before_ours_and_outlive_their_directory(planned, tmp_path):
    texts = tmp_path / "lender" / "texts"
    for channel in ("sms", "email"):
        write_text(texts, "first_late", channel)
    (texts / "draft.txt").write_text("not yet a template", encoding="utf-8")
    plain = planned(LATE, out="plain")
    own = planned(LATE, lender={"templates": "texts"})
    assert "可能忘了" in only(plain)["text"]
    assert "这是我们自己的话" in only(own)["text"]
    assert [row["reason"] for row in own.decisions.values()] == ["first_late"]
    assert plain.run["versions"]["templates"] == templates_sha256()
    assert own.run["versions"]["templates"] != templates_sha256()
    (name, version), *rest = own.run["texts"].items()
    assert (name, version[:2], rest) == ("first_late.zh-CN.sms.gentle", "1 ", [])
    kept = sorted(path.name for path in (own.path / "inputs" / "templates").iterdir())
    assert kept == ["first_late.email.1.txt", "first_late.sms.1.txt", "published.yaml"]
    shutil.rmtree(tmp_path / "lender")
    again = replay(own.path, key=KEY, loan_id=None, clock=time.perf_counter, threads=1)
    assert again.differences == ()
    loan = next(iter(own.decisions))
    assert "这是我们自己的话" in json.dumps(
        explain_loan(own.path, loan, clock=time.perf_counter), ensure_ascii=False, default=str
    )


def test_a_kept_text_that_was_changed_refuses_the_replay(planned, tmp_path):
    for channel in ("sms", "email"):
        write_text(tmp_path / "lender" / "texts", "first_late", channel)
    own = planned(LATE, lender={"templates": "texts"})
    kept = own.path / "inputs" / "templates" / "first_late.sms.1.txt"
    kept.write_bytes(kept.read_bytes() + b"\n")
    with pytest.raises(Refused) as refusal:
        replay(own.path, key=KEY, loan_id=None, clock=time.perf_counter, threads=1)
    assert [item.code for item in refusal.value.diagnostics] == ["published_changed"]


def test_a_plan_without_own_texts_keeps_none(planned):
    assert not (planned(LATE).path / "inputs" / "templates").exists()


def test_a_template_with_an_id_of_its_own_is_sent_by_a_policy(planned, tmp_path):
    for channel in ("sms", "email"):
        write_text(tmp_path / "lender" / "texts", "first_hello", channel)
    made = planned(
        LATE,
        lender={"templates": "texts"},
        replaced=("template: first_late", "template: first_hello"),
    )
    message = only(made)
    assert (message["template"], message["class"]) == ("first_hello", "dunning")
    assert "这是我们自己的话" in message["text"]


def token(item: Diagnostic) -> str:
    """Return what stands at the place of a diagnostic; nothing, where it has no such place."""
    rows = Path(item.file).read_text(encoding="utf-8").split("\n")
    return rows[item.line - 1][int(item.column or 0) - 1 :] if item.line and item.column else ""


def refused(planned: Any, tmp_path: Path, **how: Any) -> list[str]:
    with pytest.raises(Refused) as refusal:
        planned(LATE, **how)
    assert not (tmp_path / "plan").exists()
    found = refusal.value.diagnostics
    assert all(item.sentence("en") and item.sentence("zh-CN") for item in found)
    assert all(token(item) for item in found if Path(item.file).name == "policy.yaml")
    return sorted({f"{Path(item.file).name}:{item.code}" for item in found})


@pytest.mark.parametrize(
    ("template", "places"),
    [
        ("pre_legal", {"text_needs_case": "pre_legal, tone: "}),
        ("options", {"text_too_early": "1"}),
        ("servicer", {"text_needs_case": "servicer, tone: ", "text_too_early": "1"}),
    ],
)
def test_a_text_that_no_plan_can_write_is_pointed_at_where_it_is_named(
    planned, tmp_path, template, places
):
    with pytest.raises(Refused) as refusal:
        planned(LATE, replaced=("template: first_late", f"template: {template}"))
    found = {(item.code, token(item)) for item in refusal.value.diagnostics}
    assert {code for code, _ in found} == set(places)
    assert all(text.startswith(places[code]) for code, text in found)


@pytest.mark.parametrize(
    ("template", "codes"),
    [
        ("servicer", ["policy.yaml:text_needs_case", "policy.yaml:text_too_early"]),
        ("pre_legal", ["policy.yaml:text_needs_case"]),
        ("legal", ["policy.yaml:text_needs_case"]),
        ("visit", ["policy.yaml:text_needs_case"]),
        ("receipt", ["policy.yaml:text_needs_case"]),
        ("promise_noted", ["policy.yaml:text_needs_case"]),
        ("options", ["policy.yaml:text_too_early"]),
        ("help_first", ["policy.yaml:text_too_early"]),
        ("frist_late", ["policy.yaml:unknown_choice"]),
    ],
)
def test_a_policy_that_sends_what_no_plan_can_write_is_refused(planned, tmp_path, template, codes):
    replaced = ("template: first_late", f"template: {template}")
    assert refused(planned, tmp_path, replaced=replaced) == codes


def test_a_text_without_the_channel_that_a_step_may_need_is_refused(planned, tmp_path):
    write_text(tmp_path / "lender" / "texts", "first_hello", "sms")
    how = {
        "lender": {"templates": "texts"},
        "replaced": ("template: first_late", "template: first_hello"),
    }
    assert refused(planned, tmp_path, **how) == ["policy.yaml:text_lacks_variant"]


def test_a_notice_whose_clause_the_lender_file_lacks_is_refused(planned, tmp_path):
    replaced = ("template: first_late", "template: standard_notice")
    found = refused(planned, tmp_path, lender={"clauses": {}}, replaced=replaced)
    assert found == ["policy.yaml:text_lacks_word"]
    # Two parts do not hold a whole notice (CN-SMS-6): it goes by e-mail.
    message = only(planned(LATE | MAILED, replaced=replaced))
    assert (message["channel"], "合同第7条" in message["text"]) == ("email", True)


def test_an_own_demand_does_not_go_out_inside_the_grace(planned, tmp_path):
    for channel in ("sms", "email"):
        write_text(tmp_path / "lender" / "texts", "first_hello", channel)
    how = {
        "lender": {"templates": "texts"},
        "replaced": ("template: card_refused", "template: first_hello"),
    }
    assert refused(planned, tmp_path, **how) == ["policy.yaml:demand_in_grace"]


def test_a_published_text_that_was_changed_refuses_the_plan(planned, tmp_path):
    texts = tmp_path / "lender" / "texts"
    path = write_text(texts, "first_late", "sms")
    path.write_bytes(path.read_bytes().replace("自己".encode(), "别人".encode()))
    found = refused(planned, tmp_path, lender={"templates": "texts"})
    assert found == ["first_late.sms.1.txt:published_changed"]


def test_a_directory_that_is_not_there_refuses_the_plan(planned, tmp_path):
    assert refused(planned, tmp_path, lender={"templates": "nowhere"}) == [":no_folder"]


def test_a_text_whose_facts_a_loan_lacks_refuses_the_plan_in_words(planned, tmp_path):
    replaced = ("if: bureau_notice_due", "if: not bureau_notice_due")
    assert refused(planned, tmp_path, replaced=replaced) == [":cannot_say"]


@pytest.mark.parametrize(("template", "channel"), [("help_first", "sms"), ("itemized", "email")])
def test_a_new_template_of_ours_is_sent_by_a_policy_that_asks_for_it(planned, template, channel):
    replaced = (
        "from_day: 1\n    every: 7 days\n    send: {template: first_late",
        f"from_day: 8\n    every: 7 days\n    send: {{template: {template}",
    )
    made = planned(LATE | MAILED | TOLD_BEFORE, replaced=replaced)
    assert only(made)["template"] == template
    assert only(made)["channel"] == channel
    assert [row["reason"] for row in made.decisions.values()] == [template]


@pytest.mark.parametrize("locale", ["zh-TW", "zh-HK", "zh-Hant"])
def test_who_reads_traditional_characters_is_written_to_in_them(planned, locale):
    made = planned({**LATE, "borrower": {"locale": locale}})
    message = only(made)
    assert message["locale"] == locale
    assert "末四碼" in message["text"]
    assert "拒收請回TD" in message["text"]
    assert list(made.run["texts"]) == ["first_late.zh-TW.sms.gentle"]


def test_a_sentence_that_a_pack_demands_is_added_in_traditional_characters(planned):
    made = planned(
        {
            **LATE,
            "borrower": {"locale": "zh-TW", "time_zone": "America/New_York"},
            "terms": {"jurisdiction": "us"},
        },
        lender={"packs": ["decency", "us"], "time_zone": "America/New_York"},
        at="2026-03-10T10:00:00-04:00",
    )
    text = only(made)["text"]
    assert text.endswith("回覆 STOP 停止接收本號碼簡訊。")
