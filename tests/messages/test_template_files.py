"""What a template file may say, and where each mistake in one is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_facts import EXAMPLE
from template_files import GOOD_BODY, MAIL_BODY, text_of, told

from duly.messages.catalog import builtin_shelf
from duly.messages.checking import check
from duly.messages.template_file import read_text

PHRASES = builtin_shelf().phrases


def mistakes(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    found, notes = read_text(data, "ours.txt", PHRASES)
    assert (found is None) == bool(notes)
    return told(notes)


def test_a_good_file_has_no_mistake_and_says_what_it_is():
    text, notes = read_text(text_of().encode(), "ours.txt", PHRASES)
    assert notes == ()
    assert text is not None
    assert (text.name, text.message_class) == ("ours@1 zh-CN sms", "dunning")
    assert text.variables == {
        *("signature", "name", "loans", "tail", "days", "as_of", "overdue_total", "ways")
    }
    assert text.flags == {"named", "several", "opt_out"}
    assert check(text, EXAMPLE) == ()


# The file has its fence in line 1, the keys from line 2 on, the words from line 12 on.
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"id": "Ours!"}, ["2:5 bad_name"]),
        ({"id": None}, ["2:1 absent"]),
        ({"version": "0"}, ["3:10 not_whole"]),
        ({"version": "one"}, ["3:10 not_whole"]),
        ({"locale": "zh-HK"}, ["4:9 unknown"]),
        ({"channel": "fax"}, ["5:10 unknown"]),
        ({"tone": "[harsh]"}, ["6:8 unknown"]),
        ({"tone": "[plain, plain]"}, ["6:15 twice"]),
        ({"stage": "lat"}, ["7:8 unknown"]),
        ({"class": "answer"}, ["8:8 class_of_stage"]),
        ({"class": "demand"}, ["8:8 unknown"]),
        ({"elements": "[identity]"}, ["9:11 element_absent"] * 11),
        ({"phrases": "9"}, ["10:10 no_such_phrases"]),
        ({"phrases": "1\nphrase: 1"}, ["11:1 unknown"]),
        ({"phrases": "1\nphrases: 1"}, ["11:1 twice"]),
        ({"phrases": "1\nsubject: 账单提醒"}, ["11:10 subject_of_sms"]),
        ({"phrases": "1\ngateway_code: 'SMS 1'"}, ["11:15 bad_code"]),
        ({"phrases": "1\nrequires: [case_aproved]"}, ["11:12 unknown"]),
        ({"phrases": "1\nfrom_days: -3"}, ["11:12 not_whole"]),
    ],
)
def test_each_mistake_of_the_front_matter_is_shown_at_its_place(changed, expected):
    found = mistakes(text_of(**changed))
    assert [one for one in found if not one.endswith(" no_phrases")] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("待还{{ overdue_totl }}。", ["12:3 unknown"]),
        ("待还\n  {{ overdue_totl }}。", ["13:3 unknown"]),
        ("您好{% if nmaed %}，{% endif %}", ["12:3 unknown"]),
        ("您好[[helo]]", ["12:3 unknown"]),
        ("您好{{ name | upper }}", ["12:3 bad_tag"]),
        ("您好{% for a in name %}", ["12:3 bad_tag"]),
        ("您好{% set a = 1 %}", ["12:3 bad_tag"]),
        ("您好{{ name.__class__ }}", ["12:3 bad_tag"]),
        ("您好{name}", ["12:3 unbalanced", "12:8 unbalanced"]),
        ("您好{{ name", ["12:3 unbalanced", "12:4 unbalanced"]),
        ("您好]]", ["12:3 unbalanced"]),
        ("您好{% if named %}", ["12:3 unclosed_if"]),
        ("您好{% endif %}", ["12:3 no_if"]),
        ("您好{% else %}", ["12:3 no_if"]),
        ("您好{{ tail }}{{ days }}", ["12:13 adjacent"]),
        ("{{ overdue_total }}", ["12:1 no_words"]),
        ("您好\u202e{{ tail }}", ["12:3 hidden"]),
        ("您好\u200b", ["12:3 hidden"]),
        ("您好\x07", ["12:3 hidden"]),
        ("您于{{ paid_on }}还过", ["12:1 unasked"]),
        ("长" * 4001, ["12:1 too_long"]),
    ],
)
def test_each_mistake_of_the_words_is_shown_at_its_place(body, expected):
    assert mistakes(text_of(body)) == expected


def test_all_mistakes_of_a_file_are_shown_in_its_order():
    found = mistakes(text_of("{{ nam }}\n{{ dais }}天", id="X", tone="loud", stage="late"))
    assert found == ["2:5 bad_name", "6:7 unknown", "12:1 unknown", "13:1 unknown"]


def test_a_near_name_is_suggested():
    _, notes = read_text(text_of("待还{{ overdue_totl }}。").encode(), "ours.txt", PHRASES)
    assert notes[0].render("en") == (
        "ours.txt:12:3 unknown overdue_totl is no known variable; did you mean overdue_total?"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ["1:1 no_front_matter"]),
        (b"hello", ["1:1 no_front_matter"]),
        (b"---\nid: a\n", ["1:1 no_front_matter"]),
        (b"---\nid: [\n---\n", ["2:6 not_yaml"]),
        (b"---\n- a\n---\n", ["2:1 not_a_mapping"]),
        ("---\nid: 张\n---\n".encode("gbk"), ["2:1 not_utf8"]),
        (b"a" * 70_000, ["1:1 too_big"]),
    ],
)
def test_what_is_no_template_is_told_so(data, expected):
    assert mistakes(data) == expected


@given(st.text(max_size=300) | st.binary(max_size=300))
def test_nothing_that_a_file_holds_stops_the_reader(content):
    data = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    for whole in (data, b"---\n" + data + b"\n---\nx", text_of("").encode() + data):
        text, notes = read_text(whole, "ours.txt", PHRASES)
        assert (text is None) == bool(notes)


@pytest.mark.parametrize(
    ("subject", "good"),
    [
        ("账单提醒", True),
        ("逾期提醒", False),
        ("您有734.10元", False),
        ("{{ name }}", False),
        ("长" * 41, False),
    ],
)
def test_a_subject_is_neutral(subject, good):
    changed = {"channel": "email", "phrases": f"1\nsubject: '{subject}'"}
    expected = [] if good else ["11:10 bad_subject"]
    assert mistakes(text_of(MAIL_BODY, **changed)) == expected


def test_an_e_mail_has_a_subject():
    assert mistakes(text_of(MAIL_BODY, channel="email")) == ["2:1 absent"]


def checked(body: str, **changed: str) -> list[str]:
    text, notes = read_text(text_of(body, **changed).encode(), "ours.txt", PHRASES)
    assert text is not None, notes
    return [
        f"{item.line}:{item.column} {item.code} {item.values.get('element', '')}"
        f"{item.values.get('words', '')}{item.values.get('problem', '')}"
        for item in check(text, EXAMPLE)
    ]


@pytest.mark.parametrize(
    ("lost", "element"),
    [
        ("已还请忽略。", "ignore"),
        ("有疑问，或", "objection"),
        ("想延期、分期，", "relief"),
        ("[[stop]]", "opt_out"),
        ("，截至{{ as_of }}", "as_of"),
        ("【{{ signature }}】", "identity"),
    ],
)
def test_an_element_that_the_words_lack_is_named(lost, element):
    assert lost in GOOD_BODY
    found = checked(GOOD_BODY.replace(lost, ""))
    assert f"12:1 words_missing {element}" in found


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("否则起诉您。", "13:33 words_forbidden 起诉"),
        ("否则起诉您。", "13:31 words_forbidden 否则"),
        ("这会影响征信。", "13:35 words_forbidden 征信"),
        ("您这是恶意拖欠。", "13:34 words_forbidden 恶意"),
        ("详见 a.cn/x。", "12:1 words_forbidden link"),
        ("微信联系。", "13:31 words_forbidden 微信"),
        ("打13812345678。", "12:1 words_forbidden personal_phone"),
    ],
)
def test_words_that_a_stage_never_says_are_found(said, expected):
    body = GOOD_BODY.replace("[[code]]", f"{said}[[code]]")
    assert expected in checked(body)


def test_an_element_that_the_file_promises_beyond_its_stage_must_be_there():
    more = text_of()[text_of().index("[identity") : text_of().index("opt_out]")] + "opt_out, free]"
    assert checked(GOOD_BODY, elements=more) == ["12:1 words_missing free"]


def test_variables_that_meet_only_under_one_answer_are_found():
    body = GOOD_BODY.replace("待还", "待还{% if several %}{{ loans }}{% endif %}")
    assert any("adjacent variables" in one for one in checked(body))


def test_the_late_charge_is_named_only_where_one_accrues():
    body = GOOD_BODY.replace("已还请忽略。", "按合同计罚息。已还请忽略。")
    assert any("late charge" in one for one in checked(body))


@pytest.mark.parametrize("text", builtin_shelf().texts, ids=lambda text: text.name)
def test_every_built_in_text_passes_every_check(text):
    assert check(text, EXAMPLE) == ()
