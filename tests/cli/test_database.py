"""Goal: `duly db` says what it did, and refuses in a sentence. Method: processes, a real server."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def served(duly, tmp_path):
    """Give the settings of a home whose server is stopped at the end."""
    settings = {"DULY_HOME": str(tmp_path / "home")}
    yield settings
    assert duly("db", "stop", **settings).returncode == 0


class TestServer:
    def test_is_started_asked_backed_up_restored_and_stopped(self, duly, served, tmp_path):
        before = duly("db", "status", "--json", **served)
        assert (before.returncode, json.loads(before.stdout)["running"]) == (1, False)

        started = duly("db", "start", **served)
        assert (started.returncode, started.stderr) == (0, "")
        assert started.stdout.startswith("PostgreSQL 18.")
        status = json.loads(duly("db", "status", "--json", **served).stdout)
        assert (status["running"], status["clients"]) == (True, 0)

        backup = tmp_path / "duly.backup"
        written = duly("db", "backup", "--out", backup, **served)
        assert written.stdout == f"{backup.stat().st_size} bytes in {backup}\n"
        assert duly("db", "restore", backup, **served).returncode == 0

        assert duly("db", "stop", **served).stdout == "Stopped\n"
        assert duly("db", "status", **served).returncode == 1

    def test_an_ordinary_command_starts_it_where_it_must(self, duly, served, tmp_path):
        assert duly("db", "backup", "--out", tmp_path / "b", **served).returncode == 0
        assert duly("db", "status", **served).returncode == 0

    def test_is_migrated_once(self, duly, served):
        first = duly("migrate", **served)
        assert (first.returncode, first.stderr) == (0, "")
        assert first.stdout.startswith("store.0001_first\nstore.0002_invariants\n")
        assert duly("migrate", **served).stdout == "0 migrations applied\n"


class TestRefusals:
    URL = "postgresql://nobody@127.0.0.1:1/none"

    def test_a_server_by_url_is_not_ours_to_stop(self, duly, tmp_path):
        for verb in ("start", "stop"):
            done = duly("db", verb, DULY_DATABASE_URL=self.URL)
            assert done.returncode == 2
            assert "not_embedded" in done.stderr

    def test_a_url_without_a_server_is_named(self, duly, tmp_path):
        for words in (("status",), ("backup", "--out", tmp_path / "b")):
            done = duly("db", *words, DULY_DATABASE_URL=self.URL)
            assert done.returncode == 2
            assert "no_database" in done.stderr
            assert "Connection refused" in done.stderr
        assert not (tmp_path / "b").exists()

    def test_a_restore_of_another_file_is_refused(self, duly, served, tmp_path):
        (tmp_path / "b").write_text("hello")
        done = duly("db", "restore", tmp_path / "b", DULY_LOCALE="zh-CN", **served)
        assert done.returncode == 2
        assert "这不是数据库备份" in done.stderr
