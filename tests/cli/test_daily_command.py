"""Goal: the daily run by commands alone, until stopped. Method: processes, a home of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from test_sending import AT, TEN, lender_file

DAILY = {"at": "06:00", "book": "books/{date}"}


def put(sample, folder, day):
    shutil.copytree(sample, folder / "half")
    told = {"contract": 1, "cut_at": f"{day}T00:00:00+08:00"}
    (folder / "half" / "book.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "books").mkdir(exist_ok=True)
    (folder / "half").rename(folder / "books" / day)


def listed(run):
    return json.loads(run("daily", "list", "--json").stdout)


class TestOnce:
    def test_from_a_missing_book_to_messages_that_left(self, at_home, sample, tmp_path):
        lender = lender_file(tmp_path, daily=DAILY)
        assert "No day" in at_home("daily", "list", DULY_LOCALE="en").stdout
        once = ("daily", "--once", "--at", AT, "--lender", lender)
        missing = at_home(*once, "--json")
        assert missing.returncode == 1, missing.stderr
        (day,) = json.loads(missing.stdout)["days"]
        assert (day["state"], [one["code"] for one in day["errors"]]) == (
            "waiting", ["daily_book_missing"],
        )  # fmt: skip
        shown = at_home("daily", "list", DULY_LOCALE="en").stdout
        assert "2026-03-10  waiting  -  -" in shown
        assert "The book of 2026-03-10 is not there" in shown

        put(sample, tmp_path, "2026-03-10")
        done = at_home(*once, DULY_LOCALE="en")
        assert done.returncode == 0, done.stderr
        (row,) = listed(at_home)
        assert done.stdout == f"2026-03-10  done  {row['plan_sha256'][:12]}  {row['messages']:>8}\n"
        assert (row["state"], row["run_state"], row["attempts"]) == ("done", "released", 2)
        assert (row["errors"], row["retry_at"], row["plan"]) == ([], None, "2026-03-10.1")
        assert len(row["book_sha256"]) == 64
        assert (tmp_path / "home" / "plans" / row["plan"] / "run.json").exists()
        nothing = at_home(*once, DULY_LOCALE="en")
        assert (nothing.returncode, nothing.stdout) == (0, "Nothing is due.\n")

        worked = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json")
        tally = json.loads(worked.stdout)
        assert tally["submitted"] > 0
        assert at_home("audit", "verify").returncode == 0
        metrics = at_home("metrics").stdout
        assert 'duly_days{state="done"} 1.0' in metrics
        assert "duly_day_faults{" not in metrics

    @pytest.mark.parametrize("words", [(), ("--once",)])
    def test_a_lender_who_states_no_daily_run(self, duly, tmp_path, words):
        done = duly("daily", *words, "--lender", lender_file(tmp_path))
        assert (done.returncode, "daily_unset" in done.stderr) == (2, True)


class TestUntilStopped:
    def test_it_works_until_it_is_asked_to_end(self, at_home, environment, sample, tmp_path):
        lender = lender_file(tmp_path, daily=DAILY)
        put(sample, tmp_path, "2026-03-10")
        at_home("db", "start")
        settings = {"DULY_HOME": str(tmp_path / "home"), "DULY_SECRET_KEYS": "k1:" + "5a" * 32}
        running = subprocess.Popen(
            [sys.executable, "-m", "duly.cli.main", "daily", "--at", AT, "--lender", str(lender)],
            env={**environment, **settings}, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        try:
            for _ in range(600):
                found = listed(at_home)
                if found and found[0]["state"] == "done":
                    break
                assert running.poll() is None
                time.sleep(0.5)
            os.kill(running.pid, signal.SIGTERM)
            _, told = running.communicate(timeout=120)
        finally:
            running.kill()
        assert running.returncode == 0
        lines = [json.loads(line) for line in told.splitlines()]
        events = [one["event"] for one in lines if one["event"] != "day.alert"]
        assert events == ["daily.began", "day.begun", "day.done", "daily.ended"]
