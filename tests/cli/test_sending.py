"""Goal: from a plan to messages that left once, by commands alone. Method: processes, a sandbox."""

from __future__ import annotations

import json
import shutil
from importlib import resources

import yaml

AT = "2026-03-10T09:00:00+08:00"
TEN = "2026-03-10T10:00:00+08:00"


def lender_file(folder, **given):
    """Write the example's lender with sandboxes for routes, and return its path."""
    text = resources.files("duly.book").joinpath("lender.example.yaml").read_text("utf-8")
    lender = yaml.safe_load(text)
    log = str(folder / "wire")
    lender["routes"] = [
        {"name": "box", "channel": "sms", "kind": "sandbox", "honest": True, "log": log},
        {"name": "mail", "channel": "email", "kind": "sandbox", "honest": True, "log": log},
        {"name": "people", "channel": "voice", "kind": "tasks"},
    ]
    path = folder / "lender.yaml"
    path.write_text(yaml.safe_dump(lender | given, allow_unicode=True), encoding="utf-8")
    return path


def planned(run, sample, folder, **given):
    lender = lender_file(folder, **given)
    plan = folder / "plan"
    done = run("plan", sample, "--at", AT, "--out", plan, "--lender", lender, "--json")
    assert done.returncode in (0, 1), done.stderr
    return plan, lender, json.loads(done.stdout)


class TestSending:
    def test_a_plan_is_loaded_once_and_sent_once(self, at_home, sample, tmp_path):
        plan, lender, run = planned(at_home, sample, tmp_path)
        count = run["messages"] if isinstance(run["messages"], int) else len(run["messages"])

        loaded = json.loads(at_home("send", plan, "--at", AT, "--json").stdout)
        assert (loaded["messages"], loaded["state"], loaded["again"]) == (count, "released", False)
        assert json.loads(at_home("send", plan, "--at", AT, "--json").stdout)["again"] is True

        first = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json")
        assert first.returncode == 0, first.stderr
        tally = json.loads(first.stdout)
        assert tally["submitted"] == tally["claimed"] > 0
        assert len((tmp_path / "wire").read_text().splitlines()) == tally["submitted"]

        again = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json")
        assert json.loads(again.stdout)["claimed"] == 0
        states = json.loads(at_home("status", "--json").stdout)["states"]
        assert states["delivered"] == tally["submitted"]
        assert sum(states.values()) == count

        whole = at_home("audit", "verify", "--json")
        record = json.loads(whole.stdout)
        assert (whole.returncode, record["wrong"], record["signed"]) == (0, [], True)
        assert record["size"] > 4 * tally["submitted"]

    def test_two_people_release_and_one_stops(self, at_home, sample, tmp_path):
        plan, lender, _ = planned(at_home, sample, tmp_path, approval="two")
        loaded = json.loads(at_home("send", plan, "--at", AT, "--json").stdout)
        assert loaded["state"] == "planned"
        sha = loaded["plan_sha256"]

        nothing = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json")
        assert json.loads(nothing.stdout)["claimed"] == 0
        assert "1 of 2" in at_home("approve", sha[:12], "--by", "Li").stdout
        twice = at_home("approve", sha[:12], "--by", "Li")
        assert (twice.returncode, "approved_before" in twice.stderr) == (2, True)
        assert "released" in at_home("approve", plan, "--by", "Wang").stdout

        assert at_home("stop", "--all", "--by", "Li").returncode == 0
        held = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json")
        assert json.loads(held.stdout)["submitted"] == 0
        assert not (tmp_path / "wire").exists() or (tmp_path / "wire").read_text() == ""
        own = at_home("stop", "--all", "--lift", "--by", "Li")
        assert (own.returncode, "second_name" in own.stderr) == (2, True)
        assert at_home("stop", "--all", "--lift", "--by", "Wang").returncode == 0
        sent = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json")
        assert json.loads(sent.stdout)["submitted"] > 0

    def test_what_was_wrong_is_taken_back(self, at_home, sample, tmp_path):
        plan, lender, _ = planned(at_home, sample, tmp_path)
        sha = json.loads(at_home("send", plan, "--at", AT, "--json").stdout)["plan_sha256"]
        sent = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json")
        count = json.loads(sent.stdout)["submitted"]
        words = ("recall", "--run", sha[:12], "--by", "Li", "--at", TEN, "--lender", lender)

        first = json.loads(at_home(*words, "--json").stdout)
        assert len(first["recipients"]) == count > 0
        assert first["drafted"] > 0
        assert all("•••" in one["address"] for one in first["recipients"])
        shown = at_home(*words)
        assert shown.returncode == 0, shown.stderr
        assert "0 cancelled" in shown.stdout
        assert f"{count} had left" in shown.stdout

        (draft,) = first["corrections"]
        waiting = json.loads(at_home("status", "--json").stdout)["waiting"]
        assert [(one["run"], one["kind"]) for one in waiting] == [(draft, "correction")]
        own = at_home("approve", draft, "--by", "Li")
        assert (own.returncode, "own_recall" in own.stderr) == (2, True)
        assert at_home("approve", draft, "--by", "Wang").returncode == 0
        more = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json")
        assert json.loads(more.stdout)["submitted"] == first["drafted"]


class TestBudget:
    def test_what_cannot_be_paid_for_waits_and_is_told(self, at_home, sample, tmp_path):
        log = str(tmp_path / "wire")
        routes = [{"name": "box", "channel": "sms", "kind": "sandbox", "honest": True, "log": log,
                   "cost": "0.045"}]  # fmt: skip
        plan, lender, _ = planned(
            at_home, sample, tmp_path, routes=routes, limits={"cost_per_day": "0.50"}
        )
        at_home("send", plan, "--at", AT)
        assert json.loads(at_home("status", "--json").stdout)["budget"] is None

        done = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json")
        assert done.returncode == 0, done.stderr
        tally = json.loads(done.stdout)
        assert tally["given_back"] == 0
        assert len((tmp_path / "wire").read_text().splitlines()) == tally["submitted"] > 0
        events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
        assert events.count("budget.exhausted") == 1
        found = json.loads(at_home("status", "--json").stdout)
        told = found["budget"]
        assert (told["day"], told["limit"], told["leased"]) == ("2026-03-10", "0.50", "0.00")
        assert 0.3 < float(told["spent"]) <= 0.5
        assert told["exhausted_at"] is not None
        assert found["states"]["released"] > 0
        words = at_home("status", DULY_LOCALE="en").stdout
        assert f"Spent on 2026-03-10: {told['spent']} of 0.50" in words
        assert "what costs waits" in words
        assert "预算" in at_home("status", DULY_LOCALE="zh-CN").stdout

        more = lender_file(tmp_path, routes=routes, limits={"cost_per_day": "500.00"})
        done = at_home("worker", "--once", "--at", TEN, "--lender", more, "--json")
        assert json.loads(done.stdout)["submitted"] > 0
        found = json.loads(at_home("status", "--json").stdout)
        assert (found["budget"]["limit"], found["budget"]["exhausted_at"]) == ("500.00", None)


class TestBrakes:
    def test_a_book_with_many_broken_rows_waits_for_two_names(self, at_home, sample, tmp_path):
        book = tmp_path / "book"
        shutil.copytree(sample, book)
        lines = (book / "loans.csv").read_text(encoding="utf-8").splitlines()
        lines[1:13] = [line.replace("CNY", "XXY") for line in lines[1:13]]
        (book / "loans.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        plan, _, _ = planned(at_home, book, tmp_path)

        done = at_home("send", plan, "--at", AT)
        assert done.returncode == 1, done.stderr
        assert "quarantined, more than 1 %" in done.stdout
        status = at_home("status", DULY_LOCALE="zh-CN").stdout
        assert "刹车" in status
        assert "未能比较" in status
        one = json.loads(at_home("approve", plan, "--by", "Li", "--json").stdout)
        assert (one["given"], one["needed"], one["released"]) == (1, 2, False)
        assert one["broken"][0]["figures"]["quarantined"] >= 12
        assert json.loads(at_home("approve", plan, "--by", "Wang", "--json").stdout)["released"]


class TestRefusals:
    def test_a_recall_names_one_thing(self, at_home):
        for words in ((), ("--run", "a", "--template", "overdue")):
            done = at_home("recall", *words, "--by", "Li")
            assert (done.returncode, "one_recall" in done.stderr) == (2, True)

    def test_what_is_no_plan_is_not_loaded(self, at_home, tmp_path):
        done = at_home("send", tmp_path)
        assert (done.returncode, "not_a_plan" in done.stderr) == (2, True)

    def test_a_stop_names_one_thing(self, at_home):
        for words in ((), ("--all", "--route", "box")):
            done = at_home("stop", *words, "--by", "Li")
            assert (done.returncode, "one_scope" in done.stderr) == (2, True)

    def test_an_unknown_run_is_named(self, at_home):
        done = at_home("approve", "abc", "--by", "Li", DULY_LOCALE="zh-CN")
        assert (done.returncode, "没有批次 abc" in done.stderr) == (2, True)
