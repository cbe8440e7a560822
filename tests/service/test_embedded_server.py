"""Goal: the embedded server starts anywhere, dies with nobody, ends when nobody needs it.

Method: real servers; as root in a folder that only root may enter, as contract and house ask.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psycopg
import pytest
from served_home import forget

from duly.core.errors import Refused
from duly.service import postgres

SOURCE = Path(__file__).parents[2] / "src"
WAIT_SECONDS = 30


def until(what: str, holds: object) -> None:
    """Wait until a question is answered yes; fail by name after half a minute."""
    assert callable(holds)
    for _ in range(WAIT_SECONDS * 10):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail(what)


def python_for_all() -> str:
    """Return a Python of this version that every user may run, or skip the test."""
    if all(one.stat().st_mode & 0o001 for one in Path(sys.base_prefix).resolve().parents):
        return sys.executable
    systems = shutil.which("python{}.{}".format(*sys.version_info[:2]), path="/usr/bin:/bin")
    if systems is None:
        pytest.skip("skipped: this Python is closed to other users")
    return systems


def ask(place: postgres.Place, question: str) -> object:
    with psycopg.connect(place.url()) as ours:
        row = ours.execute(question.encode()).fetchone()
    return None if row is None else row[0]


class TestStart:
    def test_starts_once_and_answers(self, own_server: postgres.Place) -> None:
        first = postgres.start(own_server)
        again = postgres.start(own_server)

        assert first.running
        assert again.running
        assert ask(own_server, "SELECT 6 * 7") == 42
        assert ask(own_server, "SHOW fsync") == "on"
        assert ask(own_server, "SHOW listen_addresses") == ""
        assert ask(own_server, "SHOW timezone") == "UTC"

    def test_two_who_start_at_once_get_one_server(self, own_server: postgres.Place) -> None:
        found: list[postgres.Status] = []
        threads = [
            threading.Thread(target=lambda: found.append(postgres.start(own_server)))
            for _ in range(4)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        assert [one.running for one in found] == [True] * 4
        assert ask(own_server, "SELECT count(*) FROM pg_database WHERE datname = 'duly'") == 1

    def test_keeps_what_was_written_over_a_stop(self, own_server: postgres.Place) -> None:
        postgres.start(own_server)
        with psycopg.connect(own_server.url()) as ours:
            ours.execute("CREATE TABLE said (what text)")
            ours.execute("INSERT INTO said VALUES ('一次')")

        assert postgres.stop(own_server)
        assert not postgres.status(own_server).running
        assert not postgres.stop(own_server)
        postgres.start(own_server)
        assert ask(own_server, "SELECT what FROM said") == "一次"

    def test_keeps_what_was_committed_when_the_server_is_killed(
        self, own_server: postgres.Place
    ) -> None:
        postgres.start(own_server)
        with psycopg.connect(own_server.url()) as ours:
            ours.execute("CREATE TABLE said (what text)")
        pid = int((own_server.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        until("the killed server is still there", lambda: not Path(f"/proc/{pid}").exists())

        postgres.start(own_server)
        assert ask(own_server, "SELECT count(*) FROM said") == 0

    def test_another_major_is_refused_with_the_way_out(self, own_server: postgres.Place) -> None:
        postgres.start(own_server)
        postgres.stop(own_server)
        version = own_server.data / "PG_VERSION"
        version.write_text("17\n")

        with pytest.raises(Refused) as refused:
            postgres.start(own_server)

        (diagnostic,) = refused.value.diagnostics
        assert diagnostic.code == "other_major"
        assert "duly db backup" in diagnostic.hint("en")
        assert not (own_server.data / "postmaster.pid").exists()
        version.write_text(f"{own_server.major}\n")

    def test_a_home_deep_in_the_tree_has_a_socket_all_the_same(self, tmp_path: Path) -> None:
        home = tmp_path / ("深" * 30) / ("d" * 80)
        home.mkdir(parents=True)
        place = postgres.place_of(home)
        try:
            assert len(os.fsencode(place.sockets / ".s.PGSQL.5432")) < 108
            assert postgres.start(place).running
        finally:
            forget(home)


class TestWhoRunsIt:
    @pytest.mark.skipif(os.geteuid() != 0, reason="skipped: only root may become another")
    def test_root_starts_it_as_nobody_in_particular(self, own_server: postgres.Place) -> None:
        postgres.start(own_server)
        pid = int((own_server.data / "postmaster.pid").read_text().splitlines()[0])
        uid = Path(f"/proc/{pid}").stat().st_uid

        assert uid == own_server.owner != 0
        assert uid not in {entry.pw_uid for entry in pwd.getpwall()}
        assert own_server.data.stat().st_mode & 0o077 == 0

    @pytest.mark.skipif(os.geteuid() != 0, reason="skipped: only root may become another")
    def test_an_ordinary_user_runs_it_as_himself(self, tmp_path: Path) -> None:
        home = Path("/tmp") / f"duly-nobody-{os.getpid()}"
        home.mkdir(mode=0o755)
        nobody = pwd.getpwnam("nobody").pw_uid
        os.chown(home, nobody, nobody)
        script = textwrap.dedent(f"""\
            import os
            from pathlib import Path
            from duly.service import postgres
            place = postgres.place_of(Path({str(home)!r}))
            print(postgres.start(place).running, place.owner, place.data.stat().st_uid)
            print(postgres.stop(place))
            """)
        try:
            done = subprocess.run(
                [python_for_all(), "-c", script],
                user=nobody, group=nobody, extra_groups=[], cwd="/", text=True,
                capture_output=True,
                env={"HOME": str(home), "PATH": os.environ["PATH"],
                     "PYTHONPATH": os.pathsep.join([str(SOURCE), *sys.path])},
            )  # fmt: skip
            assert done.stdout == f"True None {nobody}\nTrue\n", done.stderr
        finally:
            subprocess.run(["rm", "-rf", str(home)], check=True)

    def test_a_folder_of_somebody_else_is_refused(self, tmp_path: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("skipped: only root may give a folder away")
        home = Path("/tmp") / f"duly-strange-{os.getpid()}"
        home.mkdir(mode=0o755)
        (home / "pg").symlink_to(tmp_path)
        try:
            with pytest.raises(Refused) as refused:
                postgres.place_of(home)
            assert refused.value.diagnostics[0].code == "not_ours"
            assert list(tmp_path.iterdir()) == []
        finally:
            (home / "pg").unlink()
            home.rmdir()


class TestEnd:
    def test_killing_the_group_that_started_it_does_not_touch_it(
        self, own_server: postgres.Place, tmp_path: Path
    ) -> None:
        ready = tmp_path / "ready"
        script = textwrap.dedent(f"""\
            import time
            from pathlib import Path
            from duly.service.postgres import Place, start
            start(Place(programs=Path({str(own_server.programs)!r}),
                        root=Path({str(own_server.root)!r}),
                        sockets=Path({str(own_server.sockets)!r}),
                        major={own_server.major}, owner={own_server.owner}))
            Path({str(ready)!r}).touch()
            time.sleep(60)
            """)
        starter = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
        until("nobody started a server", ready.exists)

        os.killpg(starter.pid, signal.SIGKILL)
        starter.wait()

        assert ask(own_server, "SELECT 1") == 1

    def test_nobody_connected_ends_it(self, own_server: postgres.Place) -> None:
        postgres.start(own_server, idle_seconds=2)

        until("it idles on", lambda: not postgres.status(own_server).running)

    def test_somebody_connected_keeps_it(self, own_server: postgres.Place) -> None:
        with postgres.hold(own_server, idle_seconds=2) as held:
            time.sleep(6)
            row = held.execute("SELECT 1").fetchone()

        assert row == (1,)

    def test_a_held_server_is_started(self, own_home: Path) -> None:
        with postgres.opened(own_home, "") as url, psycopg.connect(url) as ours:
            assert ours.execute("SELECT 1").fetchone() == (1,)


class TestBackup:
    def test_comes_back_whole(self, own_server: postgres.Place, tmp_path: Path) -> None:
        url = postgres.start(own_server).url
        with psycopg.connect(url) as ours:
            ours.execute("CREATE TABLE said (id int PRIMARY KEY, what text)")
            ours.execute("INSERT INTO said SELECT n, 'x' || n FROM generate_series(1, 1000) n")
        out = tmp_path / "duly.backup"
        size = postgres.back_up(url, out)
        with psycopg.connect(url) as ours:
            ours.execute("DELETE FROM said WHERE id > 10")

        former = postgres.restore(url, out, replace=True)

        assert out.stat().st_size == size
        assert out.stat().st_mode & 0o077 == 0
        assert ask(own_server, "SELECT count(*) FROM said") == 1000
        assert former is not None
        with psycopg.connect(own_server.url(former)) as before:
            assert before.execute("SELECT count(*) FROM said").fetchone() == (10,)

    def test_tables_are_not_replaced_unasked(
        self, own_server: postgres.Place, tmp_path: Path
    ) -> None:
        url = postgres.start(own_server).url
        out = tmp_path / "duly.backup"
        postgres.back_up(url, out)
        with psycopg.connect(url) as ours:
            ours.execute("CREATE TABLE said (id int)")

        with pytest.raises(Refused) as refused:
            postgres.restore(url, out)

        assert refused.value.diagnostics[0].code == "not_empty"
        assert ask(own_server, "SELECT count(*) FROM said") == 0

    def test_who_is_just_leaving_is_waited_for(
        self, own_server: postgres.Place, tmp_path: Path
    ) -> None:
        url = postgres.start(own_server).url
        out = tmp_path / "duly.backup"
        postgres.back_up(url, out)
        leaving = psycopg.connect(url)
        threading.Timer(0.5, leaving.close).start()

        assert postgres.restore(url, out) is not None

    @pytest.mark.parametrize(
        ("content", "code"),
        [(b"hello", "no_backup"), (b"", "no_backup"), (b"PGDMP\x01\x0e", "server_refused")],
        ids=["another file", "an empty file", "a backup cut off"],
    )
    def test_a_broken_file_changes_nothing(
        self, own_server: postgres.Place, tmp_path: Path, content: bytes, code: str
    ) -> None:
        url = postgres.start(own_server).url
        out = tmp_path / "duly.backup"
        out.write_bytes(content)

        with pytest.raises(Refused) as refused:
            postgres.restore(url, out)

        assert refused.value.diagnostics[0].code == code
        assert ask(own_server, "SELECT count(*) FROM pg_database") == 4

    def test_others_at_work_are_not_thrown_out(
        self, own_server: postgres.Place, tmp_path: Path
    ) -> None:
        url = postgres.start(own_server).url
        out = tmp_path / "duly.backup"
        postgres.back_up(url, out)

        with psycopg.connect(url), pytest.raises(Refused) as refused:
            postgres.restore(url, out, replace=True)

        assert refused.value.diagnostics[0].code == "others_connected"
