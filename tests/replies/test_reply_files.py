"""`duly replies read`: rows in and out, every mistake at its place, signals that a book takes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

AT = "2026-04-08T10:00:00+08:00"


def _row(**more):
    return {"id": "r1", "text": "明天还500", "received_at": AT, **more}


@pytest.fixture
def ran(tmp_path):
    """Give the function that reads lines as a file, in a process of its own."""

    def run(*lines, options=(), stdin=False):
        data = b"".join(
            (line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode())
            + b"\n"
            for line in lines
        )
        (tmp_path / "replies.jsonl").write_bytes(data)
        return subprocess.run(
            [sys.executable, "-m", "duly.cli.main", "replies", "read",
             "-" if stdin else "replies.jsonl", *options],
            input=data if stdin else None, capture_output=True, cwd=tmp_path, check=False,
            env={"DULY_LOCALE": "en", "PYTHONUTF8": "1", "PATH": ""},
        )  # fmt: skip

    return run


def test_rows_come_out_in_order_with_the_contracts_keys_first(ran):
    done = ran(_row(), _row(id="r2", text="退订", lang=None), _row(id="r3", text="", lang="zh-CN"))
    assert (done.returncode, done.stderr) == (0, b"")
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert list(first)[:6] == "id intent promise_date amount vulnerable confidence".split()
    assert [first[key] for key in ("id", "intent", "promise_date", "amount", "vulnerable")] == [
        "r1", "promise_to_pay", "2026-04-09", 500.0, False,
    ]  # fmt: skip
    assert (second["id"], second["intent"], second["tasks"]) == ("r2", "opt_out", [])
    assert (third["id"], third["intent"], third["needs_person"]) == ("r3", "other", True)


def test_stdin_is_read_and_empty_lines_and_a_mark_are_passed_over(ran):
    line = b"\xef\xbb\xbf" + json.dumps(_row(menu={"1": "paid"}, text="1")).encode()
    done = ran(line, b"", b"  ", _row(id="r2"), stdin=True)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["id"], one["intent"]) for one in told] == [
        ("r1", "paid_already"), ("r2", "promise_to_pay"),
    ]  # fmt: skip


BAD = {
    "no json": (b'{"id": "r1",', "replies.jsonl:1:13 bad_json"),
    "not utf-8": ('{"id": "明"}'.encode("gbk"), "replies.jsonl:1:9 bad_utf8"),
    "a list": ([1], "replies.jsonl:1 not_an_object"),
    "no text": ({"id": "r1", "received_at": AT}, "replies.jsonl:1:text missing_key"),
    "no id": ({"text": "x", "received_at": AT}, "replies.jsonl:1:id missing_key"),
    "no instant": ({"id": "r", "text": "x"}, "replies.jsonl:1:received_at missing_key"),
    "no offset": (_row(received_at="2026-04-08T10:00:00"),
                  "replies.jsonl:1:received_at bad_received_at"),
    "no such day": (_row(received_at="2026-02-30T10:00:00+08:00"),
                    "replies.jsonl:1:received_at bad_received_at"),
    "beyond the years": (_row(received_at="0001-01-01T00:00:00+14:00"),
                         "replies.jsonl:1:received_at bad_received_at"),
    "text is a number": (_row(text=5), "replies.jsonl:1:text not_text"),
    "id is a number": (_row(id=5), "replies.jsonl:1:id not_text"),
    "lang is a number": (_row(lang=5), "replies.jsonl:1:lang not_text"),
    "menu is a number": (_row(menu=5), "replies.jsonl:1:menu bad_menu"),
    "owed is nothing": (_row(owed=0), "replies.jsonl:1:owed bad_owed"),
    "owed is no money": (_row(owed="much"), "replies.jsonl:1:owed bad_owed"),
    "nested": (b"[" * 200_000, "replies.jsonl:1 bad_json"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "place"), BAD.values(), ids=BAD)
def test_a_mistake_is_told_at_its_place_and_nothing_comes_out(ran, line, place):
    done = ran(line)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(place), done.stderr.decode()


def test_all_mistakes_are_gathered_and_good_rows_wait(ran, tmp_path):
    done = ran(_row(), b"x", _row(text=None), _row(received_at="soon"),
               options=("--signals", "signals.csv"))  # fmt: skip
    assert (done.returncode, done.stdout) == (2, b"")
    places = [line.split(" ")[0] for line in done.stderr.decode().splitlines()]
    assert places == [
        "replies.jsonl:1:borrower_id", "replies.jsonl:2:1", "replies.jsonl:3:text",
        "replies.jsonl:3:borrower_id", "replies.jsonl:4:borrower_id",
        "replies.jsonl:4:received_at",
    ]  # fmt: skip
    assert not (tmp_path / "signals.csv").exists()


def test_a_reply_twice_is_refused_where_signals_are_written(ran, tmp_path):
    row = _row(borrower_id="B1")
    done = ran(row, row, options=("--signals", "signals.csv"))
    assert done.returncode == 2
    assert done.stderr.decode().startswith("replies.jsonl:2:id reply_twice")
    assert not (tmp_path / "signals.csv").exists()
    assert ran(row, row).returncode == 0


def test_a_file_that_is_not_there_is_refused(ran):
    done = ran(_row(), options=("--nonsense",))
    assert done.returncode == 2
    assert done.stdout == b""


def test_the_signals_load_as_the_books_table(ran, tmp_path, write_book):
    texts = ["退订", "打错了", "我已经还了500", "失业了没钱", "利息不对", "我要投诉", "找我律师",
             "他去世了", "明天还500", "明天还", "别再发了，骗子"]  # fmt: skip
    rows = [_row(id=f"r{n}", text=text, borrower_id="B1", loan_id="L1", owed="734.10")
            for n, text in enumerate(texts)]  # fmt: skip
    done = ran(*rows, options=("--signals", "signals.csv"))
    assert (done.returncode, done.stderr) == (0, b"")
    book = write_book(tmp_path, {"loans": [{}], "installments": [{}]})
    (book / "signals.csv").write_bytes((tmp_path / "signals.csv").read_bytes())
    assert (tmp_path / "signals.csv").read_text(encoding="utf-8").count("\n") == 12
    checked = subprocess.run(
        [sys.executable, "-m", "duly.cli.main", "check", str(book), "--json"],
        capture_output=True, text=True, check=False,
        env={"DULY_LOCALE": "en", "PYTHONUTF8": "1", "PATH": ""},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert json.loads(checked.stdout)["rows"] == []
