"""Goal: a log that programs read and that holds nobody's data. Method: the journal's own lines, and
what real processes write while they send, fail and are refused."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from outgoing import AT, fill

from duly.service import journal

PHONE, MAIL, NAME = "+8613800000001", "li.wei@example.com", "张伟"
PHONES = st.from_regex(r"\+?[1-9]\d{6,13}", fullmatch=True)


@pytest.fixture
def lines():
    """Give a journal that begins now; the loggers are as before afterwards."""
    root = logging.getLogger()
    kept = (list(root.handlers), root.level)
    out = io.StringIO()
    journal.begin("worker", to=out)
    yield lambda: [json.loads(one) for one in out.getvalue().splitlines()]
    journal.begin("worker", form="off")
    root.handlers[:], root.level = kept


def test_a_line_says_what_happened_when_and_where(lines):
    journal.note("route.back", route="carrier-a", seconds=3)
    (one,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", one.pop("time"))
    assert one == {
        "event": "route.back",
        "level": "info",
        "program": "worker",
        "route": "carrier-a",
        "seconds": 3,
    }


def test_a_field_whose_name_is_not_known_is_withheld_and_named(lines):
    journal.note("sent", address=PHONE, text="您好张伟", count=1)
    (one,) = lines()
    assert one["withheld"] == ["address", "text"]
    assert one["count"] == 1
    assert PHONE not in json.dumps(one, ensure_ascii=False)


def test_of_an_error_its_kind_and_place_are_written(lines):
    try:
        int(f"cannot send to {PHONE} {NAME}")
    except ValueError as error:
        journal.broken("lane.broken", error, route="box")
    (one,) = lines()
    assert one["error"] == "ValueError"
    assert one["place"][-1].startswith("test_journal.py:")
    assert PHONE not in json.dumps(one) and NAME not in json.dumps(one, ensure_ascii=False)


def test_another_librarys_line_loses_its_values(lines):
    other = logging.getLogger("somebody.else")
    other.warning("could not reach %s for %s", PHONE, NAME)
    other.warning(f"refused {MAIL} of {NAME}")
    try:
        Path(f"/no/{MAIL}").stat()
    except OSError:
        other.exception("sending failed for %s", MAIL)
    first, second, third = lines()
    assert first["event"] == "could not reach %s for %s"
    assert second["event"] == "line" and second["place"][0].startswith("test_journal.py:")
    assert (third["event"], third["error"]) == ("sending failed for %s", "FileNotFoundError")
    for secret in (PHONE, MAIL, NAME, "li.wei"):
        assert secret not in json.dumps(lines(), ensure_ascii=False)


@given(phone=PHONES, before=st.sampled_from(["", "to ", "号码", "tel:"]))
def test_no_number_that_could_be_a_telephones_is_written(phone, before):
    masked = journal._masked(None, "", {"event": before + phone, "code": [before + phone]})
    assert phone not in json.dumps(masked, ensure_ascii=False)


def test_lines_for_people_and_none_at_all():
    root = logging.getLogger()
    kept = (list(root.handlers), root.level)
    out = io.StringIO()
    try:
        journal.begin("serve", form="text", to=out)
        journal.note("stopped", count=2)
        journal.begin("serve", form="off", to=out)
        journal.note("stopped", count=3)
    finally:
        root.handlers[:], root.level = kept
    assert "count=2" in out.getvalue() and "event=stopped" in out.getvalue()
    assert "count=3" not in out.getvalue()


def run_worker(store, tmp_path, routes, **environment):
    text = {"lender": {"name": "示例消费金融", "signature": "示例消金",
                       "kind": "bank", "licence": "cn",
                       "hotline": "95xxx", "app": "App"},
            "time_zone": "Asia/Shanghai", "locale": "zh-CN", "packs": ["decency", "cn"],
            "policy": "cn-installment", "routes": routes}  # fmt: skip
    lender = tmp_path / "lender.yaml"
    lender.write_text(yaml.safe_dump(text, allow_unicode=True), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "duly.cli.main", "worker", "--once", "--lender", str(lender),
         "--at", AT.isoformat()],
        capture_output=True, text=True,
        env={**environment, "PATH": os.environ["PATH"], "DULY_DATABASE_URL": store,
             "PYTHONUTF8": "1", "DULY_HOME": str(tmp_path / "home"),
             "DULY_SECRET_KEYS": "k1:" + "5a" * 32},
    )  # fmt: skip


def test_a_worker_writes_lines_without_anybodys_data(store, tmp_path):
    text = f"【示例消金】{NAME}，您有待还，请勿转账给个人。核验码3P773SGS，不收短信回TD"
    fill(30, address=PHONE, text=text,
         not_before=AT - timedelta(hours=1))  # fmt: skip
    done = run_worker(store, tmp_path, [
        {"name": "box", "channel": "sms", "kind": "sandbox", "seed": 3},
    ])  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [json.loads(one) for one in done.stderr.splitlines()]
    events = [one["event"] for one in found]
    assert events[0] == "worker.began" and events[-1] == "worker.ended"
    # One was put off by the box, which takes it at the second try.
    assert found[-1]["submitted"] == 31
    assert all(one["program"] == "worker" for one in found)
    for secret in (PHONE, PHONE[3:], NAME, "3P773SGS", "待还", "b00001", "m00001"):
        assert secret not in done.stderr


def test_a_form_that_is_none_is_refused_before_anything_is_done(store, tmp_path):
    fill(1)
    done = run_worker(store, tmp_path, [
        {"name": "box", "channel": "sms", "kind": "sandbox", "seed": 3},
    ], DULY_LOG="xml")  # fmt: skip
    assert done.returncode == 2
    assert "DULY_LOG is xml, which is none of json, text, off" in done.stderr
    from outgoing import states

    assert states(store) == {"released": 1}
