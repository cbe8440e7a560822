"""Goal: a letter lies in the spool whole and once, or not at all, whatever the disk does.

Method: the conformance suite against a real folder; a worker that is killed at each step; a disk
that is full, in a name space of its own.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from conformance import SLOW_SECONDS, Conformance, Rig, read, until, within

from duly.core.errors import Refused
from duly.delivery import Outgoing
from duly.delivery.letters import LetterGateway, Letterhead, LetterSettings
from duly.delivery.letters.spool import HalfDoneError, Spool, name_of
from duly.delivery.port import Receipt

AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
HEAD = Letterhead(lines={"zh-CN": ("示例消费金融有限公司", "95xxx"), "en": ("Example Finance",)})
ADDRESS = "周某某|示例市示例路1号|100000"
NO_MOUNT = "no name space with a disk of its own: needs unshare and mount"


def outgoing(n: int, want: str = "accepted", text: str = "您好") -> Outgoing:
    return Outgoing(
        message_id=f"m{n:04}-{want}", channel="letter",
        address="" if want == "refused" else ADDRESS, text=text,
        message_class="dunning", template="overdue", locale="zh-CN",
        not_after=datetime(2026, 3, 10, 13, 0, tzinfo=UTC),
    )  # fmt: skip


def settings_of(folder: Path, **given) -> LetterSettings:
    settings = LetterSettings(
        spool=folder, letterhead=HEAD, zone=ZoneInfo("Asia/Shanghai"), poll_seconds=0.02,
        retry_seconds=0.05,
    )  # fmt: skip
    return replace(settings, **given)


def gateway(folder: Path, *, spool: Spool | None = None, worker: str = "w1", **given):
    folder.mkdir(exist_ok=True)
    settings = settings_of(folder, **given)
    return LetterGateway("post", settings, clock=lambda: AT, worker=worker, spool=spool)


def lying(folder: Path) -> list[str]:
    """Return the names of the letters that a print house would find."""
    return sorted(one.name for one in (folder / "ready").iterdir())


class Troubled(Spool):
    """A spool whose disk does what the name of a letter asks for."""

    def hand_over(self, name, pdf, manifest):
        if name.endswith("-throttled"):
            raise OSError(errno.ENOSPC, "full")
        self.asked = name
        return super().hand_over(name, pdf, manifest)

    asked = ""

    def settle(self):
        if self.asked.endswith("-slow"):
            time.sleep(SLOW_SECONDS)
        if self.asked.endswith("-unknown"):
            raise OSError(errno.EIO, "the disk has gone")
        super().settle()


class TestConformance(Conformance):
    bad_addresses = (
        "", "周某某", "周某某|", "|示例路1号", "周某某|a\0b", "周某某|a\nb", "周某某|a\u202eb",
        "周某某|" + "示" * 320, "a|b|c|d|e|f|g", "周某某|" + "示例路" * 50,
    )  # fmt: skip

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    @asynccontextmanager
    async def rig(self, *, window=20):
        spool, gone = self.folder / "spool", self.folder / "gone"

        async def die() -> None:
            spool.rename(gone)

        async def revive() -> None:
            gone.rename(spool)

        mine = gateway(spool, spool=Troubled(spool, worker="w1"), window=window)
        yield Rig(
            gateway=mine,
            outgoing=outgoing,
            reached=lambda: lying(gone if gone.exists() else spool),
            die=die,
            revive=revive,
        )


async def sent(mine: LetterGateway, *batch: Outgoing):
    await mine.open()
    async with read(mine):
        return await within(mine.submit(batch))


class TestSpool:
    def test_pdf_and_manifest_lie_there_together_and_say_nothing_of_the_person(self, tmp_path):
        (answer,) = asyncio.run(sent(gateway(tmp_path / "s"), outgoing(1)))
        assert (answer.outcome, answer.provider_ids) == ("accepted", ("m0001-accepted",))
        folder = tmp_path / "s" / "ready" / "m0001-accepted"
        assert sorted(one.name for one in folder.iterdir()) == [
            "m0001-accepted.json", "m0001-accepted.pdf",
        ]  # fmt: skip
        pdf = (folder / "m0001-accepted.pdf").read_bytes()
        assert json.loads((folder / "m0001-accepted.json").read_text()) == {
            "format": 1, "id": "m0001-accepted", "file": "m0001-accepted.pdf",
            "sha256": hashlib.sha256(pdf).hexdigest(), "bytes": len(pdf), "pages": 1,
            "paper": "A4", "class": "dunning", "locale": "zh-CN",
            "made_at": "2026-03-10T02:00:00+00:00", "post_before": "2026-03-10T13:00:00+00:00",
        }  # fmt: skip
        assert list((tmp_path / "s" / ".making" / "w1").iterdir()) == []

    def test_the_same_message_again_leaves_the_first_letter_as_it_is(self, tmp_path):
        folder = tmp_path / "s"
        asyncio.run(sent(gateway(folder), outgoing(1)))
        file = folder / "ready" / "m0001-accepted" / "m0001-accepted.pdf"
        before = (file.read_bytes(), file.stat().st_ino)
        (again,) = asyncio.run(sent(gateway(folder), outgoing(1, text="另一封")))
        assert (again.outcome, again.code) == ("accepted", "DULY:lay_there")
        assert (file.read_bytes(), file.stat().st_ino) == before
        assert lying(folder) == ["m0001-accepted"]

    @pytest.mark.parametrize("name", ["../../x", "a/b", ".hidden", "", "a b", "信", "x" * 200])
    def test_no_id_leads_out_of_the_spool(self, tmp_path, name):
        one = replace(outgoing(1), message_id=name)
        (answer,) = asyncio.run(sent(gateway(tmp_path / "s"), one))
        assert answer.outcome == "accepted"
        assert lying(tmp_path / "s") == [hashlib.sha256(name.encode()).hexdigest()]
        assert sorted(one.name for one in tmp_path.iterdir()) == ["s"]

    def test_what_a_dead_worker_left_half_written_is_taken_away_and_a_living_ones_is_not(
        self, tmp_path
    ):
        folder = tmp_path / "s"
        half = folder / ".making" / "dead" / "m1"
        half.mkdir(parents=True)
        (half / "m1.pdf").write_bytes(b"%PDF half of it")
        alive = Spool(folder, worker="alive")
        alive.open()
        mine = Spool(folder, worker="w1")
        mine.open()
        assert sorted(one.name for one in (folder / ".making").iterdir()) == ["alive", "w1"]
        with pytest.raises(BlockingIOError):
            Spool(folder, worker="alive").open()
        mine.close()
        alive.close()

    def test_a_spool_that_is_not_there_is_refused_by_name_and_not_made(self, tmp_path):
        mine = LetterGateway(
            "post", settings_of(tmp_path / "nowhere"), clock=lambda: AT, worker="w1"
        )
        with pytest.raises(Refused) as refused:
            asyncio.run(mine.open())
        assert refused.value.diagnostics[0].code == "letter_no_spool"
        assert not (tmp_path / "nowhere").exists()

    @pytest.mark.parametrize(
        ("done", "outcome", "letters"), [(True, "unknown", 1), (False, "not_sent", 0)]
    )
    def test_a_share_that_says_it_failed_is_believed_only_where_that_is_sure(
        self, tmp_path, monkeypatch, done, outcome, letters
    ):
        rename = Path.rename

        def failing(self, target):
            if done:
                rename(self, target)
            raise OSError(errno.EIO, "the share has gone")

        monkeypatch.setattr(Path, "rename", failing)
        (answer,) = asyncio.run(sent(gateway(tmp_path / "s"), outgoing(1)))
        assert (answer.outcome, answer.code) == (outcome, "DULY:EIO")
        assert len(lying(tmp_path / "s")) == letters

    def test_the_print_houses_group_may_take_letters_out_and_nobody_else_reads_them(self, tmp_path):
        asyncio.run(sent(gateway(tmp_path / "s"), outgoing(1)))
        modes = {
            name: (tmp_path / "s" / name).stat().st_mode & 0o777
            for name in ("ready", "receipts", "ready/m0001-accepted", ".making/w1")
        }
        assert modes == {
            "ready": 0o770, "receipts": 0o770, "ready/m0001-accepted": 0o770, ".making/w1": 0o700,
        }  # fmt: skip

    def test_a_full_disk_holds_the_route_until_there_is_room(self, tmp_path):
        class Full(Spool):
            full = True

            def hand_over(self, name, pdf, manifest):
                self.probe()
                return super().hand_over(name, pdf, manifest)

            def probe(self):
                if self.full:
                    raise OSError(errno.ENOSPC, "full")

        async def whole():
            (tmp_path / "s").mkdir()
            spool = Full(tmp_path / "s", worker="w1")
            mine = gateway(tmp_path / "s", spool=spool)
            await mine.open()
            (answer,) = await within(mine.submit([outgoing(1)]))
            assert (answer.outcome, answer.code) == ("throttled", "DULY:ENOSPC")
            assert not mine.ready
            await asyncio.sleep(0.2)
            assert not mine.ready
            spool.full = False
            await until(lambda: mine.ready)
            (later,) = await within(mine.submit([outgoing(2)]))
            assert later.outcome == "accepted"
            await mine.close()

        asyncio.run(whole())
        assert lying(tmp_path / "s") == ["m0002-accepted"]

    def test_a_spool_that_does_not_answer_leaves_the_letter_unknown(self, tmp_path):
        async def whole():
            mine = gateway(
                tmp_path / "s", spool=Troubled(tmp_path / "s", worker="w1"), response_seconds=0.05
            )
            await mine.open()
            (answer,) = await within(mine.submit([outgoing(1, "slow")]))
            assert (answer.outcome, answer.code) == ("unknown", "DULY:no_answer")
            await mine.close()

        asyncio.run(whole())
        assert lying(tmp_path / "s") == ["m0001-slow"]


class TestReceipts:
    def told(self, folder: Path, *files: tuple[str, bytes], want: int) -> list:
        async def whole():
            mine = gateway(folder)
            await mine.open()
            async with read(mine) as found:
                for name, body in files:
                    (folder / "receipts" / name).write_bytes(body)
                await until(lambda: len(found) == want)
                await until(lambda: not list((folder / "receipts").glob("*.json")))
            return found

        return asyncio.run(whole())

    @pytest.mark.parametrize(
        ("code", "provider_id", "state"),
        [
            ("DELIVERED", "m1", "delivered"),
            ("RETURNED", "m1", "undelivered"),
            ("UNKNOWN_ADDRESS", "m1", "undelivered"),
            ("POSTED", "", "unknown"),  # A posted letter may yet come back: it moves nothing.
            ("PERHAPS", "m1", "unknown"),
        ],
    )
    def test_what_the_print_house_tells_by_file(self, tmp_path, code, provider_id, state):
        body = json.dumps({"receipts": [{"id": "m1", "code": code}]}).encode()
        (found,) = self.told(tmp_path / "s", ("a.json", body), want=1)
        assert isinstance(found, Receipt)
        assert (found.provider_id, found.state, found.code) == (provider_id, state, code)
        assert '"m1"' in found.raw

    def test_a_worker_that_ends_at_once_still_reads_what_lies_there(self, tmp_path):
        async def whole():
            mine = gateway(tmp_path / "s", poll_seconds=60.0)
            await mine.open()
            file = tmp_path / "s" / "receipts" / "a.json"
            file.write_bytes(b'{"receipts": [{"id": "m1", "code": "RETURNED"}]}')
            await mine.close()
            found = [one async for one in mine.incoming()]
            assert [one.code for one in found] == ["RETURNED"]
            assert not file.exists()

        asyncio.run(whole())

    def test_a_file_that_cannot_be_read_is_set_aside_for_a_person(self, tmp_path):
        (found,) = self.told(tmp_path / "s", ("a.json", b"\xff not JSON"), want=1)
        assert (found.provider_id, found.code) == ("", "DULY:malformed")
        assert [one.name for one in (tmp_path / "s" / "receipts").iterdir()] == [
            "a.json.unreadable"
        ]

    def test_a_file_is_there_until_it_was_written_down(self, tmp_path):
        async def whole():
            mine = gateway(tmp_path / "s")
            await mine.open()
            file = tmp_path / "s" / "receipts" / "a.json"
            file.write_bytes(b'{"receipts": [{"id": "m1", "code": "RETURNED"}]}')
            batches = mine.incoming_batches()
            (found,) = await within(anext(batches))
            assert found.code == "RETURNED"
            assert file.exists()
            await batches.aclose()
            assert file.exists()  # Who reads it died before: it is read again.
            await mine.close()

        asyncio.run(whole())


#: A worker that hands one letter over and dies where it is told to.
_DYING = """
    import asyncio, os, signal, sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from test_letter_gateway import gateway, outgoing, sent
    from duly.delivery.letters import spool
    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)
    step = {step!r}
    if step == "written":
        spool._sync = die
    elif step == "renamed":
        spool.Spool.settle = die
    elif step == "answered":
        after = spool.Spool.settle
        spool.Spool.settle = lambda self: (after(self), die())
    else:
        write = spool._write
        def half(file, content):
            if file.name.endswith(step):
                file.write_bytes(content[: len(content) // 2])
                die()
            write(file, content)
        spool._write = half
    asyncio.run(sent(gateway(Path({folder!r}), worker="dying"), outgoing(1)))
"""


class TestKills:
    @pytest.mark.parametrize(
        ("step", "letters"),
        [(".pdf", 0), (".json", 0), ("written", 0), ("renamed", 1), ("answered", 1)],
    )
    def test_a_worker_killed_at_any_step_leaves_a_whole_letter_or_none(
        self, tmp_path, step, letters
    ):
        folder = tmp_path / "s"
        tests = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "peers")]
        code = textwrap.dedent(_DYING).format(tests=tests[0], step=step, folder=str(folder))
        environ = os.environ | {"PYTHONPATH": os.pathsep.join(tests)}
        died = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environ)
        assert died.returncode == -signal.SIGKILL, died.stderr.decode()
        assert len(lying(folder)) == letters
        # The next worker clears up, and the same message again adds no second letter.
        (answer,) = asyncio.run(sent(gateway(folder), outgoing(1)))
        assert (answer.outcome, answer.code) == ("accepted", "DULY:lay_there" if letters else "")
        assert lying(folder) == ["m0001-accepted"]
        assert [one.name for one in (folder / ".making").iterdir()] == ["w1"]
        (letter,) = (folder / "ready").iterdir()
        manifest = json.loads((letter / "m0001-accepted.json").read_text())
        pdf = (letter / manifest["file"]).read_bytes()
        assert manifest["sha256"] == hashlib.sha256(pdf).hexdigest()


#: Letters into a disk of its own that holds 512 KiB; what lies there and what was answered.
_FULL = """
    import asyncio, json, sys
    from pathlib import Path
    from test_letter_gateway import gateway, lying, outgoing
    folder = Path(sys.argv[1])
    async def whole():
        mine = gateway(folder, window=100)
        await mine.open()
        (folder / "ballast").write_bytes(bytes(int(sys.argv[2])))
        batch = [outgoing(n, text="".join(map(chr, range(0x4e00 + n, 0x5200)))) for n in range(20)]
        answers = await mine.submit(batch)
        half = [str(one) for one in (folder / ".making").rglob("*") if one.is_file()]
        await mine.close()
        told = [[one.message_id, one.outcome, one.code] for one in answers]
        print(json.dumps({"told": told, "lying": lying(folder), "half": half}))
    asyncio.run(whole())
"""


def test_a_disk_that_is_full_takes_whole_letters_or_none(tmp_path):
    disk, script = tmp_path / "disk", tmp_path / "full.py"
    disk.mkdir()
    script.write_text(textwrap.dedent(_FULL), encoding="utf-8")
    tests = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "peers")]
    command = (
        f"mount -t tmpfs -o size=1m tmpfs {disk} || exit 77;"
        f" exec {sys.executable} {script} {disk} 300000"
    )
    try:
        ran = subprocess.run(
            ["unshare", "--mount", "sh", "-c", command], capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(tests)},
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip(NO_MOUNT)
    if ran.returncode == 77 or "unshare failed" in ran.stderr:
        pytest.skip(NO_MOUNT)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    taken = [name for name, outcome, _ in told["told"] if outcome == "accepted"]
    full = [code for _, outcome, code in told["told"] if outcome == "throttled"]
    assert taken
    assert full == ["DULY:ENOSPC"] * (20 - len(taken))
    assert full
    assert told["lying"] == sorted(taken)
    assert told["half"] == []


def test_a_strange_name_and_a_plain_one():
    assert name_of("m1") == "m1"
    assert name_of("\ud800") != name_of("\ud801")
    assert issubclass(HalfDoneError, OSError)
