"""Two people, exactly these words, never changed afterwards; and nothing half-written."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from message_facts import EXAMPLE, facts, order
from template_files import (
    DAY,
    FIRST,
    GOOD_BODY,
    MAIL_BODY,
    SECOND,
    approve,
    put,
    told,
    tree,
)

from duly.book.lender import Route
from duly.core.errors import Refused
from duly.messages import gateway_code, publishing, render
from duly.messages.catalog import builtin, builtin_shelf, load
from duly.messages.publishing import publish
from duly.messages.shelf import INDEX, read_shelf


def refused(path: Path, by: str = FIRST) -> list[str]:
    """Give the codes of a refusal, having seen that it wrote nothing."""
    before = tree(path.parent)
    with pytest.raises(Refused) as refusal:
        publish(path, by=by, on=DAY, lender=EXAMPLE)
    assert tree(path.parent) == before
    told(refusal.value.diagnostics)
    return [item.code for item in refusal.value.diagnostics]


def status(folder: Path) -> dict[str, str]:
    shelf = read_shelf(folder, phrases=builtin_shelf().phrases)
    assert shelf.found == ()
    return {Path(text.file).name: shelf.status(text) for text in shelf.texts}


def test_one_name_approves_and_another_publishes(tmp_path):
    path = put(tmp_path)
    assert status(tmp_path) == {"ours.v1.txt": "draft"}
    first = approve(path, FIRST)
    assert (first.published, first.difference) == (False, None)
    assert status(tmp_path) == {"ours.v1.txt": "approved"}
    assert not (tmp_path / INDEX).exists()
    second = approve(path, SECOND)
    assert second.published
    assert status(tmp_path) == {"ours.v1.txt": "published"}
    assert [(one.by, one.on) for one in second.text.approvals] == [(FIRST, DAY), (SECOND, DAY)]
    index = (tmp_path / INDEX).read_text(encoding="utf-8")
    assert index.count("\n  - {file: ") == 1
    assert f'approvals: [{{by: "{FIRST}", on: 2026-11-28}}, {{by: "{SECOND}"' in index
    assert GOOD_BODY in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("again", [FIRST, f" {FIRST} ", "李 明"])
def test_the_same_name_does_not_count_twice(tmp_path, again):
    path = put(tmp_path)
    approve(path, FIRST)
    assert refused(path, again) == ["approver_twice"]


@pytest.mark.parametrize("name", ["", " ", "12345", "a\nb", "x" * 61, "<b>", "L\u0456 Ming"])
def test_who_approves_has_a_name(tmp_path, name):
    assert refused(put(tmp_path), name) == ["bad_person"]


def test_an_approval_of_other_words_does_not_count(tmp_path):
    path = put(tmp_path)
    approve(path, FIRST)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("想延期、分期", "想延期或分期"), encoding="utf-8")
    assert status(tmp_path) == {"ours.v1.txt": "draft"}
    second = approve(path, SECOND)
    assert (second.published, second.dropped) == (False, (FIRST,))
    assert second.text.approvers == (SECOND,)
    assert approve(path, FIRST).published


def test_a_changed_front_matter_is_other_words_too(tmp_path):
    path = put(tmp_path)
    approve(path, FIRST)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("phrases: 1\n", "phrases: 1\nfrom_days: 1\n"), encoding="utf-8")
    assert not approve(path, SECOND).published


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (GOOD_BODY.replace("已还请忽略。", ""), "words_missing"),
        (GOOD_BODY.replace("有疑问", "后果自负"), "words_forbidden"),
        (GOOD_BODY + "{{ nam }}", "unknown"),
        (GOOD_BODY + "\u202e", "hidden"),
        (GOOD_BODY + "尾款12345.67元周五前付清。", "constant_figure"),
        (GOOD_BODY + "您已逾期30天。", "constant_figure"),
        (GOOD_BODY + "请于3月31日前还清。", "constant_figure"),
        (GOOD_BODY + "日利率0.5%。", "constant_figure"),
        (GOOD_BODY + "请拨021-55556666。", "constant_figure"),
        (GOOD_BODY + "年利率24％。", "constant_figure"),
        (GOOD_BODY + "滞纳金壹仟元整。", "constant_figure"),
        (GOOD_BODY + "另收两千块手续费。", "constant_figure"),
        (GOOD_BODY + "加收百分之五。", "constant_figure"),
        (GOOD_BODY + "A fee of one thousand yuan is added.", "constant_figure"),
    ],
)
def test_no_text_with_a_mistake_is_approved(tmp_path, body, code):
    assert code in refused(put(tmp_path, body=body))


def test_what_a_pack_of_the_lender_forbids_is_named_with_its_rule(tmp_path):
    path = put(tmp_path, body=GOOD_BODY + "请确认住址：某路。")
    with pytest.raises(Refused) as refusal:
        approve(path, FIRST)
    (one,) = refusal.value.diagnostics
    assert (one.code, one.values) == (
        "words_of_rule", {"rule": "CN-PI-4", "words": "住址:"},
    )  # fmt: skip
    assert one.line == 12
    assert "approvals" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("said", ["我们20日内回复。", "记录保存5年。", "也可以拨12378。"])
def test_a_period_and_a_line_of_the_public_may_stand_in_the_words(tmp_path, said):
    assert approve(put(tmp_path, body=GOOD_BODY + said), FIRST).published is False


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ann", "Ann."), ("李明", "李·明"), ("Li Ming", "Li-Ming"), ("Li Ming", "Ming Li"),
     ("Li Ming", "L. Ming"), ("張偉", "张伟"), ("Jose", "José")],
)  # fmt: skip
def test_one_person_spelt_another_way_is_no_second_one(tmp_path, one, other):
    path = put(tmp_path)
    approve(path, one)
    with pytest.raises(Refused, match="approver_twice") as refusal:
        approve(path, other)
    assert [one.code for one in refusal.value.diagnostics] == ["approver_twice"]
    assert approve(path, "Wang Fang").published


def test_a_fuller_lint_is_asked_as_well(tmp_path):
    path = put(tmp_path)
    seen = []

    def lint(said, text):
        seen.append(said)
        return ("forbidden:insult:待还",)

    with pytest.raises(Refused) as refusal:
        publish(path, by=FIRST, on=DAY, lender=EXAMPLE, lints=(lint,))
    assert told(refusal.value.diagnostics) == ["12:58 words_forbidden"]
    assert seen[0].startswith("【示例消金】张**您好，尾号1234的借款逾期7天")


def test_a_published_text_is_not_published_again(tmp_path):
    path = put(tmp_path)
    approve(path)
    assert refused(path, "赵敏") == ["already_published"]


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_version_that_is_not_newer_is_refused(tmp_path, version):
    approve(put(tmp_path, version="2"))
    newer = put(tmp_path, "other.txt", version=version)
    assert refused(newer) == (["not_newer"] if version == "1" else ["version_twice"])


def test_a_newer_version_stands_before_the_older_one_and_shows_what_changed(tmp_path):
    approve(put(tmp_path))
    changed = GOOD_BODY.replace("想延期、分期", "想延期或分期")
    done = approve(put(tmp_path, "ours.v2.txt", changed, version="2"))
    assert done.difference is not None
    assert [(one.before, one.after) for one in done.difference.words] == [("、", "或")]
    assert status(tmp_path) == {"ours.v1.txt": "replaced", "ours.v2.txt": "published"}
    body = load(tmp_path).templates["ours", "zh-CN"].bodies["sms", "plain"]
    assert (body.version, "想延期或分期" in body.source) == (2, True)


def test_a_draft_is_used_by_nobody(tmp_path):
    put(tmp_path, "ours.v1.txt")
    approve(put(tmp_path, "ours.v2.txt", version="2"), FIRST)
    assert "ours" not in load(tmp_path).names
    put(tmp_path, "broken.txt", "{{ nam }}")
    assert load(tmp_path).names == builtin().names
    assert load(tmp_path).sha256 == builtin().sha256


def blocking(folder: Path) -> list[str]:
    with pytest.raises(Refused) as refusal:
        load(folder)
    return [
        f"{Path(item.file).name}:{place}"
        for item, place in zip(
            refusal.value.diagnostics, told(refusal.value.diagnostics), strict=True
        )
    ]


def test_a_published_file_whose_bytes_changed_is_refused(tmp_path):
    path = put(tmp_path)
    approve(path)
    path.write_bytes(path.read_bytes() + b"\n")
    assert blocking(tmp_path) == ["ours.v1.txt:1:1 published_changed"]
    assert refused(put(tmp_path, "next.txt", version="2")) == ["published_changed"]


def test_a_published_file_that_is_gone_is_refused(tmp_path):
    path = put(tmp_path)
    approve(path)
    path.unlink()
    assert blocking(tmp_path) == ["published.yaml:4:1 gone"]


def test_a_version_in_two_files_is_refused(tmp_path):
    approve(put(tmp_path, "a.txt"))
    text = (tmp_path / "a.txt").read_bytes()
    (tmp_path / "b.txt").write_bytes(text)
    line = (tmp_path / INDEX).read_text(encoding="utf-8").split("\n")[3]
    with (tmp_path / INDEX).open("a", encoding="utf-8") as index:
        index.write(line.replace("a.txt", "b.txt") + "\n")
    assert blocking(tmp_path) == ["b.txt:1:1 version_twice"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: text.replace(SECOND, FIRST), "published.yaml:4:5 approvals_missing"),
        (lambda text: text.replace("id: ours", "id: other"), "ours.v1.txt:1:1 not_as_indexed"),
        (lambda text: text.replace("version: 1", "version: 2"), "ours.v1.txt:1:1 not_as_indexed"),
        (lambda text: text.replace("id: ours, ", ""), "published.yaml:4:5 absent"),
        (lambda text: text + "  - {file: [\n", "published.yaml:5:13 not_yaml"),
        (lambda text: text.replace("texts:", "text:"), "published.yaml:3:1 absent"),
    ],
)
def test_an_index_that_was_changed_by_hand_is_refused(tmp_path, change, expected):
    approve(put(tmp_path))
    index = tmp_path / INDEX
    index.write_text(change(index.read_text(encoding="utf-8")), encoding="utf-8")
    assert expected in blocking(tmp_path)


def test_a_file_with_one_approval_cannot_be_put_into_the_index_by_hand(tmp_path):
    path = put(tmp_path)
    approve(path, FIRST)
    shelf = read_shelf(tmp_path, phrases=builtin_shelf().phrases)
    entry = publishing._entry(shelf.texts[0], "ours.v1.txt", shelf.texts[0].sha256)
    (tmp_path / INDEX).write_text(publishing.index_text(shelf, (entry,)), encoding="utf-8")
    assert "ours.v1.txt:1:1 approvals_missing" in blocking(tmp_path)


def test_approvals_written_by_hand_count_only_for_these_words(tmp_path):
    path = put(tmp_path, approvals=f"\n  - {{by: {FIRST}, on: 2026-11-28, words: '0'}}")
    assert status(tmp_path) == {"ours.v1.txt": "draft"}
    assert approve(path, SECOND).dropped == (FIRST,)


@pytest.mark.parametrize(
    ("approvals", "expected"),
    [
        ("\n  - {by: 李明, on: 2026-11-28, words: a}\n  - {by: 李 明, on: 2026-11-28, words: a}",
         "approver_twice"),
        ("[{by: 李明, on: 2026-11-28, words: a}]", "approvals_last"),
        ("\n  - {by: 李明, on: yesterday, words: a}", "not_a_date"),
        ("\n  - {by: 李明, on: 2026-11-28}", "absent"),
        ("\n  - {by: 李明, on: 2026-11-28, words: a}\nfrom_days: 3", "approvals_last"),
    ],
)  # fmt: skip
def test_a_block_of_approvals_with_a_mistake_is_told_so(tmp_path, approvals, expected):
    assert expected in refused(put(tmp_path, approvals=approvals))


def test_an_id_keeps_its_stage(tmp_path):
    assert refused(put(tmp_path, id="receipt")) == ["stage_of_id"]


def test_the_words_of_a_lender_stand_before_ours_and_ours_stand_for_the_rest(tmp_path):
    body = GOOD_BODY.replace("待还", "还没还")
    put(tmp_path, "a.txt", body.replace("还没还{{", "待还{{"), id="overdue", tone="[plain]")
    done = approve(tmp_path / "a.txt")
    assert done.difference is not None
    assert done.difference.old == "overdue@2 zh-CN sms plain"
    own = load(tmp_path)
    said = render([order("overdue", facts())], EXAMPLE, own)[0].text
    assert "（3月13日应还）" not in said
    for how in ({"tone": "gentle"}, {"channel": "email"}, {"locale": "zh-TW"}):
        wanted = [order("overdue", facts(), **how)]
        assert render(wanted, EXAMPLE, own) == render(wanted, EXAMPLE)
    assert own.sha256 != builtin().sha256


def test_a_template_in_one_language_is_served_to_every_reader(tmp_path):
    approve(put(tmp_path))
    own = load(tmp_path)
    texts = {
        render([order("ours", facts(), locale=one)], EXAMPLE, own)[0].text
        for one in ("zh-CN", "zh-TW", "en")
    }
    assert len(texts) == 1


def test_an_e_mail_of_a_lender_is_published_like_a_text_message(tmp_path):
    path = put(tmp_path, body=MAIL_BODY, channel="email", phrases="1\nsubject: 账单提醒")
    assert approve(path).published
    said = render([order("ours", facts(), channel="email")], EXAMPLE, load(tmp_path))[0]
    assert said.subject == "账单提醒"


def test_folders_one_level_deep_belong_to_the_directory(tmp_path):
    approve(put(tmp_path, "a.txt"))
    approve(put(tmp_path / "sms", "b.txt", id="other"))
    assert {"ours", "other"} <= load(tmp_path).names
    assert sorted(status(tmp_path)) == ["a.txt", "b.txt"]
    assert not (tmp_path / "sms" / INDEX).exists()


def test_a_directory_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refused) as refusal:
        load(tmp_path / "none")
    assert [item.code for item in refusal.value.diagnostics] == ["no_folder"]


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_stop_while_writing_leaves_nothing_half_written(tmp_path, monkeypatch, step):
    path = put(tmp_path)
    approve(path, FIRST)
    before = tree(tmp_path)
    calls = []

    def stopping(name):
        real = getattr(os if name == "fsync" else Path, name)

        def call(*given):
            calls.append(name)
            if len(calls) == step:
                raise KeyboardInterrupt
            return real(*given)

        return call

    with monkeypatch.context() as patched:
        patched.setattr(publishing.os, "fsync", stopping("fsync"))
        patched.setattr(Path, "replace", stopping("replace"))
        with pytest.raises(KeyboardInterrupt):
            publish(path, by=SECOND, on=DAY, lender=EXAMPLE)
    after = tree(tmp_path)
    if step < 4:
        assert after == before
    else:  # Between the two moves: both approvals, no entry; a draft still, ended by the next call.
        assert sorted(after) == ["ours.v1.txt"]
        assert "ours" not in load(tmp_path).names
    assert publish(path, by=SECOND, on=DAY, lender=EXAMPLE).published
    assert status(tmp_path) == {"ours.v1.txt": "published"}


def _publish(path: str) -> None:
    publish(Path(path), by=SECOND, on=date(2026, 11, 28), lender=EXAMPLE)


def test_two_publishers_at_once_lose_no_line_of_the_index(tmp_path):
    paths = [put(tmp_path, f"t{n}.txt", id=f"ours_{n}") for n in range(6)]
    for path in paths:
        approve(path, FIRST)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(_publish, map(str, paths))
    assert {f"ours_{n}" for n in range(6)} <= load(tmp_path).names


def test_every_built_in_file_is_published_and_unchanged():
    shelf = builtin_shelf()
    assert shelf.found == ()
    status = Counter(shelf.status(text) for text in shelf.texts)
    assert status == {"published": 192, "replaced": 40}
    names = {one.file for one in shelf.index}
    files = set(tree(shelf.folder))
    assert files - names == {INDEX, *(f"{one}/phrases.v1.yaml" for one in ("en", "zh-CN", "zh-TW"))}


def test_a_changed_phrase_stops_every_text_that_says_it(tmp_path):
    for name, data in tree(builtin_shelf().folder).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    phrases = tmp_path / "zh-CN" / "phrases.v1.yaml"
    phrases.write_bytes(phrases.read_bytes().replace("您好".encode(), "你好".encode()))
    shelf = read_shelf(tmp_path)
    assert [Path(item.file).name for item in shelf.blocking][:1] == ["phrases.v1.yaml"]
    assert shelf.blocking[0].code == "phrases_changed"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (None, "SMS_7"),
        ({}, "SMS_7"),
        ({"receipt": "SMS_1"}, "SMS_7"),
        ({"dunning": "SMS_2"}, "SMS_2"),
        ({"dunning": "SMS_2", "ours": "SMS_3"}, "SMS_3"),
    ],
)
def test_the_code_of_a_route_goes_before_that_of_the_file(tmp_path, codes, expected):
    approve(put(tmp_path, phrases="1\ngateway_code: SMS_7"))
    template = load(tmp_path).templates["ours", "zh-CN"]
    settings = {} if codes is None else {"template_codes": codes}
    route = Route(name="a", channel="sms", kind="http", settings=settings)
    assert gateway_code(template, template.bodies["sms", "plain"], route) == expected


def test_a_text_without_a_code_has_none():
    template = builtin().templates["overdue", "zh-CN"]
    route = Route(name="a", channel="sms", kind="http")
    assert gateway_code(template, template.bodies["sms", "plain"], route) is None
