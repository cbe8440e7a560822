"""Goal: what a lender tells by commands counts at once and in the next plan. Method: processes."""

from __future__ import annotations

import csv
import json

import pytest
from test_sending import AT, TEN, lender_file


def payment(loan, **given):
    data = {"payment_id": "NEW1", "loan_id": loan, "paid_on": "2026-03-10", "amount": "1.00"}
    return {"specversion": "1.0", "id": "1", "source": "/core", "type": "payment.posted",
            "time": "2026-03-10T08:59:00+08:00", "data": data, **given}  # fmt: skip


def rows(folder, name):
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestFacts:
    def test_from_a_book_and_an_event_to_the_next_plan(self, at_home, sample, tmp_path):
        lender, out = lender_file(tmp_path), tmp_path / "known"
        loaded = at_home("load", sample, "--json")
        assert loaded.returncode == 1, loaded.stderr  # Six rows of the sample are broken.
        assert json.loads(loaded.stdout)["aside"] >= 6
        assert json.loads(at_home("load", sample, "--json").stdout)["again"] is True

        def plan(name):
            exported = at_home("load", "--export", out, "--at", AT, "--lender", lender, "--json")
            assert exported.returncode == 0, exported.stderr
            assert at_home("check", out).returncode == 0
            folder = tmp_path / name
            done = at_home("plan", out, "--at", AT, "--out", folder, "--lender", lender,
                           "--format", "csv")  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert at_home("send", folder, "--at", AT).returncode == 0
            return rows(folder, "messages")

        first = plan("first")
        # Whose id is smallest differs with the lender's file, and not each asks for money.
        asked = next(row for row in first if row["class"] == "dunning")
        loan = json.loads(asked["loan_ids"])[0]
        file = tmp_path / "events.jsonl"
        file.write_text(json.dumps(payment(loan)) + "\n\n", encoding="utf-8")
        taken = json.loads(at_home("events", file, "--json").stdout)
        assert taken == {"accepted": 1, "duplicates": 0, "cancelled": [asked["message_id"]]}
        file.write_text(json.dumps([payment(loan)]), encoding="utf-8")
        again = at_home("events", file, "--json")
        assert json.loads(again.stdout)["duplicates"] == 1

        plan("second")
        assert "NEW1" in {one["payment_id"] for one in rows(out, "payments")}
        worked = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json")
        tally = json.loads(worked.stdout)
        # The second plan counted the payment: it is no news at its door.
        assert (tally["blocked"], tally["submitted"] > 0) == (0, True)
        assert at_home("audit", "verify").returncode == 0

    def test_a_plan_that_did_not_count_a_payment_is_held_at_its_door(
        self, at_home, sample, tmp_path
    ):
        lender, folder = lender_file(tmp_path), tmp_path / "plan"
        at_home("plan", sample, "--at", AT, "--out", folder, "--lender", lender, "--format", "csv")
        due = [row for row in rows(folder, "messages") if row["class"] == "dunning"]
        loan = json.loads(min(due, key=lambda row: row["not_before"])["loan_ids"])[0]
        (tmp_path / "e.json").write_text(json.dumps([payment(loan)]), encoding="utf-8")
        told = at_home("events", tmp_path / "e.json", "--json")
        assert json.loads(told.stdout)["cancelled"] == []
        at_home("send", folder, "--at", AT)
        worked = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json")
        assert json.loads(worked.stdout)["blocked"] == 1


class TestRefused:
    def test_every_fault_has_its_line_and_nothing_is_stored(self, at_home, tmp_path):
        file = tmp_path / "events.jsonl"
        broken = payment("L1", id="2", type="payment.lost")
        file.write_text(f"{json.dumps(payment('L1'))}\n\n{json.dumps(broken)}\n", encoding="utf-8")
        done = at_home("events", file)
        assert done.returncode == 2
        assert f"{file}:3:type event.unknown_type" in done.stderr
        file.write_text(json.dumps(payment("L1")), encoding="utf-8")
        assert "0 events taken" in at_home("events", "-", DULY_LOCALE="en").stdout
        assert "1 events taken" in at_home("events", file, DULY_LOCALE="en").stdout

    @pytest.mark.parametrize(
        ("text", "place"),
        [("{\n", ":1"), ('{"id": "1", "id": "2"}', ":1"), ('{"id": NaN}', ":1"),
         (json.dumps({"id": "1"}) + "\n{x\n", ":2"), ("[1, 2", ":1")],
    )  # fmt: skip
    def test_what_is_no_json(self, duly, tmp_path, text, place):
        file = tmp_path / "events.jsonl"
        file.write_text(text, encoding="utf-8")
        done = duly("events", file)
        assert done.returncode == 2
        assert f"{file}{place} event_not_json" in done.stderr

    @pytest.mark.parametrize("words", [("load",), ("load", "book", "--export", "out")])
    def test_load_does_one_thing(self, duly, words):
        done = duly(*words)
        assert (done.returncode, "load_one" in done.stderr) == (2, True)

    def test_nothing_known(self, at_home, tmp_path):
        done = at_home("load", "--export", tmp_path / "out")
        assert (done.returncode, "nothing_known" in done.stderr) == (2, True)
        assert not (tmp_path / "out").exists()
