"""Goal: a bundle proves one loan's story to a stranger, tells nobody else's, and no lie passes.

Method: a day of a real lender in a real database; a check written from the document alone; every
kind of forgery, by a stranger and by whoever has the signing key.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import re
import stat
import subprocess
import sys
import zipfile

import outsider
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from databases import database
from evidence_world import KEY, LENDER, NOW, a_day, an_old_day, work, written
from hypothesis import given, settings
from hypothesis import strategies as st

from duly.audit import bundle as bundles
from duly.audit.signing import SigningKey
from duly.core.errors import Refused
from duly.service import setting_up
from duly.service.evidence.exporting import export
from duly.service.operations import releasing
from duly.service.store.models import Audit

FINGERPRINT = hashlib.sha256(KEY.public).hexdigest()
STRANGER = SigningKey(seed=b"f" * 32)


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    """Give the URL of the day's database."""
    with database(server, "evidence") as url:
        for days in (3, 2):
            an_old_day(url, days)
        a_day(url, tmp_path_factory.mktemp("day"))
        releasing.stop("template", "overdue", by="Wang Wu")
        releasing.stop("template", "nobody's", by="Zhao Liu")
        yield url


@pytest.fixture
def ours(world):
    with setting_up.using(world), psycopg.connect(world, autocommit=True) as connection:
        yield connection


def one(ours, question, *values):
    return ours.execute(question, values).fetchone()


SENT = (
    "SELECT l.loan_id, m.borrower_id, m.message_id, m.text, m.address, m.template"
    " FROM store_message AS m JOIN store_messageloan AS l USING (message_id)"
    " WHERE m.state = 'delivered' ORDER BY m.message_id LIMIT 1"
)


@pytest.fixture(scope="module")
def sent(world, tmp_path_factory):
    """Give the bundle of a loan about which a message was delivered: loan, borrower, archive."""
    out = tmp_path_factory.mktemp("sent") / "bundle.zip"
    with setting_up.using(world), psycopg.connect(world) as ours:
        loan, borrower, *_ = one(ours, SENT)
        written(loan, out, by="<b>Li & Lei</b>")
    return loan, borrower, out.read_bytes()


def rows_of(archive):
    return outsider.check(outsider.files_of(archive), FINGERPRINT)


class TestWhatIsInIt:
    def test_a_stranger_finds_it_whole_by_the_document_alone(self, sent):
        assert len(rows_of(sent[2])) > 5

    def test_the_message_with_its_words_figures_facts_and_door(self, ours, sent):
        loan, borrower, archive = sent
        _, _, message, text, address, _ = one(ours, SENT)
        told = {}
        for row in rows_of(archive):
            if row["subject"] == message:
                told.setdefault(row["kind"], json.loads(row["payload"]))
        assert list(told) == [
            "message.claimed", "message.submitted", "message.answered", "message.receipt",
        ]  # fmt: skip
        said = told["message.submitted"]
        assert (said["text"], said["address"], said["loan_ids"]) == (text, address, [loan])
        assert (said["facts"]["channel"], said["facts"]["class"]) == ("sms", "dunning")
        assert said["params"]["overdue_total"] in text
        assert said["borrower_id"] == borrower
        assert told["message.answered"]["outcome"] == "accepted"
        assert told["message.receipt"]["state"] == "delivered"
        door = told["message.claimed"]
        assert door["at"] == "2026-03-10T10:00:00+08:00"
        assert len(door["contacts"]) == min(door["contacts_counted"], 20)

    def test_the_decision_and_the_rules_with_their_clauses(self, sent):
        loan, _, archive = sent
        by_kind = {row["kind"]: row for row in rows_of(archive)}
        decision = json.loads(by_kind["decision.made"]["payload"])
        assert (decision["loan_id"], decision["decision"]) == (loan, "contact")
        assert decision["figures"]["overdue_total"] > 0
        asked = json.loads(by_kind["message.claimed"]["payload"])["rules_asked"]
        assert by_kind["rules.asked"]["subject"] == asked
        rules = {
            rule["id"]: rule for rule in json.loads(by_kind["rules.asked"]["payload"])["rules"]
        }
        assert rules["CN-REC-1"]["source"].startswith("消费金融公司管理办法 2024")
        assert all(rule["says"]["zh-CN"] and rule["source"] for rule in rules.values())

    def test_the_texts_that_decided_are_those_of_the_run(self, ours, sent):
        files = outsider.files_of(sent[2])
        (versions,) = [
            json.loads(row["payload"])["versions"]
            for row in rows_of(sent[2])
            if row["kind"] == "run.sources"
        ]
        sources = {one["kind"]: one for one in json.loads(files["sources.json"])}
        assert sources["policy"]["sha256"] == versions["policy"]
        assert set(sources) == {"pack", "policy", "template"}
        said = one(ours, SENT)[5]
        names = [one["name"] for one in json.loads(files["sources.json"])]
        assert any(name.startswith(f"{said}.") for name in names)

    def test_what_stopped_it_is_in_it_and_what_stopped_others_is_not(self, ours, sent):
        template = one(ours, SENT)[5]
        scopes = [row["subject"] for row in rows_of(sent[2]) if row["kind"] == "stopped"]
        assert scopes == ["all:", "all:", *(["template:overdue"] if template == "overdue" else [])]

    def test_a_payment_and_what_it_cancelled(self, ours, tmp_path):
        (loan,) = one(ours, "SELECT data->>'loan_id' FROM store_event")
        written(loan, tmp_path / "paid.zip")
        rows = rows_of((tmp_path / "paid.zip").read_bytes())
        told = {row["kind"]: json.loads(row["payload"]) for row in rows}
        assert told["event.accepted"]["data"]["amount"] == "12.34"
        assert told["message.cancelled"] == {"reason": "payment"}
        assert "message.submitted" not in told

    def test_nothing_of_anybody_else(self, ours, sent):
        _, borrower, archive = sent
        files = outsider.files_of(archive)
        hers = b"\n".join(
            data for name, data in files.items() if not name.startswith(("sources/", "verify"))
        ).decode()
        assert borrower in hers
        strangers = set()
        for question in (
            "SELECT borrower_id FROM store_borrower WHERE borrower_id <> %s",
            "SELECT message_id FROM store_message WHERE borrower_id <> %s",
            "SELECT address FROM store_message WHERE borrower_id <> %s AND address <> ''",
            "SELECT text FROM store_message WHERE borrower_id <> %s",
            "SELECT code FROM store_message WHERE borrower_id <> %s",
            "SELECT loan_id FROM store_decision WHERE borrower_id <> %s",
            "SELECT contact_id FROM store_contact WHERE borrower_id <> %s",
        ):
            found = {row[0] for row in ours.execute(question, (borrower,))}
            assert len(found) > 10, question
            strangers |= found
        assert [name for name in strangers if name in hers] == []

    def test_that_it_was_exported_is_in_the_log(self, ours, sent):
        loan, borrower, archive = sent
        kept = Audit.objects.filter(kind="evidence.exported", subject=loan).order_by("id")[0]
        told = json.loads(kept.payload)
        assert (told["by"], told["loan_id"], told["borrower_id"]) == (
            "<b>Li & Lei</b>", loan, borrower,
        )  # fmt: skip
        assert rows_of(archive)[-1]["number"] == kept.pk

    def test_the_pages_say_it_in_both_languages_and_run_nothing(self, ours, sent):
        files = outsider.files_of(sent[2])
        text = one(ours, SENT)[3]
        for locale, word in (("en", "What was sent"), ("zh-CN", "发送了什么")):
            page = files[f"evidence.{locale}.html"].decode()
            assert word in page
            assert text.split("，")[0] in page
            assert "<b>Li" not in page
            assert "&lt;b&gt;Li &amp; Lei&lt;" in page
            assert "<script" not in page
            assert "{" not in page.split("</style>")[1].replace("{}", "")

    def test_the_page_counts_the_rules_that_were_asked_and_lists_no_other(self, sent):
        files = outsider.files_of(sent[2])
        (asked,) = [json.loads(row["payload"])["rules"] for row in rows_of(sent[2])
                    if row["kind"] == "rules.asked"]  # fmt: skip
        wanted = {
            rule["id"]
            for rule in asked
            if rule["about"] == "contact"
            and rule["in_force_from"] <= "2026-03-10" < (rule["in_force_to"] or "9999")
        }
        page = files["evidence.en.html"].decode()
        assert f"the door asked {len(wanted)} rules" in page
        assert set(re.findall(r"<tr><td><code>([A-Z0-9-]+)</code>", page)) == wanted
        assert 20 < len(wanted) < len(asked)

    def test_the_same_export_again_is_another_row_and_both_are_whole(self, ours, sent, tmp_path):
        loan, _, archive = sent
        written(loan, tmp_path / "again.zip")
        again = rows_of((tmp_path / "again.zip").read_bytes())
        before = [row["number"] for row in rows_of(archive)]
        assert [row["number"] for row in again][: len(before)] == before
        assert [row["kind"] for row in again].count("evidence.exported") >= 2

    def test_a_directory_holds_the_same_files(self, ours, sent, tmp_path):
        out = tmp_path / "bundle"
        written(sent[0], out)
        found = bundles.check(out, key=FINGERPRINT)
        assert (found.wrong, found.loan_id) == ((), sent[0])
        written(sent[0], out)  # Ours may be written over.
        (out / "more.txt").write_text("not ours")
        with pytest.raises(Refused) as refused:
            written(sent[0], out)
        assert refused.value.diagnostics[0].code == "out_taken"

    def test_an_unknown_loan_is_refused_and_nothing_is_recorded(self, ours, tmp_path):
        before = Audit.objects.count()
        with pytest.raises(Refused) as refused:
            written("nobody", tmp_path / "x.zip")
        assert refused.value.diagnostics[0].code == "nothing_about_loan"
        assert (Audit.objects.count(), list(tmp_path.iterdir())) == (before, [])

    def test_nothing_is_written_over(self, ours, sent, tmp_path):
        (tmp_path / "taken.zip").write_text("mine")
        before = Audit.objects.count()
        with pytest.raises(Refused):
            written(sent[0], tmp_path / "taken.zip")
        assert (tmp_path / "taken.zip").read_text() == "mine"
        assert Audit.objects.count() == before

    def test_the_roots_of_earlier_days_lead_to_the_newest(self, sent):
        days = json.loads(outsider.files_of(sent[2])["log.json"])["days"]
        assert [day["size"] for day in days[:2]] == [1, 2]
        assert len({day["day"] for day in days}) == len(days) == 3


def packed(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def signed(files, key=KEY, **head):
    """Sign files anew, as whoever has a key could: an insider's forgery."""
    manifest = json.loads(files["manifest.json"]) | head
    manifest |= {"public_key": key.public.hex(),
                 "fingerprint": hashlib.sha256(key.public).hexdigest()}  # fmt: skip
    manifest["files"] = {
        name: hashlib.sha256(data).hexdigest()
        for name, data in files.items()
        if name not in ("manifest.json", "manifest.sig")
    }
    data = json.dumps(manifest).encode()
    said = b"duly evidence v1\n" + hashlib.sha256(data).hexdigest().encode() + b"\n"
    signature = Ed25519PrivateKey.from_private_bytes(key.seed).sign(said).hex().encode()
    return {**files, "manifest.json": data, "manifest.sig": signature}


def checked(files, tmp_path, key=FINGERPRINT):
    path = tmp_path / "forged.zip"
    path.write_bytes(files if isinstance(files, bytes) else packed(files))
    return bundles.check(path, key=key)


def found(files, tmp_path, key=FINGERPRINT):
    """Return what is wrong, as code, file and line."""
    return [(one.code, one.file, one.line) for one in checked(files, tmp_path, key).wrong]


def lines(files):
    return files["rows.jsonl"].decode().splitlines()


def with_lines(files, changed):
    return {**files, "rows.jsonl": ("\n".join(changed) + "\n").encode()}


def changed_row(files, place, /, **cells):
    rows = lines(files)
    rows[place] = json.dumps({**json.loads(rows[place]), **cells}, ensure_ascii=False)
    return with_lines(files, rows)


class TestForgery:
    @pytest.fixture
    def files(self, sent):
        return outsider.files_of(sent[2])

    def test_the_bundle_itself_is_whole(self, sent, files, tmp_path):
        good = checked(sent[2], tmp_path)
        assert (good.wrong, good.loan_id, good.fingerprint) == ((), sent[0], FINGERPRINT)
        assert checked(files, tmp_path, key=None).wrong == ()
        colons = ":".join(FINGERPRINT[n : n + 2] for n in range(0, 64, 2)).upper()
        assert checked(files, tmp_path, key=colons).wrong == ()
        assert found(signed(files), tmp_path) == []

    def test_an_altered_byte(self, files, tmp_path):
        data = files["rows.jsonl"].replace(b"overdue", b"overdoe", 1)
        assert ("file_changed", "rows.jsonl", 0) in found({**files, "rows.jsonl": data}, tmp_path)

    def test_an_altered_word_signed_again(self, files, tmp_path):
        payload = json.loads(lines(files)[0])["payload"].replace("Wang", "Weng", 1)
        wrong = found(signed(changed_row(files, 0, payload=payload)), tmp_path)
        assert wrong == [("payload_changed", "rows.jsonl", 1)]

    def test_an_altered_word_with_its_hash(self, files, tmp_path):
        row = json.loads(lines(files)[0])
        payload = row["payload"].replace("Wang", "Weng", 1)
        sha = hashlib.sha256(bytes.fromhex(row["salt"]) + payload.encode()).hexdigest()
        forged = signed(changed_row(files, 0, payload=payload, payload_sha256=sha))
        assert found(forged, tmp_path) == [("row_not_in_log", "rows.jsonl", 1)]

    @pytest.mark.parametrize("cells", [
        {"at": "2026-03-09T00:00:00.000000Z"}, {"kind": "message.blocked"}, {"subject": "L9"},
        {"leaf_index": 0}, {"proof": []}, {"proof": ["00" * 32]}, {"proof": ["zz"]},
    ])  # fmt: skip
    def test_any_other_cell(self, files, tmp_path, cells):
        wrong = found(signed(changed_row(files, 1, **cells)), tmp_path)
        assert ("row_not_in_log", "rows.jsonl", 2) in wrong

    @pytest.mark.parametrize("at", [0, 3, -1])
    def test_a_dropped_row(self, files, tmp_path, at):
        rows = lines(files)
        del rows[at]
        code = "other_loan" if at == -1 else "rows_missing"
        assert [one[0] for one in found(signed(with_lines(files, rows)), tmp_path)] == [code]
        assert found(with_lines(files, rows), tmp_path)[0][0] == "file_changed"

    def test_swapped_rows(self, files, tmp_path):
        rows = lines(files)
        rows[1], rows[2] = rows[2], rows[1]
        wrong = found(signed(with_lines(files, rows)), tmp_path)
        assert ("row_order", "rows.jsonl", 3) in wrong

    def test_a_row_twice(self, files, tmp_path):
        rows = lines(files)
        wrong = found(signed(with_lines(files, [rows[0], *rows])), tmp_path)
        assert {("row_order", "rows.jsonl", 2), ("row_not_in_log", "rows.jsonl", 2)} <= set(wrong)

    def test_a_foreign_root(self, files, tmp_path):
        log = json.loads(files["log.json"])
        log["root"] = "ab" * 32
        forged = {**files, "log.json": json.dumps(log).encode()}
        codes = {one[0] for one in found(signed(forged), tmp_path)}
        assert {"root_signature", "day_not_in_log", "row_not_in_log"} <= codes
        log["signature"] = KEY.sign(log["size"], bytes.fromhex(log["root"])).hex()
        forged = {**files, "log.json": json.dumps(log).encode()}
        codes = {one[0] for one in found(signed(forged), tmp_path)}
        assert codes == {"day_not_in_log", "row_not_in_log"}

    def test_a_day_of_another_log(self, files, tmp_path):
        log = json.loads(files["log.json"])
        log["days"][0] |= {"root": "cd" * 32, "size": 3}
        log["days"][0]["signature"] = KEY.sign(3, bytes.fromhex("cd" * 32)).hex()
        forged = signed({**files, "log.json": json.dumps(log).encode()})
        assert found(forged, tmp_path) == [("day_not_in_log", "log.json", 1)]

    def test_another_key(self, files, tmp_path):
        forged = signed(files, STRANGER)
        assert found(forged, tmp_path)[0][0] == "other_key"
        assert found(forged, tmp_path, key=None)[0] == ("root_signature", "log.json", 0)
        # A key's id alone is enough to name it.
        assert found(files, tmp_path, key=KEY.key_id) == []
        assert found(files, tmp_path, key=STRANGER.key_id) == [("other_key", "manifest.json", 0)]

    def test_another_loan(self, files, tmp_path):
        wrong = found(signed(files, loan_id="L999999"), tmp_path)
        assert wrong == [("other_loan", "manifest.json", 0)]
        unsigned = json.loads(files["manifest.json"]) | {"loan_id": "L999999"}
        forged = {**files, "manifest.json": json.dumps(unsigned).encode()}
        codes = [one[0] for one in found(forged, tmp_path)]
        assert codes == ["manifest_signature", "other_loan"]

    def test_words_taken_away_as_if_they_were_deleted(self, files, tmp_path):
        forged = signed(changed_row(files, 0, payload=None, salt=None))
        assert found(forged, tmp_path) == [("payload_missing", "rows.jsonl", 1)]

    def test_a_row_of_somebody_else(self, ours, sent, files, tmp_path):
        (other,) = one(ours, "SELECT loan_id FROM store_decision WHERE borrower_id <> %s AND"
                             " decision <> 'none' ORDER BY 1 LIMIT 1", sent[1])  # fmt: skip
        written(other, tmp_path / "other.zip")
        strange = outsider.files_of((tmp_path / "other.zip").read_bytes())
        mixed = sorted({*lines(files), *lines(strange)}, key=lambda row: json.loads(row)["number"])
        codes = {one[0] for one in found(signed(with_lines(files, mixed)), tmp_path)}
        assert {"row_not_in_log", "other_loan"} <= codes

    def test_files_added_taken_and_changed(self, files, tmp_path):
        assert found({**files, "more.txt": b""}, tmp_path) == [("file_added", "more.txt", 0)]
        less = {name: data for name, data in files.items() if name != "evidence.en.html"}
        assert found(less, tmp_path) == [("file_missing", "evidence.en.html", 0)]
        source = next(name for name in files if name.startswith("sources/"))
        forged = {**files, source: b"another rule"}
        assert ("source_changed", source, 0) in found(signed(forged), tmp_path)

    @pytest.mark.parametrize("line", [
        b"", b"{}", b"[]", b"nonsense", b"[" * 100_000, b'{"number": NaN}', b"\xff\xfe",
    ])  # fmt: skip
    def test_lines_that_are_no_rows(self, files, tmp_path, line):
        data = line + b"\n" + files["rows.jsonl"]
        wrong = found(signed({**files, "rows.jsonl": data}), tmp_path)
        assert wrong == [("row_unreadable", "rows.jsonl", 1)]

    def test_a_row_with_words_that_no_text_holds(self, files, tmp_path):
        rows = lines(files)
        rows[0] = json.dumps({**json.loads(rows[0]), "payload": "\ud800"})
        wrong = found(signed(with_lines(files, rows)), tmp_path)
        assert wrong[0] == ("row_unreadable", "rows.jsonl", 1)

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_no_byte_can_be_changed(self, sent, tmp_path_factory, data):
        files = outsider.files_of(sent[2])
        name = data.draw(st.sampled_from(sorted(files)))
        at = data.draw(st.integers(0, len(files[name]) - 1))
        byte = data.draw(st.integers(1, 255))
        old = files[name]
        new = old[:at] + bytes([old[at] ^ byte]) + old[at + 1 :]
        if name == "manifest.sig" and new.strip().lower() == old.strip():
            return
        try:
            wrong = found({**files, name: new}, tmp_path_factory.getbasetemp())
        except bundles.RefusedBundle:
            return
        assert wrong


class TestRefused:
    def refused(self, data, tmp_path, key=FINGERPRINT):
        path = tmp_path / "bad.zip"
        path.write_bytes(data)
        with pytest.raises(bundles.RefusedBundle) as refused:
            bundles.check(path, key=key)
        assert sorted(one.name for one in tmp_path.iterdir()) == ["bad.zip"]
        return refused.value.code

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
    def test_a_truncated_archive(self, sent, tmp_path, share):
        data = sent[2][: int(len(sent[2]) * share)]
        assert self.refused(data, tmp_path) == "unreadable"

    @pytest.mark.parametrize("name", [
        "../evil", "/etc/passwd", "a/../../evil", "C:\\evil", "sources/../evil", ".hidden", "a//b",
        "sources/", "a\nb", "名", "a b",
    ])  # fmt: skip
    def test_names_that_lead_elsewhere(self, sent, tmp_path, name):
        files = outsider.files_of(sent[2])
        assert self.refused(packed({**files, name: b"x"}), tmp_path) == "unsafe_name"

    def test_a_name_twice(self, sent, tmp_path):
        out = io.BytesIO(packed(outsider.files_of(sent[2])))
        with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("log.json", "{}")
        assert self.refused(out.getvalue(), tmp_path) == "unsafe_name"

    def test_a_link(self, sent, tmp_path):
        out = io.BytesIO(packed(outsider.files_of(sent[2])))
        with zipfile.ZipFile(out, "a") as archive:
            item = zipfile.ZipInfo("link")
            item.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(item, "/etc/passwd")
        assert self.refused(out.getvalue(), tmp_path) == "unsafe_name"

    def test_what_would_fill_the_memory(self, sent, tmp_path, monkeypatch):
        monkeypatch.setattr(bundles, "FILE_BYTES_MAX", 1_000)
        assert self.refused(sent[2], tmp_path) == "too_large"

    def test_what_is_no_bundle(self, sent, tmp_path):
        assert self.refused(packed({"a.txt": b""}), tmp_path) == "no_bundle"
        assert self.refused(packed({"manifest.json": b"[]"}), tmp_path) == "unreadable"
        assert self.refused(packed({"manifest.json": b'{"format": "x"}'}), tmp_path) == (
            "unknown_format"
        )
        files = outsider.files_of(sent[2])
        less = {name: data for name, data in files.items() if name != "log.json"}
        assert self.refused(packed(less), tmp_path) == "no_bundle"
        assert self.refused(sent[2], tmp_path, key="abc") == "bad_fingerprint"

    def test_a_directory_with_a_link_in_it(self, sent, tmp_path):
        folder = tmp_path / "bundle"
        with zipfile.ZipFile(io.BytesIO(sent[2])) as archive:
            archive.extractall(folder)
        assert bundles.check(folder).wrong == ()
        (folder / "more").symlink_to("/etc/passwd")
        with pytest.raises(bundles.RefusedBundle) as refused:
            bundles.check(folder)
        assert refused.value.code == "unsafe_name"


class TestVerifier:
    """The file in the bundle, run as a stranger would: another place, nothing of Duly."""

    @pytest.fixture
    def folder(self, sent, tmp_path):
        with zipfile.ZipFile(io.BytesIO(sent[2])) as archive:
            archive.extractall(tmp_path / "b")
        return tmp_path / "b"

    def run(self, folder, *words, **environ):
        return subprocess.run(
            [sys.executable, "-I", str(folder / "verify.py"), *map(str, words)], check=False,
            capture_output=True, text=True, timeout=60, cwd=folder.parent,
            env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **environ},
        )  # fmt: skip

    def test_it_imports_nothing_of_duly(self, folder):
        tree = ast.parse((folder / "verify.py").read_text("utf-8"))
        names = {
            name
            for part in ast.walk(tree)
            for name in ([part.module] if isinstance(part, ast.ImportFrom) else
                         [one.name for one in part.names] if isinstance(part, ast.Import) else [])
        }  # fmt: skip
        assert not any(name.startswith("duly") for name in names)

    def test_a_whole_bundle_is_0(self, folder, sent):
        done = self.run(folder, "--key", FINGERPRINT)
        assert (done.returncode, done.stderr) == (0, "")
        told = json.loads(done.stdout)
        assert (told["loan_id"], told["wrong"], told["pinned"]) == (sent[0], 0, True)
        assert self.run(folder, folder).returncode == 0

    def test_what_does_not_fit_is_1_with_its_place_in_words(self, folder):
        rows = (folder / "rows.jsonl").read_bytes()
        (folder / "rows.jsonl").write_bytes(rows.replace(b"overdue", b"overdoe", 1))
        done = self.run(folder, LANG="zh_CN.UTF-8")
        assert done.returncode == 1
        assert "rows.jsonl file_changed 文件与清单不符" in done.stderr

    def test_what_is_no_bundle_is_2(self, folder, tmp_path):
        (folder / "manifest.json").unlink()
        done = self.run(folder)
        assert (done.returncode, done.stdout) == (2, "")
        assert "manifest.json no_bundle" in done.stderr
        assert self.run(folder, tmp_path / "nothing.zip").returncode == 2


def test_whoever_cannot_sign_exports_nothing_that_passes(ours, sent, tmp_path):
    """Another machine's key: its roots are other roots, and the pinned key tells."""

    export(sent[0], out=tmp_path / "x.zip", by="Li", lender=LENDER, key=STRANGER, now=NOW)
    assert bundles.check(tmp_path / "x.zip").wrong == ()
    wrong = bundles.check(tmp_path / "x.zip", key=FINGERPRINT).wrong
    assert [one.code for one in wrong] == ["other_key"]


def test_the_worker_works_on_after_all_that(world, ours):
    work(world)
    assert one(ours, "SELECT count(*) FROM store_message WHERE state = 'claimed'") == (0,)
