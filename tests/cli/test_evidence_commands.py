"""Goal: evidence leaves the house and is checked elsewhere, by commands alone.

Method: processes; the check runs without a home, a database or a key of ours.
"""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from test_sending import AT, TEN, planned

FIVE_YEARS_ON = "2032-06-01T10:00:00+08:00"


@pytest.fixture(scope="module")
def home(duly, tmp_path_factory):
    """Give a function that runs commands at one home of this module's; its server is stopped."""
    settings = {
        "DULY_HOME": str(tmp_path_factory.mktemp("at") / "home"),
        "DULY_SECRET_KEYS": "k1:" + "5a" * 32,
    }

    def run(*words, **more):
        return duly(*words, **(settings | more))

    yield run
    run("db", "stop")


@pytest.fixture(scope="module")
def sent(home, sample, tmp_path_factory):
    """Give a loan about which a message was sent, its borrower, and the lender file."""
    folder = tmp_path_factory.mktemp("sent")
    plan, lender, _ = planned(home, sample, folder)
    assert home("send", plan, "--at", AT).returncode == 0
    done = home("worker", "--once", "--at", TEN, "--lender", lender)
    assert done.returncode == 0, done.stderr
    wire = (folder / "wire").read_text()
    for row in pq.read_table(plan / "messages.parquet").to_pylist():
        if row["message_id"] in wire:
            return row["loan_ids"][0], row["borrower_id"], lender
    raise AssertionError("nothing was sent")


def test_a_bundle_is_exported_and_checked_elsewhere(home, duly, sent, tmp_path):
    loan, borrower, lender = sent
    out = tmp_path / "out" / "evidence.zip"
    done = home("audit", "export", loan, "--out", out, "--by", "李雷", "--lender", lender,
                   "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    nowhere = {
        "DULY_HOME": str(tmp_path / "no"), "DULY_DATABASE_URL": "postgresql://127.0.0.1:1/no",
        "DULY_SECRET_KEYS": "",
    }  # fmt: skip

    good = duly("audit", "check", out, "--key", told["key"], "--json", **nowhere)
    assert good.returncode == 0, good.stderr
    found = json.loads(good.stdout)
    assert (found["loan_id"], found["wrong"], found["pinned"]) == (loan, [], True)
    assert found["rows"] == told["rows"] > 5
    shown = duly("audit", "check", out, DULY_LOCALE="zh-CN", **nowhere)
    assert "证据包完整" in shown.stdout
    assert told["key"] in shown.stdout

    other = duly("audit", "check", out, "--key", "0" * 64, **nowhere)
    assert other.returncode == 1
    assert "manifest.json other_key The bundle is signed by another key" in other.stderr
    short = tmp_path / "short.zip"
    short.write_bytes(out.read_bytes()[:-200])
    bad = duly("audit", "check", short, **nowhere)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "unreadable" in bad.stderr
    assert not (tmp_path / "no").exists()

    again = home("audit", "export", loan, "--out", out, "--lender", lender)
    assert (again.returncode, "out_taken" in again.stderr) == (2, True)
    unknown = home("audit", "export", "nobody", "--out", tmp_path / "n.zip", "--lender", lender)
    assert (unknown.returncode, "nothing_about_loan" in unknown.stderr) == (2, True)
    whole = home("audit", "verify", "--json")
    assert (whole.returncode, json.loads(whole.stdout)["wrong"]) == (0, [])
    assert borrower


def test_a_bundle_without_a_place_lies_here(home, sent, tmp_path):
    loan, _, lender = sent
    here = tmp_path / "here"
    here.mkdir()
    done = home("audit", "export", loan, "--lender", lender, "--json", cwd=here)
    assert done.returncode == 0, done.stderr
    (made,) = here.iterdir()
    assert made.name == json.loads(done.stdout)["out"]
    assert made.name.startswith(f"evidence-{loan}-")


def test_law_keeps_a_person_until_its_day(home, sent, tmp_path):
    loan, borrower, lender = sent
    words = ("privacy", "delete", borrower, "--by", "Li", "--because", "request 1", "--lender",
             lender)  # fmt: skip
    done = home(*words, "--yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert "kept_by_rule The rule CN-REC-1 keeps the record of" in done.stderr
    assert f"unpaid_loan The loan {loan} is not paid" in done.stderr
    zh = home(*words, DULY_LOCALE="zh-CN")
    assert "要求将" in zh.stderr

    assert home("privacy", "hold", borrower, "--by", "Li", "--because", "court").returncode == 0
    later = home(*words, "--at", FIVE_YEARS_ON)
    assert "kept_by_rule" not in later.stderr
    assert "legal_hold A legal hold of" in later.stderr
    assert home("privacy", "hold", borrower, "--by", "Li", "--lift").returncode == 0
    no = home("privacy", "hold", borrower, "--by", "Li", "--lift")
    assert (no.returncode, "not_held" in no.stderr) == (2, True)

    dry = home("privacy", "retain", "--dry-run", "--at", FIVE_YEARS_ON, "--lender", lender)
    assert dry.returncode == 0, dry.stderr
    assert "Would destroy the data of" in dry.stdout
    assert "kept: a loan that is not paid" in dry.stdout
    none = home("privacy", "delete", "nobody", "--by", "Li", "--because", "x", "--yes")
    assert (none.returncode, "unknown_borrower" in none.stderr) == (2, True)


def test_a_new_master_key_takes_over(home, sent):
    both = {"DULY_SECRET_KEYS": "k2:" + "6b" * 32 + ",k1:" + "5a" * 32}
    new = {"DULY_SECRET_KEYS": "k2:" + "6b" * 32}
    lost = home("audit", "verify", "--json", **new)
    assert lost.returncode == 1
    assert json.loads(lost.stdout)["wrong"] == [{"code": "unopened", "subject": "k1"}]
    done = home("privacy", "rewrap", "--json", **both)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rewrapped"] > 0
    whole = home("audit", "verify", "--json", **new)
    assert (whole.returncode, json.loads(whole.stdout)["wrong"]) == (0, [])
    back = {"DULY_SECRET_KEYS": "k1:" + "5a" * 32 + ",k2:" + "6b" * 32}
    assert home("privacy", "rewrap", **back).returncode == 0
