"""Goal: a letter that waits for the print house goes with its person, and what cannot is told.

Method: folders as a worker leaves them in a spool, a deletion over the real store, a print house
that has taken one, a spool that is gone, a worker that is still writing, a transaction that fails.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from outgoing import fill, lender

from duly.book import Route
from duly.core.errors import Refused
from duly.delivery.letters.spool import Spool
from duly.service.privacy import retaining
from duly.service.privacy.deleting import delete
from duly.service.privacy.letters import Letters
from duly.service.store.models import Attempt, Audit, Deletion, Message

LATER = datetime(2032, 3, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def spool(tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    worker = Spool(folder, worker="w1")
    worker.open()
    worker.close()
    return folder


def by_post(spool: Path):
    route = Route(name="post", channel="letter", kind="letter", settings={"spool": str(spool)})
    return replace(lender(), packs=("decency",), routes=(route,))


def letters(*states: str, outcome: str | None = "accepted", route: str = "post") -> list[str]:
    """Write one letter a person, each submitted once, and return the messages' ids."""
    ids = fill(len(states), channel="letter", address="周某某|示例路1号", state="submitted")
    for name, state in zip(ids, states, strict=True):
        Attempt.objects.create(message_id=name, route=route, number=1, outcome=outcome)
        if state == "delivered":
            Message.objects.filter(pk=name).update(state="accepted")
        Message.objects.filter(pk=name).update(state=state)
    return ids


def lay(spool: Path, *names: str) -> None:
    for name in names:
        folder = spool / "ready" / name
        folder.mkdir()
        (folder / f"{name}.pdf").write_bytes(b"%PDF " + name.encode())
        (folder / f"{name}.json").write_text("{}")


def lying(spool: Path) -> list[str]:
    return sorted(str(one.relative_to(spool)) for one in spool.rglob("*.pdf"))


def gone(borrower: str, spool: Path, **changed: object):
    file = replace(by_post(spool), **changed)
    return delete(borrower, by="Li", because="request 17", lender=file, at=LATER)


def told(borrower: str) -> dict[str, list[str]]:
    rows = Audit.objects.filter(kind="person.deleted", subject=borrower).order_by("id")
    return json.loads(rows.last().payload).get("letters", {})


def test_his_letter_is_destroyed_and_nobody_elses(store, spool):
    lay(spool, *letters("accepted", "accepted"))
    done = gone("b00000", spool)
    assert done.letters == Letters(erased=("m00000",))
    assert lying(spool) == ["ready/m00001/m00001.pdf"]
    assert list((spool / ".making").iterdir()) == []
    assert told("b00000") == {"erased": ["m00000"]}


@pytest.mark.parametrize("state", ["accepted", "unknown", "delivered"])
def test_what_the_print_house_has_taken_is_told(store, spool, state):
    letters(state)
    assert gone("b00000", spool).letters == Letters(taken=("m00000",))
    assert told("b00000") == {"taken": ["m00000"]}


def test_a_letter_that_was_copied_and_left_is_destroyed_all_the_same(store, spool):
    lay(spool, *letters("delivered"))
    assert gone("b00000", spool).letters == Letters(erased=("m00000",))
    assert lying(spool) == []


def test_a_spool_that_is_gone_is_told_and_the_same_again_finishes(store, spool):
    lay(spool, *letters("accepted"))
    away = spool.rename(spool.with_name("unmounted"))
    assert gone("b00000", spool).letters == Letters(unreached=("m00000",))
    assert lying(away) == ["ready/m00000/m00000.pdf"]
    assert told("b00000") == {"unreached": ["m00000"]}
    away.rename(spool)
    assert gone("b00000", spool).letters == Letters(erased=("m00000",))
    assert (lying(spool), told("b00000")) == ([], {"erased": ["m00000"]})


def test_a_route_that_the_file_no_longer_names_is_out_of_reach(store, spool):
    lay(spool, *letters("accepted"))
    assert gone("b00000", spool, routes=()).letters == Letters(unreached=("m00000",))
    assert lying(spool) == ["ready/m00000/m00000.pdf"]


def test_a_letter_that_a_living_worker_writes_is_out_of_reach(store, spool):
    living = Spool(spool, worker="w2")
    living.open()
    (living.mine / letters("unknown")[0]).mkdir()
    assert gone("b00000", spool).letters == Letters(unreached=("m00000",))
    living.close()


def test_what_a_dead_worker_left_half_written_goes_too(store, spool):
    (name,) = letters("unknown")
    (spool / ".making" / "w1" / name).mkdir()
    (spool / ".making" / "w1" / name / f"{name}.pdf").write_bytes(b"%PDF")
    assert gone("b00000", spool).letters == Letters(taken=(name,))
    assert lying(spool) == []


def test_what_was_certainly_not_taken_is_no_letter(store, spool):
    letters("undelivered", outcome="refused")
    done = gone("b00000", spool)
    assert (done.letters, told("b00000")) == (Letters(), {})


def test_a_deletion_that_fails_gives_the_letter_back(store, spool, monkeypatch):
    lay(spool, *letters("accepted"))
    with monkeypatch.context() as broken:
        broken.setattr("duly.service.privacy.deleting.record", _broken)
        with pytest.raises(RuntimeError, match="after the letters"):
            gone("b00000", spool)
    assert lying(spool) == ["ready/m00000/m00000.pdf"]
    assert [one.name for one in (spool / ".making").iterdir()] == []
    assert Deletion.objects.count() == 0


def _broken(*_: object) -> None:
    raise RuntimeError("after the letters")


def test_what_forbids_it_leaves_the_letter(store, spool):
    lay(spool, *letters("submitted", outcome=None))
    with pytest.raises(Refused, match="on_its_way"):
        gone("b00000", spool)
    assert lying(spool) == ["ready/m00000/m00000.pdf"]


def test_retention_takes_letters_back_and_counts_them(store, spool):
    lay(spool, *letters("accepted", "accepted", "delivered")[:2])
    file = replace(by_post(spool), packs=("decency", "cn"))
    dry = retaining.retain(lender=file, at=LATER, dry=True)
    assert (dry.people, dry.letters, len(lying(spool))) == (3, {}, 2)
    found = retaining.retain(lender=file, at=LATER)
    assert (found.people, found.letters) == (3, {"erased": 2, "taken": 1})
    assert lying(spool) == []
    kept = json.loads(Audit.objects.get(kind="retention.applied").payload)
    assert kept["letters"] == {"erased": 2, "taken": 1}
