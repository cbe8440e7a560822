"""Goal: what the commands say of a book: the same places, safe letters, whose permission it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

AT = "2026-03-10T09:00:00+08:00"
HOSTILE = "\x1b[2J\u202e"
STRANGER = f"P{HOSTILE},,,2026-03-01,5.00\n"


@pytest.fixture
def book(tmp_path, write_book) -> Path:
    """Give a book of two good loans, a bad payment, one of nobody, and one before its loan."""
    return write_book(
        tmp_path,
        {
            "loans": [{}, {}],
            "installments": [
                {"number": 1, "principal": "1000.00"},
                {"loan_id": "L2", "number": 1, "principal": "1000.00"},
            ],
            "payments": [
                {},
                {"amount": f"1{HOSTILE}"},
                {"loan_id": "L9"},
                {"loan_id": "L2", "paid_on": "2025-12-01"},
            ],
        },
    )


class TestPlaces:
    def test_a_row_is_named_by_its_file_in_a_check(self, duly, book):
        ran = duly("check", book)
        assert ran.returncode == 1
        said = [line.split(" ")[:2] for line in ran.stderr.splitlines()]
        assert ["payments.csv:2:amount", "bad_money"] in said
        assert ["payments.csv:3:loan_id", "unknown_loan"] in said
        assert ["payments.csv:3:loan_id", "unknown_payment"] in said
        assert ["payments.csv:paid_on", "paid_before_disbursement"] in said

    def test_a_warning_in_json_names_the_table_beside_its_file(self, duly, book):
        found = json.loads(duly("check", book, "--json").stdout)
        assert [(one["table"], one["row"], one["column"]) for one in found["rows"]] == [
            ("payments", 2, "amount"), ("payments", 3, "loan_id"),
        ]  # fmt: skip
        assert {(one["table"], one["file"]) for one in found["warnings"]} == {
            ("payments", "payments.csv")
        }

    @pytest.mark.parametrize("command", ["snapshot", "position", "plan"])
    def test_the_same_places_stand_in_every_command(self, duly, book, tmp_path, command):
        more = {"position": ("--as-of", AT[:10]), "plan": ("--at", AT)}.get(command, ())
        ran = duly(command, book, *more, "--out", tmp_path / "out")
        assert ran.returncode == 1, ran.stderr
        said = [line.split(" ")[:2] for line in ran.stderr.splitlines()]
        assert ["payments.csv:3:loan_id", "unknown_payment"] in said
        assert ["payments.csv:paid_on", "paid_before_disbursement"] in said

    def test_a_control_total_is_named_by_its_file(self, duly, book):
        said = {"contract": 1, "tables": {"payments": {"rows": 9}, "quotes": {"rows": 1}}}
        (book / "book.json").write_text(json.dumps(said))
        lines = duly("check", book).stderr.splitlines()
        assert [line.split(" ")[:2] for line in lines] == [
            ["payments.csv:rows", "control_total"], ["quotes.csv:rows", "control_total"],
        ]  # fmt: skip

    def test_a_plan_speaks_the_language_of_the_terminal(self, duly, book, tmp_path):
        for locale, words in (("en", "belongs to no known"), ("zh-CN", "不属于任何已知")):
            ran = duly("plan", book, "--at", AT, "--out", tmp_path / "plan", DULY_LOCALE=locale)
            assert words in ran.stderr


class TestSafety:
    @pytest.mark.parametrize("command", ["check", "snapshot", "position", "plan"])
    def test_no_letter_of_the_data_acts_on_the_terminal(self, duly, book, tmp_path, command):
        for table, row in (("payments", f"P9{HOSTILE},L9,,2026-03-01,5.00,payment,,\n"),):
            with (book / f"{table}.csv").open("a", encoding="utf-8", newline="") as opened:
                opened.write(row)
        (book / f"payments{HOSTILE}.csv").write_text("x\n")
        header = (book / "signals.csv").read_text(encoding="utf-8").strip()
        (book / "signals.csv").write_text(f"{header},x{HOSTILE}\n", encoding="utf-8")
        more = {"position": ("--as-of", AT[:10]), "plan": ("--at", AT)}.get(command, ())
        out = () if command == "check" else ("--out", tmp_path / "out")
        ran = duly(command, book, *more, *out)
        assert ran.returncode == 1, ran.stderr
        for line in (ran.stdout + ran.stderr).splitlines():
            assert line.isprintable(), ascii(line)
        assert "\\x1b[2J\\u202e" in ran.stderr
        for made in (tmp_path / "out").glob("quarantine.csv"):
            assert all(line.isprintable() for line in made.read_text("utf-8").splitlines())

    def test_json_writes_them_as_escapes(self, duly, book):
        ran = duly("check", book, "--json")
        assert all(line.isprintable() for line in ran.stdout.splitlines())
        (row,) = [one for one in json.loads(ran.stdout)["rows"] if one["row"] == 2]
        assert "1\\x1b[2J\\u202e" in row["message"]

    def test_a_name_does_not_act_in_an_explanation(self, duly, book, tmp_path):
        text = (book / "borrowers.csv").read_text(encoding="utf-8").replace("张伟", HOSTILE)
        (book / "borrowers.csv").write_text(text, encoding="utf-8")
        duly("plan", book, "--at", AT, "--out", tmp_path / "plan")
        ran = duly("explain", "--plan", tmp_path / "plan", "L2")
        assert ran.returncode == 0, ran.stderr
        assert all(line.isprintable() for line in ran.stdout.splitlines())


class TestNear:
    @pytest.mark.parametrize(
        ("value", "near"),
        [
            ("sm", "sms"),
            ("emial", "email"),
            ("voise", "voice"),
            ("fax", ""),
            ("x", ""),
            ("传真", ""),
        ],
    )
    def test_a_value_is_offered_only_when_it_is_near(self, duly, book, value, near):
        text = (book / "contact_points.csv").read_text(encoding="utf-8")
        text = text.replace(",sms,", f",{value},", 1)
        (book / "contact_points.csv").write_text(text, encoding="utf-8")
        (line,) = [one for one in duly("check", book).stderr.splitlines() if "bad_choice" in one]
        assert ("did you mean" in line) is bool(near)
        assert near in line

    @pytest.mark.parametrize(("asked", "near"), [("L11", True), ("L-2", True), ("zzz", False)])
    def test_a_loan_is_offered_only_when_it_is_near(self, duly, book, tmp_path, asked, near):
        duly("plan", book, "--at", AT, "--out", tmp_path / "plan")
        for command in ("explain", "replay"):
            ran = duly(command, "--plan", tmp_path / "plan", asked)
            assert ran.returncode == 2
            assert ("did you mean" in ran.stderr) is near, ran.stderr

    @pytest.mark.parametrize(("word", "near"), [("chek", True), ("reprot", True), ("teach", False)])
    def test_a_command_is_offered_only_when_it_is_near(self, duly, word, near):
        assert ("did you mean" in duly(word).stderr) is near


class TestStale:
    @pytest.mark.parametrize(
        ("cut_at", "limit", "words", "chinese"),
        [
            ("2026-03-09T07:00:00+08:00", 26, None, None),
            ("2026-03-09T06:59:59+08:00", 26, "cut 26.1 hours before", "已 26.1 小时"),
            ("2026-03-09T06:30:00+08:00", 26, "cut 26.5 hours before", "已 26.5 小时"),
            ("2026-03-10T07:00:00+08:00", 1, "cut 2 hours before", "已 2 小时"),
            ("2026-03-10T07:00:00+08:00", 1, "more than the 1 hour that", "允许的 1 小时"),
            ("2026-03-10T08:00:00+08:00", 0, "cut 1 hour before", "已 1 小时"),
        ],
    )
    def test_hours_are_counted_and_rounded_right(
        self, duly, book, tmp_path, cut_at, limit, words, chinese
    ):
        (book / "book.json").write_text(json.dumps({"contract": 1, "cut_at": cut_at}))
        lender = tmp_path / "lender.yaml"
        example = Path(__file__).parents[2] / "src/duly/book/lender.example.yaml"
        text = example.read_text(encoding="utf-8")
        assert "book_age_hours: 26" in text
        lender.write_text(text.replace("book_age_hours: 26", f"book_age_hours: {limit}"), "utf-8")
        for locale, said in (("en", words), ("zh-CN", chinese)):
            ran = duly(
                "plan", book, "--at", AT, "--out", tmp_path / "plan", "--lender", lender,
                DULY_LOCALE=locale,
            )  # fmt: skip
            assert ran.returncode == 1, ran.stderr
            assert ("book_stale" in ran.stderr) is (said is not None)
            assert (said or "") in ran.stderr


class TestSnapshots:
    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    def test_a_check_of_a_snapshot_says_what_it_is_and_who_takes_one(
        self, duly, book, tmp_path, locale
    ):
        duly("snapshot", book, "--out", tmp_path / "snapshot")
        for command in (("check",), ("snapshot", "--out", tmp_path / "again")):
            ran = duly(*command, tmp_path / "snapshot", DULY_LOCALE=locale)
            assert ran.returncode == 2
            (line,) = ran.stderr.splitlines()
            assert "is_snapshot" in line
            for taker in ("duly position", "duly plan", "duly policy diff"):
                assert taker in line
        assert not (tmp_path / "again").exists()


class TestPermission:
    @pytest.fixture
    def book(self, write_book):
        """Give a book in a place that every user may reach: the folders of pytest are its own."""
        with tempfile.TemporaryDirectory() as place:
            Path(place).chmod(0o711)
            yield write_book(Path(place), {"loans": [{}], "installments": [{"number": 1}]})

    @pytest.mark.parametrize(
        ("command", "mode"),
        [("check", 0o000), ("check", 0o600), ("snapshot", 0o300), ("position", 0), ("plan", 0)],
    )
    def test_a_book_that_may_not_be_read_is_blamed_itself(self, book, command, mode):
        out = book.parent / "out"
        out.mkdir()
        out.chmod(0o777)
        book.chmod(mode)
        try:
            ran = as_nobody(command, book, out / "made")
        finally:
            book.chmod(0o755)
        assert ran.returncode == 2, ran.stderr
        (line,) = ran.stderr.splitlines()
        assert line.startswith("book directory_closed ")
        assert "chmod +rx book" in line
        assert list(out.iterdir()) == []

    def test_the_directory_above_is_blamed_where_it_is_the_one(self, book):
        above = book.parent / "above"
        above.mkdir()
        shutil.move(book, above / "book")
        above.chmod(0o600)
        try:
            ran = as_nobody("check", above / "book", book.parent)
        finally:
            above.chmod(0o755)
        assert ran.returncode == 2
        assert ran.stderr.startswith("above directory_closed ")

    def test_a_file_is_blamed_itself(self, book):
        (book / "payments.csv").chmod(0o000)
        try:
            ran = as_nobody("check", book, book.parent)
        finally:
            (book / "payments.csv").chmod(0o644)
        assert ran.returncode == 2
        assert ran.stderr.startswith("payments.csv file_closed ")
        assert "chmod +r" in ran.stderr


_CHILD = """
import os, sys
from duly.cli import main
main.prepare()
# What a command needs is imported while it may be read, by refusals that nobody hears.
heard = os.dup(2)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
main.run(["plan", "/nowhere", "--at", "2026-03-10T09:00:00+08:00", "--out", "/nowhere/out"])
main.run(["position", "/nowhere", "--as-of", "2026-03-10", "--out", "/nowhere/out"])
main.run(["check", sys.argv[1]])
sys.stderr.flush()
os.dup2(heard, 2)
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.exit(main.run(sys.argv[2:]))
"""


def as_nobody(command: str, book: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Run a command on a book as an unprivileged user who stands beside it."""
    here = book.parent if book.parent.name != "above" else book.parent.parent
    more = {"position": ["--as-of", AT[:10]], "plan": ["--at", AT]}.get(command, [])
    written = [] if command == "check" else ["--out", os.path.relpath(out, here)]
    return subprocess.run(
        [sys.executable, "-c", _CHILD, "nowhere", command, os.path.relpath(book, here),
         *more, *written],
        cwd=here, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
        env={"PATH": os.environ["PATH"], "DULY_LOCALE": "en", "DULY_HOME": str(here / "home"),
             "DULY_SECRET_KEYS": "k1:" + "5a" * 32},
    )  # fmt: skip
