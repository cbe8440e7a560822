"""Two people say yes to the same words, then the index names them for good.

The first approval goes into the front matter; the second one publishes: front matter and index are
written beside their places and moved there, or nothing changes. Two publishers wait for each other.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NoReturn

from duly.book.lender import Lender
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.messages.catalog import builtin_shelf
from duly.messages.checking import LINTS, Lint, check
from duly.messages.differing import Difference, compare
from duly.messages.shelf import INDEX, Entry, Shelf, read_shelf
from duly.messages.template_file import (
    APPROVERS,
    Approval,
    Text,
    is_person,
    read_text,
    same_person,
    split_front,
)

_HEAD = (
    "# What was published: which file with which bytes, approved by whom. `duly messages publish`"
    " adds lines;\n# no line changes, and no file named here.\n"
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one person's yes led to."""

    text: Text
    published: bool
    difference: Difference | None  #: from the newest published version, None for a first one
    dropped: tuple[str, ...]  #: whose yes was to other words than the file has now


def publish(
    path: Path,
    *,
    by: str,
    on: date,
    lender: Lender,
    folder: Path | None = None,
    lints: tuple[Lint, ...] = LINTS,
) -> Outcome:
    """Write one person's approval of a text; publish it where it is the second one.

    `folder` None is the nearest directory above the file with an index, else the file's own.
    Refuses (Refused, nothing written) a file or a directory with mistakes, a text that a check
    finds fault with, a version that is not newer, and a person who approved these words before.
    """
    by = by.strip()
    if not path.is_file():
        _refuse("no_file", str(path))
    root = folder or _root(path)
    with _alone(root):
        shelf = _shelf(root)
        text = _readable(path, root, shelf)
        _check_new(text, shelf)
        found = check(text, lender, lints)
        if found:
            raise Refused(*found)
        valid = tuple(one for one in text.approvals if one.words == text.words_sha256)
        dropped = tuple(one.by for one in text.approvals if one not in valid)
        if not is_person(by):
            _refuse("bad_person", text.file, value=by)
        if len(valid) < APPROVERS:
            if any(same_person(by, one.by) for one in valid):
                _refuse("approver_twice", text.file, name=by)
            valid = (*valid, Approval(by=by, on=on, words=text.words_sha256))
        before = _before(text, shelf)
        data = _signed(path.read_bytes(), valid)
        again, broken = read_text(data, text.file, shelf.phrases)
        assert again is not None, broken
        done = len(valid) >= APPROVERS
        written = {path: data}
        if done:
            entry = _entry(again, path.relative_to(root).as_posix(), digest.of_bytes(data))
            written[root / INDEX] = index_text(shelf, (*shelf.index, entry)).encode()
        _write(written)
    difference = None if before is None else compare(before, again, lender)
    return Outcome(text=again, published=done, difference=difference, dropped=dropped)


def _refuse(code: str, file: str, **values: object) -> NoReturn:
    raise Refused(Diagnostic(area="templates", code=code, file=file, values=values))


def _root(path: Path) -> Path:
    for folder in (path.parent, path.parent.parent):
        if (folder / INDEX).is_file():
            return folder
    return path.parent


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the directory against another publisher, until done."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _shelf(root: Path) -> Shelf:
    ours = builtin_shelf()
    same = root.resolve() == ours.folder.resolve()
    shelf = read_shelf(root, phrases=None if same else ours.phrases)
    if shelf.blocking:
        raise Refused(*shelf.blocking)
    return shelf


def _readable(path: Path, root: Path, shelf: Shelf) -> Text:
    name = path.resolve().relative_to(root.resolve()).as_posix()
    file = f"{root}/{name}"
    for text in shelf.texts:
        if text.file == file:
            return text
    broken = [item for item in shelf.found if item.file == file]
    if broken:
        raise Refused(*broken)
    _refuse("not_a_template", file)


def _check_new(text: Text, shelf: Shelf) -> None:
    """Refuse a text that is published, clashes, is not newer, or gives a known id another stage."""
    if text.name in shelf.published:
        _refuse("already_published", text.file, name=text.name)
    clashes = [item for item in shelf.found if item.file == text.file]
    if clashes:
        raise Refused(*clashes)
    for other in shelf.texts:
        if other.name not in shelf.published or other.key != text.key:
            continue
        if set(other.tones) & set(text.tones) and other.version >= text.version:
            _refuse("not_newer", text.file, name=text.name, other=other.name)
    for other in (*shelf.texts, *builtin_shelf().texts):
        if other.id == text.id and other.stage != text.stage:
            values = {"id": text.id, "stage": text.stage, "wanted": other.stage}
            _refuse("stage_of_id", text.file, **values)


def _before(text: Text, shelf: Shelf) -> Text | None:
    """Return the newest published text that this one follows, ours where the lender has none."""
    for one in (shelf, builtin_shelf()):
        older = [
            other
            for other in one.texts
            if other.name in one.published
            and other.key == text.key
            and set(other.tones) & set(text.tones)
        ]
        if older:
            return max(older, key=lambda other: other.version)
    return None


def _signed(data: bytes, approvals: tuple[Approval, ...]) -> bytes:
    """Return the file with these approvals as the last block of its front matter."""
    lines = data.decode("utf-8").split("\n")
    end = lines.index("---", 1)
    front = split_front("\n".join(lines[1:end]))[0].rstrip("\n")
    block = ["approvals:"]
    block += [
        f"  - {{by: {_quoted(one.by)}, on: {one.on.isoformat()}, words: {one.words}}}"
        for one in approvals
    ]
    return "\n".join([lines[0], front, *block, *lines[end:]]).encode()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _entry(text: Text, file: str, sha256: str) -> Entry:
    return Entry(
        file=file,
        id=text.id,
        version=text.version,
        locale=text.locale,
        channel=text.channel,
        tones=text.tones,
        sha256=sha256,
        approvals=tuple((one.by, one.on.isoformat()) for one in text.approvals),
        line=0,
    )


def index_text(shelf: Shelf, entries: tuple[Entry, ...]) -> str:
    """Return the index: the lines there are, in their order, and the new ones behind them."""
    lines = [_HEAD]
    files = sorted(shelf.phrase_files.items())
    if files:
        lines.append("phrases:\n")
        lines += [f"  - {{file: {file}, sha256: {sha256}}}\n" for file, sha256 in files]
    lines.append("texts:\n")
    for one in entries:
        people = ", ".join(f"{{by: {_quoted(by)}, on: {on}}}" for by, on in one.approvals)
        lines.append(
            f"  - {{file: {_quoted(one.file)}, id: {one.id}, version: {one.version},"
            f" locale: {one.locale}, channel: {one.channel}, tone: [{', '.join(one.tones)}],"
            f" sha256: {one.sha256}, approvals: [{people}]}}\n"
        )
    return "".join(lines)


def _write(written: dict[Path, bytes]) -> None:
    """Write every file beside its place, then move all; the file goes before the index.

    A stop between the two moves leaves a text with both approvals outside the index: a draft, which
    the next call publishes.
    """
    moves: list[tuple[Path, Path]] = []
    try:
        for path, data in written.items():
            half = path.with_name(f".{path.name}.half-{os.getpid()}")
            moves.append((half, path))
            with half.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for half, path in moves:
            half.replace(path)
    finally:
        for half, _ in moves:
            half.unlink(missing_ok=True)
