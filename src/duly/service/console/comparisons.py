"""The comparison of a proposal with the policy in force: begun beside, then kept in the store."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from threading import Event, Lock, Thread
from typing import Any, Literal, TypeAlias

from django.db import connection, transaction
from psycopg.conninfo import make_conninfo

from duly.book import Lender
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.messages import load_templates
from duly.service import journal
from duly.service.console.comparing import Asked
from duly.service.operations.publishing import Base
from duly.service.operations.recording import record
from duly.service.rows import Row, as_dicts, unpacked

#: Seconds for which somebody who has a comparison made waits for it.
WAITED = 1.5
_LONGEST_SECONDS = 3600
_KEPT_MAX = 16
State: TypeAlias = Literal["none", "under_way", "done", "refused", "broken"]
_FIND = """
SELECT id, loans, moved, groups::text AS groups, seconds, at, business_date
FROM store_policycomparison WHERE proposal_id = %(proposal)s AND base_sha256 = %(base)s
    AND basis = %(basis)s AND business_date = %(day)s
"""
_KEEP = """
INSERT INTO store_policycomparison (proposal_id, base_sha256, basis, business_date, at, loans,
    moved, groups, seconds)
VALUES (%(proposal)s, %(base)s, %(basis)s, %(day)s, %(at)s, %(loans)s, %(moved)s,
    %(groups)s::jsonb, %(seconds)s) ON CONFLICT DO NOTHING RETURNING id
"""
_FORGET = """
DELETE FROM store_policymove WHERE comparison_id IN
    (SELECT id FROM store_policycomparison WHERE proposal_id = %(proposal)s)
"""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which comparison is meant: equal ones have equal outcomes on the book of a day."""

    proposal: int
    sha256: str
    base_sha256: str
    basis: str
    day: date

    @property
    def given(self) -> dict[str, Any]:
        """Return it as questions are asked with it."""
        return {"proposal": self.proposal, "base": self.base_sha256, "basis": self.basis,
                "day": self.day}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What is known of a comparison by now."""

    state: State
    number: int = 0
    loans: int = 0
    moved: int = 0
    groups: Sequence[Mapping[str, Any]] = ()
    seconds: float = 0
    at: datetime | None = None
    refused: tuple[Diagnostic, ...] = ()


@dataclass
class _Job:
    done: Event
    found: Compared


_jobs: OrderedDict[Wanted, _Job] = OrderedDict()
_lock = Lock()


def basis_of(lender: Lender) -> str:
    """Return what changes with everything but the policies, the book and the day."""
    return digest.of_bytes(f"{lender.sha256} {load_templates(lender.templates).sha256}".encode())


def known(wanted: Wanted) -> Compared:
    """Return a comparison as the store has it, or how far this process is with it."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, wanted.given)
        rows = as_dicts(cursor)
    if rows:
        return _read(rows[0])
    job = _jobs.get(wanted)
    return Compared(state="none") if job is None else job.found


def compare(
    wanted: Wanted, *, old: Base, new: tuple[str, bytes], lender: Lender, at: datetime, by: str,
    locale: str, wait: float = WAITED,
) -> None:  # fmt: skip
    """Begin a comparison beside, unless it is there or under way."""
    if known(wanted).state in ("done", "under_way"):
        return
    asked = Asked(url=_url(), lender=lender, at=at, old=(old.file, old.data), new=new,
                  locale=locale)  # fmt: skip
    with _lock:
        job = _jobs.get(wanted)
        if job is None or job.done.is_set():
            job = _jobs[wanted] = _Job(Event(), Compared(state="under_way"))
            while len(_jobs) > _KEPT_MAX:
                _jobs.popitem(last=False)
            # A server that stops does not wait for it.
            Thread(target=_run, args=(job, wanted, asked, by), name="policy-comparison",
                   daemon=True).start()  # fmt: skip
    job.done.wait(wait)


def _url() -> str:
    """Return the address of the database that the pages use."""
    told = connection.settings_dict
    named = {"host": told["HOST"], "port": told["PORT"], "user": told["USER"],
             "password": told["PASSWORD"], "dbname": told["NAME"]}  # fmt: skip
    return make_conninfo(**{name: one for name, one in named.items() if one})


def _run(job: _Job, wanted: Wanted, asked: Asked, by: str) -> None:
    found = Compared(state="broken")
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "duly.service.console.comparing"],
            input=pickle.dumps(asked), capture_output=True, timeout=_LONGEST_SECONDS, check=True,
        )  # fmt: skip
        found = _taken(wanted, json.loads(ran.stdout), asked.at, by)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        journal.broken("policy.comparison", error)
    finally:
        job.found = found
        job.done.set()
        connection.close()  # A thread of its own had it.


def _taken(wanted: Wanted, answer: Mapping[str, Any], at: datetime, by: str) -> Compared:
    if "refused" in answer:
        told = tuple(
            Diagnostic(area=one["area"], code=one["code"], values=one["values"])
            for one in answer["refused"]
        )
        return Compared(state="refused", refused=told)
    _keep(wanted, answer, at, by)
    return known(wanted)


def _keep(wanted: Wanted, answer: Mapping[str, Any], at: datetime, by: str) -> None:
    """Write a comparison and its loans down, and forget the loans of earlier ones."""
    given = {**wanted.given, "at": at, "loans": answer["loans"], "moved": answer["moved"],
             "groups": json.dumps(answer["groups"]), "seconds": answer["seconds"]}  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_KEEP, given)
        added = cursor.fetchone()
        if added is None:  # Another process was quicker.
            return
        cursor.execute(_FORGET, given)
        with cursor.copy("COPY store_policymove (comparison_id, loan_id, kind) FROM STDIN") as copy:
            for kind, loans in answer["moves"].items():
                for loan in loans:
                    copy.write_row((added[0], loan, kind))
        counts = {one["kind"]: one["loans"] for one in answer["groups"]}
        told = {"by": by, "base": wanted.base_sha256, "business_date": wanted.day.isoformat(),
                "loans": answer["loans"], "moved": counts, "comparison": added[0]}  # fmt: skip
        record("policy.compared", [(wanted.sha256, told)])


def _read(row: Row) -> Compared:
    return Compared(
        state="done", number=row["id"], loans=row["loans"], moved=row["moved"],
        groups=unpacked(row["groups"]), seconds=row["seconds"], at=row["at"],
    )  # fmt: skip
