"""The daily run: for each business date, in order, its book, its plan, and the plan loaded, once.

Any number of schedulers may run. One at a time holds the lock and works; the plan is loaded in the
transaction in which the day's row says so, so that whoever dies leaves a day that the next one does
from its beginning, without a second plan.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import psycopg
from django.db import transaction

from duly.book import Lender, load_lender, take_snapshot
from duly.core.check_key import CheckKey
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.plan.making import Request, make_and_write
from duly.plan.pipeline import Clock
from duly.plan.proven import prove
from duly.plan.write import sweep
from duly.service import journal
from duly.service.operations import braking, days, loading, publishing
from duly.service.operations.books import export_book, load_book
from duly.service.operations.braking import Brake
from duly.service.operations.days import Day, Ending
from duly.service.operations.recording import record
from duly.service.operations.superseding import overtake

#: Held, for as long as a round lasts, by the one scheduler that works.
_LOCK = 0x44554C44
#: A missed day holds up those after it no longer than so many tries.
_MISSED_TRIES = 3
_WORK = ".daily.half-"
_MACHINE_CODES = frozenset({"cannot_write", "daily_machine", "disk_full"})
_MACHINE = (OSError, MemoryError, duckdb.IOException, duckdb.OutOfMemoryException)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a scheduler works with; `now` is legal time, `plans` where plans are kept."""

    url: str
    lender_file: Path | None
    plans: Path
    key: CheckKey
    locale: str
    now: Callable[[], datetime]
    clock: Clock
    threads: int = 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one day in this round; `run` is the plan that counts for it."""

    business_date: date
    state: str
    run: str | None = None
    messages: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def is_well(self) -> bool:
        """Return whether nobody has to look at the day."""
        return self.state in ("done", "missed") and not self.diagnostics


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one round did; `busy` where another scheduler was at work, and this one did nothing."""

    outcomes: tuple[Outcome, ...] = ()
    busy: bool = False


@dataclass(frozen=True)
class _Book:
    sha256: str
    seen: str


def refuse_unset(lender_file: Path | None) -> Lender:
    """Return the lender; refuse a file with mistakes, or one that states no daily run."""
    lender = load_lender(lender_file)
    if lender.daily is None:
        file = str(lender_file or "lender.example.yaml")
        raise Refused(Diagnostic(area="service", code="daily_unset", file=file))
    return lender


def work(desk: Desk, *, patient: bool = False) -> Round:
    """Do what is due at this legal instant: missed days first, then today, then a corrected book.

    With `patient`, what failed waits for its next try, and so does all after it. Refused: a lender
    file with mistakes, or without a daily run.
    """
    lender = refuse_unset(desk.lender_file)
    assert lender.daily is not None
    with _leading(desk.url) as leads:
        if not leads:
            return Round(busy=True)
        today = lender.day_of(desk.now())
        days.expect(lender, lender.daily, today)
        skipped = _skip_old(today, lender.daily.catch_up_days, at=desk.now())
        return Round(outcomes=(*skipped, *_in_order(desk, lender, today, patient=patient)))


def _in_order(desk: Desk, lender: Lender, today: date, *, patient: bool) -> Iterator[Outcome]:
    """Do the days that are not at their end, the oldest first, up to one that has to wait."""
    for day in days.unfinished(today):
        if day.resting and patient:
            return
        if day.business_date == today and desk.now() < days.due_at(lender, today):
            return
        done = _attempt(desk, lender, day)
        if done is not None:
            yield done
        if done is None or done.state == "waiting" or day.business_date == today:
            return
    done = _correct(desk, lender, days.known(today))
    if done is not None:
        yield done


@contextmanager
def _leading(url: str) -> Iterator[bool]:
    """Give whether this process may work: nobody else does, as long as its connection lives."""
    with psycopg.connect(url, autocommit=True, application_name="duly daily") as held:
        row = held.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        leads = bool(row and row[0])
        yield leads
        if leads:
            # Said before leaving: a busy server may notice a closed connection only later, and the
            # next round would find itself beside nobody.
            held.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _skip_old(today: date, catch_up_days: int, *, at: datetime) -> list[Outcome]:
    """Give up the missed days beyond the newest so many."""
    missed = [one for one in days.unfinished(today) if one.business_date < today]
    beyond = missed[: max(0, len(missed) - catch_up_days)]
    told = Diagnostic(area="service", code="daily_beyond", values={"days": catch_up_days})
    return [_give_up(day, told, at=at) for day in beyond]


def _give_up(day: Day, *told: Diagnostic, at: datetime) -> Outcome:
    """Let a day end without a decision; where a plan of it was loaded, that one stands."""
    standing = loading.counting(day.business_date)
    if standing is not None:
        return _stands(days.begin(day, at=at), standing, None)
    date_ = day.business_date.isoformat()
    with transaction.atomic():
        days.fail(day, told, state="skipped")
        record("day.skipped", [(date_, {"code": told[0].code})])
    journal.warn("day.skipped", business_date=date_, code=told[0].code)
    return Outcome(business_date=day.business_date, state="skipped", diagnostics=told)


def _correct(desk: Desk, lender: Lender, day: Day | None) -> Outcome | None:
    """Plan today anew where its book came again with other bytes; None where it did not."""
    assert lender.daily is not None
    if day is None or day.state != "done":
        return None
    book = lender.daily.book_of(day.business_date)
    if book is None or not book.is_dir() or _seen(book) == day.book_seen:
        return None
    return _attempt(desk, lender, day)


def _attempt(desk: Desk, lender: Lender, day: Day) -> Outcome | None:
    """Do one day, or write down why not; None where another scheduler has it."""
    now = desk.now()
    missed = day.business_date < lender.day_of(now)
    told = day.business_date.isoformat()
    try:
        if missed and day.failures >= _MISSED_TRIES:
            return _give_up(day, Diagnostic(area="service", code="daily_died"), at=now)
        day = days.begin(day, at=now)
        journal.note("day.begun", business_date=told, attempts=day.attempts)
        at = days.due_at(lender, day.business_date) if missed else now
        try:
            return _do(desk, lender, day, at.replace(microsecond=0), missed=missed)
        except Refused as refused:
            found = refused.diagnostics
        except _MACHINE as error:
            found = (_of_machine(error),)
        if missed and (found[0].code not in _MACHINE_CODES or day.failures + 1 >= _MISSED_TRIES):
            return _give_up(day, *found, at=now)
        days.fail(day, found, state="waiting")
    except days.Taken:
        journal.warn("day.taken", business_date=told)
        return None
    journal.warn("day.waiting", business_date=told, code=found[0].code, attempts=day.attempts)
    return Outcome(
        business_date=day.business_date, state="waiting", run=day.run_id, diagnostics=found
    )


def _of_machine(error: BaseException) -> Diagnostic:
    """Return what the machine refused."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    why = " ".join(str(error).split("\n")[0].split()) or type(error).__name__
    if full or "No space left" in why:
        return Diagnostic(area="service", code="disk_full", values={"why": why})
    return Diagnostic(area="service", code="daily_machine", values={"why": why})


def _do(desk: Desk, lender: Lender, day: Day, at: datetime, *, missed: bool) -> Outcome:
    """Load the book, plan from all that is known, prove the plan and load it."""
    standing = loading.counting(day.business_date)
    with _workplace(desk.plans) as work:
        book = _take_book(desk, lender, day, work, at, optional=standing is not None)
        if standing is not None:
            corrected = book is not None and book.sha256 != day.book_sha256
            if day.run_id is None or not corrected or missed:
                # Somebody has loaded a plan by hand, or only the times of the files have changed.
                return _stands(day, standing, book)
        exported = export_book(work / "known", lender=lender, at=at)
        _alert(day, exported.alerts)
        # A plan of what was known too long ago would hold everybody.
        loading.refuse_old(lender, cut_at=exported.cut_at, at=at)
        name = f"{day.business_date.isoformat()}.{day.plans + 1}"
        plan = desk.plans / name
        make_and_write(
            Request(book=work / "known", instant=at, out=plan, lender_file=desk.lender_file,
                    policy=_published(day, work, at), locale=desk.locale, threads=desk.threads),
            key=desk.key,
            clock=desk.clock,
            tell=lambda alerts: _alert(day, alerts),
        )  # fmt: skip
    return _load(desk, day, plan, book, missed=missed)


def _published(day: Day, work: Path, at: datetime) -> str | None:
    """Write the policy that two people had published by then; None: the lender file names it."""
    found = publishing.in_force(at)
    if found is None:
        return None
    path = work / found.file
    path.write_bytes(found.text.encode())
    journal.note("day.policy", business_date=day.business_date.isoformat(), policy=found.sha256)
    return str(path)


def _alert(day: Day, alerts: Iterable[Diagnostic]) -> None:
    """Write what a book or a plan warns of into the journal, by code; run.json has the rest."""
    counts = Counter(one.code for one in alerts)
    for code, count in sorted(counts.items()):
        told = day.business_date.isoformat()
        journal.warn("day.alert", business_date=told, code=code, count=count)


def _stands(day: Day, standing: tuple[str, str], book: _Book | None) -> Outcome:
    """End a day for which a plan is loaded already."""
    run, state = standing
    told = _held(braking.kept(run)) if state == "planned" else ()
    days.close(
        day,
        Ending(
            state="done", run=run, plan=day.plan, plans=day.plans,
            book_sha256=book.sha256 if book else day.book_sha256,
            book_seen=book.seen if book else day.book_seen, diagnostics=told,
        ),
    )  # fmt: skip
    journal.note("day.stands", business_date=day.business_date.isoformat(), run=run)
    return Outcome(business_date=day.business_date, state="done", run=run, diagnostics=told)


def _held(brakes: tuple[Brake, ...]) -> tuple[Diagnostic, ...]:
    """Return what the brakes that hold a plan say."""
    return tuple(
        Diagnostic(area="service", code=f"brake.{one.name}", values=one.figures)
        for one in braking.broken(brakes)
    )


def _load(desk: Desk, day: Day, plan: Path, book: _Book | None, *, missed: bool) -> Outcome:
    """Load a plan and end its day, in one transaction."""
    proven = prove(plan, clock=desk.clock, threads=desk.threads)
    state = "missed" if missed else "done"
    at = desk.now()
    with transaction.atomic():
        if missed:
            loaded = loading.load_missed(proven, at=at)
        else:
            loaded = loading.load(proven, at=at)
            overtake(day.business_date, by=loaded.plan_sha256)
        told = _held(loaded.brakes) if loaded.state == "planned" else ()
        days.close(
            day,
            Ending(
                state=state, run=loaded.plan_sha256, plan=plan.name, plans=day.plans + 1,
                book_sha256=book.sha256 if book else None, book_seen=book.seen if book else None,
                diagnostics=told,
            ),
        )  # fmt: skip
    said = {"business_date": day.business_date.isoformat(), "run": loaded.plan_sha256}
    journal.note(f"day.{state}", count=loaded.messages, state=loaded.state, **said)
    for one in told:
        journal.warn("day.held", code=one.code, **said)
    return Outcome(
        business_date=day.business_date, state=state, run=loaded.plan_sha256,
        messages=loaded.messages, diagnostics=told,
    )  # fmt: skip


def _take_book(
    desk: Desk, lender: Lender, day: Day, work: Path, at: datetime, *, optional: bool
) -> _Book | None:
    """Load the day's book; None where the lender tells by events alone.

    Refused: a book that is not there, save where it is `optional`, one that is being written at
    this moment, and what `load_book` refuses.
    """
    assert lender.daily is not None
    book = lender.daily.book_of(day.business_date)
    if book is None:
        return None
    if not book.is_dir():
        if optional:
            return None
        values = {"path": book, "day": day.business_date}
        raise Refused(Diagnostic(area="service", code="daily_book_missing", values=values))
    seen = _seen(book)
    taken = take_snapshot(
        book, work / "book", lender=lender, needs="plan", locale=desk.locale,
        threads=desk.threads or None,
    )  # fmt: skip
    if _seen(book) != seen:
        raise Refused(Diagnostic(area="service", code="daily_book_moving", values={"path": book}))
    load_book(taken.path, lender=lender, at=at, locale=desk.locale, threads=desk.threads or None)
    return _Book(taken.book_sha256, seen)


def _seen(book: Path) -> str:
    """Return what a look from outside says of a book: names, sizes and times of its files."""
    found = hashlib.sha256()
    for path in sorted(book.rglob("*")):
        if path.is_file():
            about = path.stat()
            line = f"{path.relative_to(book)}\0{about.st_size}\0{about.st_mtime_ns}\n"
            found.update(line.encode(errors="surrogateescape"))
    return found.hexdigest()


@contextmanager
def _workplace(plans: Path) -> Iterator[Path]:
    """Give an empty directory beside the plans; what the dead left there is removed."""
    plans.mkdir(parents=True, exist_ok=True)
    sweep(plans, _WORK)
    work = plans / f"{_WORK}{os.getpid()}"
    work.mkdir()
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
