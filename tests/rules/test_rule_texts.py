"""Texts, terms and several packs at once: decided from what is given, in any spelling."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from duly import rules
from duly.rules import calendars, phrases
from duly.rules.terms import ends_on
from duly.rules.wording import amounts_of, links

EVERY = rules.load_packs(rules.pack_names())
BY_ID = {rule.id: rule for rule in EVERY}
TEXTS = [rule for rule in EVERY if isinstance(rule.primitive, rules.Text)]
BANS = ("CN-COND-1", "CN-COND-2", "CN-COND-3", "CN-COND-5-TEXT", "CN-COND-6", "CN-COND-7",
        "CN-TP-4", "CN-ID-2-TEXT", "CN-SMS-1", "CN-MKT-1", "UK-FORB-1", "UK-TP-1-TEXT")  # fmt: skip


def facts(**changes: object) -> dict[str, object]:
    row = {**rules.NEUTRAL, "address": "+8613800000001", "loan": "A", **changes}
    at = row["at"]
    row["at"] = datetime.fromisoformat(at) if isinstance(at, str) else at
    return row


def bans(text: str, **changes: object) -> set[str]:
    asked = [rule for rule in TEXTS if rule.id in BANS[:6]]
    row = facts(text=text, **changes)
    return {rule.id for rule in asked if rules.ask(rule, row).effect == "block"}


@pytest.mark.parametrize(
    ("text", "phrase", "expected"),
    [
        ("后 果 自 负", "后果自负", "后果自负"),
        ("後果自負", "后果自负", "后果自负"),
        ("后\u200b果自负", "后果自负", "后果自负"),
        ("后-果-自-负", "后果自负", "后果自负"),
        ("不会后果自负", "后果自负", ""),
        ("ＡＲＲＥＳＴ", "arrest", "arrest"),
        ("arrested", "arrest", ""),
        ("We will not sue you.", "sue", ""),
        ("If you do not pay we will sue you.", "sue", "sue"),
        ("不还款就起诉", "起诉", "起诉"),
        ("call 1-800-555-0100", "call %", "call 1-800-555-0100"),
        ("", "起诉", ""),
    ],
)
def test_a_phrase_is_found_in_any_spelling_and_not_where_it_is_denied(
    text: str, phrase: str, expected: str
) -> None:
    assert phrases.claims(text, phrase) == expected


@pytest.mark.parametrize(
    "text",
    ["我们不会联系您的家人。", "如您收到冒充公安的电话，请勿相信。", "还清后可向客服索取结清证明。",
     "We will never take legal action without telling you first.", "逾期信息将依规报送征信系统。",
     "有困难可以申请延期，不收任何费用。", "请勿向他人透露验证码。"],
)  # fmt: skip
def test_lawful_words_pass(text: str) -> None:
    assert bans(text) == set()


@pytest.mark.parametrize(
    ("text", "rule_id"),
    [
        ("再不还钱，后果你自己担着，派人上门找你", "CN-COND-1"),
        ("欠钱的老賴，不要臉", "CN-COND-1"),
        ("我是公安局的，请马上还款", "CN-COND-2"),
        ("您名下银行卡明天冻结", "CN-COND-3"),
        ("不还就拉黑征信一辈子", "CN-COND-5-TEXT"),
        ("先去借呗借一笔还上", "CN-COND-6"),
        ("把短信验证码发给我", "CN-COND-7"),
    ],
)
def test_forbidden_words_are_found(text: str, rule_id: str) -> None:
    assert rule_id in bans(text)


def test_the_seed_list_of_the_rulebook_is_found_and_its_lawful_sentences_pass(shared: Path) -> None:
    path = shared / "compliance" / "rulebook.md"
    if not path.is_file():
        pytest.skip("skipped: no shared data")
    section = path.read_text(encoding="utf-8").split("## 6.")[1].split("## 7.")[0]
    rows = [line.split("|") for line in section.splitlines() if re.match(r"\| [A-Z_]+ \(", line)]
    said = [
        (row[1].strip(), one.strip(" ."))
        for row in rows
        for cell in row[2:4]
        for one in re.split(r"(?:^|\s)\d\. ", cell)
        if one.strip()
    ]
    assert len(said) == 56
    floor = [rule for rule in TEXTS if rule.id in BANS]
    missed = [
        (kind, text)
        for kind, text in said
        if not any(
            rules.ask(rule, facts(text=text, recipient=who)).effect == "block"
            for rule in floor
            for who in (("contact_person",) if kind.startswith("THIRD") else ("borrower",))
            if who == "contact_person" or rule.id != "CN-TP-4"
        )
    ]
    assert missed == []


@pytest.mark.parametrize("rule", TEXTS, ids=lambda rule: f"{rule.id}-{rule.in_force_from}")
@pytest.mark.parametrize(
    "text",
    ["", " ", "\x00\x07\u202e", "【" * 2000, "a" * 5000, "起" * 5000, "不" * 5000, "1 " * 2500,
     "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace")],
)  # fmt: skip
def test_any_text_gets_an_answer_at_once(rule: rules.Rule, text: str) -> None:
    started = time.thread_time()  # What it asks of a processor: the machine may be busy.
    verdict = rules.ask(rule, facts(text=text, signatures=("Example",)))
    assert verdict.effect in ("allow", "block")
    assert time.thread_time() - started < 2


def test_a_text_that_is_not_given_is_missing() -> None:
    assert rules.ask(BY_ID["CN-COND-1"], facts(text=None)).reason == "missing:text"


def test_amounts_and_links_are_read_in_their_spellings() -> None:
    assert amounts_of("待还１，２３４.5元，£81.20 and Rs. 900") == (123450, 8120, 90000)
    assert links("见ｈｔｔｐｓ：//t.cn/Ab 或 www.example.com/x，12.30元，3.5") == (
        "https://t.cn/ab", "www.example.com/x",
    )  # fmt: skip


class TestSeveralPacks:
    ABOUT = ("contact", "text")

    def test_all_demanded_sentences_are_said_once(self) -> None:
        asked = [BY_ID["US-OPTOUT-1-TEXT"], BY_ID["US-DISC-1"], BY_ID["UK-FORB-1"]]
        row = facts(text="Your payment is late.")
        assert rules.required_texts(asked, row, "en") == (
            "Reply STOP to end texts to this number.",
            "This is from a debt collector.",
            "Free debt advice: MoneyHelper.",
        )
        added = " ".join([str(row["text"]), *rules.required_texts(asked, row, "en")])
        assert rules.required_texts(asked, row | {"text": added}, "en") == ()
        assert [rules.ask(rule, row | {"text": added}).effect for rule in asked] == ["allow"] * 3

    def test_a_demand_that_another_rule_forbids_blocks_on_that_channel_only(self) -> None:
        asked = [BY_ID["US-OPTOUT-1-TEXT"], BY_ID["CN-SMS-2-NOTICE"]]
        said = "Your payment is late. Reply STOP to end texts."
        row = facts(text=said, route_takes_opt_out=False, about=self.ABOUT)
        clash = rules.decide(asked, row)
        assert clash.effect == "block"
        assert {one.rule_id for one in clash.verdicts} == {rule.id for rule in asked}
        assert rules.decide(asked, row | {"channel": "email"}).effect == "allow"
        assert rules.decide(asked, row | {"route_takes_opt_out": True}).effect == "allow"

    def test_windows_meet_and_all_reasons_are_kept(self) -> None:
        asked = [BY_ID["CN-HOURS-1"], BY_ID["IN-HOURS-1"], BY_ID["US-HOURS-1"]]
        at = datetime.fromisoformat("2026-03-10T19:30:00+05:30")
        answer = rules.decide(asked, facts(at=at, time_zone="Asia/Kolkata", channel="voice"))
        assert answer.until == datetime.fromisoformat("2026-03-11T08:00:00+05:30")
        assert [one.rule_id for one in answer.verdicts] == ["IN-HOURS-1", "CN-HOURS-1"]

    def test_the_lowest_cap_wins(self) -> None:
        asked = [BY_ID["UK-HOURS-1-FREQ"], BY_ID["DEC-FREQ-3"]]
        contacts = ({"at": datetime.fromisoformat("2026-03-10T09:00:00+00:00"), "channel": "sms"},)
        at = datetime.fromisoformat("2026-03-10T15:00:00+00:00")
        answer = rules.decide(asked, facts(at=at, time_zone="Europe/London", contacts=contacts))
        assert [one.rule_id for one in answer.verdicts] == ["DEC-FREQ-3"]

    def test_every_zone_where_the_borrower_may_be_must_allow(self) -> None:
        at = datetime.fromisoformat("2026-01-15T18:00:00+00:00")
        row = facts(at=at, time_zone="America/New_York", time_zones=("Asia/Shanghai",))
        answer = rules.decide([BY_ID["US-HOURS-1"]], row)
        assert answer.until == datetime.fromisoformat("2026-01-16T00:00:00+00:00")

    def test_a_rule_is_silent_on_the_day_before_it_begins(self) -> None:
        for rule in EVERY:
            day = rule.in_force_from
            if day.year > 1:
                noon = datetime.fromisoformat(f"{day}T04:00:00+00:00")
                row = facts(at=noon)
                assert rules.in_force(rule, row)
                yesterday = date.fromordinal(day.toordinal() - 1)
                at = datetime.fromisoformat(f"{yesterday}T04:00:00+00:00")
                assert not rules.in_force(rule, row | {"at": at})
                assert rules.ask(rule, row | {"at": at, "text": "老赖"}).effect == "allow"

    def test_a_collectors_rule_is_policy_for_a_lender_of_its_own_debt(self) -> None:
        hours, bankruptcy = BY_ID["US-HOURS-1"], BY_ID["US-BK-1"]
        assert [hours.force_for(first_party=own) for own in (True, False)] == ["policy", "law"]
        assert bankruptcy.force_for(first_party=True) == "law"


class TestSeveralZones:
    """Where the borrower may be in two zones the strictest holds: hours, counts and dates."""

    def test_a_cap_of_the_local_day_counts_in_each_zone(self) -> None:
        # 23:30 in New York is 20:30 of the same date in Los Angeles, so the day ends later there.
        rule = BY_ID["US-OPTOUT-1-FREQ"]
        row = facts(
            at=datetime.fromisoformat("2026-03-10T23:30:00-04:00"),
            time_zone="America/New_York",
            contacts=({"at": datetime.fromisoformat("2026-03-10T12:00:00-04:00"),
                       "channel": "sms"},),
        )  # fmt: skip
        assert rules.ask(rule, row).until == datetime.fromisoformat("2026-03-11T00:00:00-04:00")
        two = rules.ask(rule, row | {"time_zones": ("America/Los_Angeles",)})
        assert two.until == datetime.fromisoformat("2026-03-11T00:00:00-07:00")
        # At 01:00 in New York the contact of yesterday counts in Los Angeles alone.
        later = row | {"at": datetime.fromisoformat("2026-03-11T01:00:00-04:00")}
        assert rules.ask(rule, later).effect == "allow"
        assert rules.ask(rule, later | {"time_zones": ("America/Los_Angeles",)}).effect == "delay"

    def test_zones_alone_are_enough_and_one_that_nobody_knows_blocks(self) -> None:
        rule = BY_ID["DEC-FREQ-1"]
        row = facts(channel="voice", time_zone=None)
        assert rules.ask(rule, row | {"time_zones": ("Europe/Paris",)}).reason.startswith(
            "missing:time_zone"
        )  # The rule itself requires the zone of the book.
        rule = replace(rule, requires=())
        assert rules.ask(rule, row | {"time_zones": ("Europe/Paris",)}).effect == "allow"
        wrong = rules.ask(rule, row | {"time_zones": ("Europe/Paris", "Mars/Olympus")})
        assert (wrong.effect, wrong.reason) == ("block", "missing:time_zone")

    def test_a_rule_is_in_force_where_it_is_in_one_of_the_zones(self) -> None:
        rule = BY_ID["EU-FORB-1"]
        at = datetime.fromisoformat("2026-11-19T23:30:00+00:00")  # 2026-11-20 in Berlin
        row = facts(at=at, time_zone="Atlantic/Azores", enforcement=True, forbearance_offered=False)
        assert rules.ask(rule, row).effect == "allow"
        assert rules.ask(rule, row | {"time_zones": ("Europe/Berlin",)}).effect == "block"


class TestCalendars:
    def test_a_month_later_is_the_same_date_or_the_last(self) -> None:
        assert calendars.add_months(date(2028, 1, 31), 1) == date(2028, 2, 29)
        assert calendars.add_months(date(2026, 12, 15), 1) == date(2027, 1, 15)
        assert calendars.add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)

    def test_a_worked_saturday_counts_and_an_unannounced_year_does_not(self) -> None:
        assert calendars.is_working_day("CN", date(2026, 2, 28))
        assert not calendars.is_working_day("CN", date(2026, 2, 23))
        with pytest.raises(calendars.UnknownYearError):
            calendars.is_working_day("CN", date(2027, 1, 4))

    def test_a_country_is_known_by_address_or_by_zone(self) -> None:
        assert calendars.country_of("UK-SCT", None) == "GB"
        assert calendars.country_of("650100", "Europe/Berlin") == "CN"
        assert calendars.country_of(None, "Europe/Madrid") == "ES"
        assert calendars.country_of(None, "UTC") is None

    def test_a_validation_period_is_working_days_and_then_days(self) -> None:
        term = BY_ID["US-VAL-1-PERIOD"].primitive
        assert isinstance(term, rules.Term)
        assert term.at_most is not None
        assert ends_on(term, date(2026, 6, 1), term.at_most) == date(2026, 7, 8)
