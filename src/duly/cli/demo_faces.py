"""The end of `duly demo --faces`: both faces filled with the demo's plan, and who may sign in.

All of it lies in the demo's own folder, its database too: the lender's own store knows nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from duly.cli import output
from duly.cli.endpoints import secrets
from duly.cli.opening import legal_now, opened_store
from duly.core.words import say

if TYPE_CHECKING:
    from duly.service.operations.staff import Given

#: The instant of the demo's messages, after most of them may leave.
SENT_AT = "2026-03-10T10:30:00+08:00"
PORT = 8000
#: Sample people of the lender: name and role.
_STAFF = (("demo.agent", "agent"), ("demo.compliance", "compliance"), ("demo.admin", "admin"))
_DIGITS_ASKED = 4


@contextmanager
def own_home(folder: Path) -> Iterator[Path]:
    """Let this process live in the demo's folder: keys, database and record of its own."""
    home = folder / "home"
    before = {name: os.environ.pop(name, None) for name in ("DULY_HOME", "DULY_DATABASE_URL")}
    os.environ["DULY_HOME"] = str(home)
    try:
        yield home
    finally:
        del os.environ["DULY_HOME"]
        os.environ.update({name: one for name, one in before.items() if one is not None})


def write_lender(folder: Path) -> Path:
    """Write the demo's lender: the example's, its ways out sandboxes that touch no network."""
    import yaml

    text = resources.files("duly.book").joinpath("lender.example.yaml").read_text("utf-8")
    lender = yaml.safe_load(text)
    log = str(folder / "sent")
    lender["routes"] = [
        {"name": "texts", "channel": "sms", "kind": "sandbox", "honest": True, "log": log},
        {"name": "mail", "channel": "email", "kind": "sandbox", "honest": True, "log": log},
        {"name": "people", "channel": "voice", "kind": "tasks"},
    ]
    lender["portal"] = {"address": f"http://127.0.0.1:{PORT}"}
    path = folder / "lender.yaml"
    path.write_text(yaml.safe_dump(lender, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def fill(folder: Path, lender_file: Path, locale: str) -> Sequence[Given]:
    """Load the demo's book and plan, send what may leave, and give sample people their keys."""
    from duly import book as books
    from duly.plan.proven import prove

    now, lender = legal_now(SENT_AT), books.load_lender(lender_file)
    proven = prove(folder / "plan", clock=time.perf_counter)
    with opened_store(), output.progress(say("cli", "loading", locale)):
        from duly.service.operations import loading, staff
        from duly.service.operations.books import load_book

        load_book(folder / "book", lender=lender, at=now(), locale=locale, threads=None)
        loading.load(proven, at=now())
        known = {str(row["name"]) for row in staff.listed()}
        return [
            staff.reset(name, keys=secrets())
            if name in known
            else staff.add(name, role=role, keys=secrets())
            for name, role in _STAFF
        ]


def tell(
    given: Sequence[Given], messages: Sequence[Mapping[str, Any]], folder: Path, locale: str
) -> None:
    """Say how to open both faces, and what to sign in with, this once."""
    from duly.service.operations.one_time import address_of

    def line(key: str, **values: object) -> None:
        output.line(say("cli", f"faces.{key}", locale, **values))

    home, lender = folder / "home", folder / "lender.yaml"
    settings = f"DULY_HOME={home}"
    line("open")
    output.line(f"  {settings} duly serve --lender {lender} --at {SENT_AT} --port {PORT}")
    output.line(f"  {settings} duly worker --lender {lender} --at {SENT_AT}")
    text = next(one for one in messages if one["channel"] == "sms")
    line("borrower", at=f"http://127.0.0.1:{PORT}/", code=text["code"],
         digits=str(text["address"])[-_DIGITS_ASKED:])  # fmt: skip
    line("codes", log=folder / "sent")
    line("staff", at=f"http://127.0.0.1:{PORT}/staff")
    for one in given:
        role = say("console", f"role.{one.role}", locale)
        line("person", name=one.name, role=role, password=one.password, recovery=one.recovery[0])
        output.line(f"    {address_of(one.secret, name=one.name, issuer='Duly demo')}")
    line("once")
