"""`duly messages lint` and `duly bench text`: lines in, lines out, exit codes, refusals."""

from __future__ import annotations

import json

LAWFUL = {"id": "a", "lang": "zh", "stage": "receipt", "text": "【示例消金】已收到您的还款，谢谢。"}
UNLAWFUL = {
    "id": "b",
    "stage": "d8_30",
    "text": "【示例消金】860元逾期9天，再不還，後果自負！退订回T",
}


def _file(folder, *rows):
    path = folder / "messages.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def test_lint_labels_every_line_in_order_and_says_that_something_is_wrong(duly, tmp_path):
    ran = duly("messages", "lint", _file(tmp_path, UNLAWFUL, LAWFUL))
    assert ran.returncode == 1
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [
        {
            "id": "b",
            "labels": ["threat"],
            "findings": [
                {
                    "label": "threat",
                    "words": "後果自負",
                    "start": 19,
                    "end": 23,
                    "rule": "CN-COND-1",
                }
            ],
        },
        {"id": "a", "labels": ["none"], "findings": []},
    ]


def test_lint_is_done_where_nothing_is_wrong(duly, tmp_path):
    ran = duly("messages", "lint", _file(tmp_path, LAWFUL))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["labels"] == ["none"]


def test_lint_refuses_a_file_with_a_mistake_and_prints_no_label(duly, tmp_path):
    path = tmp_path / "messages.jsonl"
    path.write_text('{"id": "a"}\n{\n', "utf-8")
    ran = duly("messages", "lint", path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert [line.split(" ")[:2] for line in ran.stderr.splitlines()] == [
        [f"{path}:1:text", "text_missing"],
        [f"{path}:2:2", "not_json"],
    ]


def test_lint_refuses_an_option_that_it_does_not_have(duly):
    ran = duly("messages", "lint", "--jsonl")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "unknown_option" in ran.stderr


def test_bench_text_scores_what_ships_and_replies_and_skips_what_is_not_there(duly, tmp_path):
    stop = {"id": "r1", "text": "退订", "lang": "zh", "intent": "opt_out",
            "received_at": "2026-04-08T10:00:00+08:00"}  # fmt: skip
    promise = {**stop, "id": "r2", "text": "明天还500", "intent": "promise_to_pay",
               "promise_date": "2026-04-09", "date_confidence": "firm", "amount": 500}  # fmt: skip
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (stop, promise))
    (tmp_path / "replies.jsonl").write_text(lines, encoding="utf-8")
    ran = duly("bench", "text", "--messages", tmp_path / "nothing.jsonl",
               "--replies", tmp_path / "replies.jsonl")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "skipped: no shared data" in ran.stdout
    assert "batch1: " in ran.stdout
    assert "2 replies, intents right 1.000 (2/2), macro-F1 1.000" in ran.stdout
    assert "firm 1.000 (1/1), soft -; figures 1.000 (1/1)" in ran.stdout
    assert "must not be missed named 1.000 (1/1)" in ran.stdout
    assert "replies a second on one core: " in ran.stdout


def test_bench_text_refuses_replies_that_are_none(duly, tmp_path):
    (tmp_path / "replies.jsonl").write_text("{}\n", encoding="utf-8")
    ran = duly("bench", "text", "--replies", tmp_path / "replies.jsonl")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "missing_key" in ran.stderr


def test_bench_text_prints_figures_for_programs(duly, tmp_path):
    row = {**UNLAWFUL, "labels": ["threat"]}
    ran = duly("bench", "text", "--messages", _file(tmp_path, row), "--json")
    told = json.loads(ran.stdout)
    mine = told["messages"][str(tmp_path / "messages.jsonl")]
    assert (mine["rows"], mine["exact"], mine["any_f1"], mine["content_f1"]) == (1, 1, 1.0, 1.0)
    assert told["replies"] == {"replies": {"skipped": True}}
    assert told["replies_per_second"] > 0
    assert told["replies_to_copying"] > 1
    assert told["lint_to_copying"] > 1
    assert told["texts_per_second"]["free"] > 0
    assert told["texts_per_second"]["rendered"] > 0
