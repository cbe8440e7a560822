"""`duly messages preview`, `diff`, `publish` as processes: what people and programs read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

GOOD = """---
id: overdue
version: 3
locale: zh-CN
channel: sms
tone: [plain]
stage: late
class: dunning
elements: [identity, name, loan, amount, date, as_of, route, objection, relief, ignore, code,
  opt_out]
phrases: 1
---
【{{ signature }}】[[hello]]，[[loan]][[late]]，截至{{ as_of }}待还{{ overdue_total }}。
已还请忽略。有疑问，或想延期、分期，请{{ ways }}。[[code]][[stop]]
"""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """Give a draft of the lender's own."""
    folder = tmp_path / "texts"
    folder.mkdir()
    path = folder / "overdue.v2.txt"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def lender(tmp_path: Path) -> Path:
    path = tmp_path / "lender.yaml"
    path.write_text(
        'lender: {name: 甲乙消费金融有限公司, signature: 甲乙消金, hotline: "95000", app: 甲乙}\n'
        "templates: texts\n",
        encoding="utf-8",
    )
    return path


class TestPreview:
    def test_without_an_id_all_are_listed(self, duly):
        ran = duly("messages", "preview")
        assert (ran.returncode, ran.stderr) == (0, "")
        lines = ran.stdout.splitlines()
        assert lines[-1] == "192 texts, 192 of them in use"
        assert lines[0].split() == [
            *("card_refused", "1", "refused", "en", "email", "gentle,", "plain,", "serious"),
            *("in", "use"),
        ]
        assert len(lines) == 193

    def test_a_program_reads_the_list(self, duly):
        found = json.loads(duly("messages", "preview", "--locale", "zh-TW", "--json").stdout)
        assert len(found["texts"]) == 64
        assert {row["locale"] for row in found["texts"]} == {"zh-TW"}
        assert {row["status"] for row in found["texts"]} == {"published"}
        assert found["mistakes"] == []

    def test_a_text_is_shown_as_a_borrower_reads_it(self, duly):
        ran = duly("messages", "preview", "wrong_person", "--locale", "zh-CN", "--channel", "sms")
        assert ran.returncode == 0
        assert ran.stdout.split("\n")[:9] == [
            "wrong_person@1 zh-CN sms · wrong person · answer · in use",
            "",
            "  【示例消金】您好，之前的消息发错了人，打扰您了，很抱歉。我们已停止向这个号码发消息，"
            "您什么都不用做。若再收到，请打开示例消金App或拨95xxx告诉我们。核验码23456789",
            "",
            "2 part(s), UCS-2, 88 characters with signature and code",
            "Holds: identity, code, name, route, sorry, stopped, nothing_to_do",
            "Asked for by: CN-ID-1, CN-SMS-3, CN-PI-4, CN-COND-7, DEC-STOP-1, DEC-PERSON-1",
            "Needs: none",
            "",
        ]

    def test_it_speaks_chinese_on_a_chinese_terminal(self, duly):
        ran = duly("messages", "preview", "wrong_person", "--locale", "en", DULY_LOCALE="zh-CN")
        assert "发错了人 · answer · 在用" in ran.stdout
        assert "we need do nothing" not in ran.stdout

    def test_a_program_reads_a_text(self, duly):
        ran = duly("messages", "preview", "overdue@1", "--tone", "serious", "--json")
        rows = json.loads(ran.stdout)
        assert [(row["locale"], row["channel"]) for row in rows] == [
            (locale, channel) for locale in ("en", "zh-CN", "zh-TW") for channel in ("email", "sms")
        ]
        assert rows[3]["segments"] == 2
        assert rows[3]["variables"]["overdue_total"] == "736.67元"
        assert "CN-COND-4-AMOUNT" in rows[3]["rules"]

    def test_own_texts_are_shown_with_the_lender_file(self, duly, text, lender):
        ran = duly("messages", "preview", "overdue", "--tone", "plain", "--locale", "zh-CN",
                   "--channel", "sms", "--lender", lender)  # fmt: skip
        assert ran.returncode == 0
        heads = [line for line in ran.stdout.splitlines() if " · " in line]
        assert heads == [
            "overdue@2 zh-CN sms plain · first days late · dunning · in use",
            "overdue@3 zh-CN sms plain · first days late · dunning · draft",
        ]
        assert "【甲乙消金】" in ran.stdout

    def test_mistakes_are_placed_and_end_with_1(self, duly, text):
        text.write_text(GOOD.replace("overdue_total", "overdue_totl"), encoding="utf-8")
        ran = duly("messages", "preview", "--templates", text.parent)
        assert ran.returncode == 1
        assert ran.stderr.splitlines() == [
            f"{text}:13:60 unknown overdue_totl is no known variable; did you mean overdue_total?"
        ]

    def test_a_text_that_lacks_what_its_stage_demands_ends_with_1(self, duly, text):
        text.write_text(GOOD.replace("已还请忽略。", ""), encoding="utf-8")
        ran = duly("messages", "preview", "overdue@3", "--templates", text.parent)
        assert ran.returncode == 1
        assert f"{text}:13:1 words_missing the text lacks the element ignore" in ran.stderr

    @pytest.mark.parametrize(
        ("tokens", "told"),
        [
            (("overdu",), "no_such_text there is no text overdu; did you mean overdue?"),
            (("overdue@7",), "no_such_text there is no text overdue@7; did you mean overdue@3?"),
            (("overdue", "--templates", "none"), "no_folder there is no directory none"),
            (("overdue", "--locale", "zh-HK"), "bad_value"),
        ],
    )
    def test_what_is_not_there_is_refused(self, duly, tokens, told):
        ran = duly("messages", "preview", *tokens)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert told in ran.stderr


class TestDiff:
    def test_two_versions_are_compared(self, duly, text):
        ran = duly("messages", "diff", "overdue@1", text)
        assert ran.returncode == 0
        assert ran.stdout.splitlines() == [
            "overdue@1 zh-CN sms plain → overdue@3 zh-CN sms plain",
            "  - （{% if several_due %}最早{% endif %}{{ overdue_since }}应还）",
            "  + ",
            "  - {% if accrues %}按合同计罚息。{% endif %}",
            "  + ",
            "  Elements lost: consequence; gained: none",
            "  Variables lost: overdue_since; gained: none",
            "  Parts: 2 (UCS-2) → 2 (UCS-2)",
        ]

    def test_a_program_reads_elements_lost_and_parts(self, duly, text):
        other = text.with_name("other.txt")
        long = "有疑问，" * 20
        other.write_text(
            GOOD.replace("已还请忽略。", "").replace("有疑问，", long), encoding="utf-8"
        )
        [row] = json.loads(duly("messages", "diff", text, other, "--json").stdout)
        assert row["elements_lost"] == ["ignore"]
        assert row["segments"] == [2, 3]

    def test_the_same_text_has_no_difference(self, duly):
        ran = duly("messages", "diff", "receipt@1", "receipt@1", "--locale", "en")
        assert ran.stdout.count("The two say the same.") == 2

    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            ("overdue@1", "overdu@2", "no_such_text"),
            ("overdue", "overdue@1", "no_such_text"),
            ("overdue@1", "nothing.txt", "no_such_text"),
        ],
    )
    def test_what_cannot_be_compared_is_refused(self, duly, old, new, code):
        ran = duly("messages", "diff", old, new)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert code in ran.stderr

    def test_texts_of_two_channels_have_nothing_in_common(self, duly, text):
        text.write_text(
            GOOD.replace("locale: zh-CN", "locale: en").replace("id: overdue", "id: other"),
            encoding="utf-8",
        )
        ran = duly("messages", "diff", text, "overdue@1", "--locale", "zh-TW")
        assert ran.returncode == 2
        assert "no_pair" in ran.stderr


class TestPublish:
    def test_two_people_publish_and_a_third_time_is_refused(self, duly, text):
        first = duly("messages", "publish", text, "--by", "李明")
        assert first.returncode == 0
        assert "overdue@2 zh-CN sms plain → overdue@3 zh-CN sms plain" in first.stdout
        assert first.stdout.splitlines()[-1] == (
            "overdue@3 zh-CN sms plain is approved by 李明; a second person publishes it"
        )
        again = duly("messages", "publish", text, "--by", "李明")
        assert (again.returncode, again.stdout) == (2, "")
        assert "approver_twice 李明 approved these words before" in again.stderr
        second = duly("messages", "publish", text, "--by", "王芳", "--json")
        told = json.loads(second.stdout)
        assert (told["published"], [one["by"] for one in told["approvals"]]) == (
            True,
            ["李明", "王芳"],
        )
        third = duly("messages", "publish", text, "--by", "赵敏")
        assert third.returncode == 2
        assert "already_published" in third.stderr
        listed = json.loads(
            duly("messages", "preview", "overdue", "--tone", "plain", "--locale", "zh-CN",
                 "--channel", "sms", "--templates", text.parent, "--json").stdout
        )  # fmt: skip
        assert [(row["version"], row["status"]) for row in listed] == [(3, "published")]

    def test_a_refusal_writes_nothing(self, duly, text):
        text.write_text(GOOD.replace("已还请忽略。", ""), encoding="utf-8")
        before = text.read_bytes()
        ran = duly("messages", "publish", text, "--by", "李明")
        assert (ran.returncode, ran.stdout) == (2, "")
        assert "words_missing" in ran.stderr
        assert text.read_bytes() == before
        assert [path.name for path in text.parent.iterdir()] == [text.name]

    def test_a_file_that_is_not_there_is_refused(self, duly, tmp_path):
        ran = duly("messages", "publish", tmp_path / "none.txt", "--by", "李明")
        assert ran.returncode == 2
        assert "no_file there is no such file" in ran.stderr


def test_a_policy_may_name_the_lenders_own_templates(duly, text, lender, tmp_path):
    text.write_text(GOOD.replace("id: overdue", "id: ours"), encoding="utf-8")
    for who in ("李明", "王芳"):
        assert duly("messages", "publish", text, "--by", who).returncode == 0
    built_in = Path(__file__).parents[2] / "src/duly/policy/builtin/cn-installment.yaml"
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        built_in.read_text(encoding="utf-8").replace("template: overdue", "template: ours"),
        encoding="utf-8",
    )
    unknown = duly("policy", "check", policy)
    assert unknown.returncode == 1
    assert "unknown_choice" in unknown.stderr
    known = duly("policy", "check", policy, DULY_LENDER=str(lender))
    assert "unknown_choice" not in known.stderr
    # One text was published, by SMS and in one tone: a plan would refuse the rest, so it is said.
    assert known.returncode == 1
    codes = {line.split()[1] for line in known.stderr.splitlines()}
    assert codes == {"text_lacks_variant"}
