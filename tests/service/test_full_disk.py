"""Goal: a disk that fills up under the database stops a worker; with room, the rest leaves once.

Method: a server of its own on a small disk of its own (a tmpfs in a mount namespace), a ballast
that leaves too little room, a worker; the ballast away, the server started, another worker.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

NO_MOUNT = "skipped: no disk of its own can be mounted here"
COUNT = 200
#: Prints how the first worker ended, what had left by then, what had left and stood at the end.
SCRIPT = """
    import asyncio, json, os, sys
    from pathlib import Path
    from duly.service import migrating, postgres, setting_up
    setting_up.prepare()
    import psycopg
    from outgoing import AT, fill, lender, states
    from duly.service.outbox import worker
    disk, wire, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    home = disk / "home"
    home.mkdir(mode=0o711)
    place = postgres.place_of(home)
    url = postgres.start(place).url
    setting_up.set_up(url)
    migrating.migrate()
    fill(count)
    setting_up.close()
    worker._ONCE_AWAY_SECONDS = 1

    def work():
        file = lender(log=str(wire), window=20)
        one = worker.Worker(url, file, now=lambda: AT, batch=100)
        asyncio.run(asyncio.wait_for(one.run(once=True), 60))

    def left():
        lines = wire.read_text().splitlines() if wire.exists() else []
        return [json.loads(line)["message_id"] for line in lines]

    room = os.statvfs(disk)
    ballast = room.f_bavail * room.f_frsize - 1_000_000
    (disk / "ballast").write_bytes(bytes(ballast))
    ended = ""
    try:
        work()
    except psycopg.OperationalError as error:
        ended = type(error).__name__
    before = left()
    (disk / "ballast").unlink()
    postgres.start(place)
    work()
    told = {"ended": ended, "before": before, "left": left(), "states": states(url)}
    print(json.dumps(told))
    postgres.stop(place)
"""


def test_a_disk_that_fills_up_loses_and_doubles_nothing(tmp_path):
    script = tmp_path / "full.py"
    script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="duly-full-") as disk:
        # The server's own number passes through.
        Path(disk).chmod(0o711)
        command = (
            f"mount -t tmpfs -o size=160m,mode=711 tmpfs {disk} || exit 77;"
            f" exec {sys.executable} {script} {disk} {tmp_path / 'wire'} {COUNT}"
        )
        try:
            ran = subprocess.run(
                ["unshare", "--mount", "sh", "-c", command], capture_output=True, text=True,
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)}, timeout=300,
            )  # fmt: skip
        except FileNotFoundError:
            pytest.skip(NO_MOUNT)
    if ran.returncode == 77 or "unshare failed" in ran.stderr:
        pytest.skip(NO_MOUNT)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    # PostgreSQL refuses a row (DiskFull), or ends where its own log has no room.
    assert told["ended"] in ("DiskFull", "OperationalError")
    assert len(told["before"]) < COUNT
    # What was submitted when it ended may have left or not, and is not sent again.
    assert len(told["left"]) == len(set(told["left"]))
    assert sum(told["states"].values()) == COUNT
    assert set(told["states"]) <= {"delivered", "accepted", "unknown"}
    assert COUNT - len(told["left"]) <= told["states"].get("unknown", 0) <= 20
