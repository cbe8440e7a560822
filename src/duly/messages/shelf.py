"""A directory of templates: every file read, and held against the index of what was published.

`published.yaml` names each published file with its SHA-256 and who approved it. A text outside the
index is a draft: people see it, no plan uses it. A file of the index whose bytes differ is refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from duly.book.nodes import Node
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.messages.body import read_body
from duly.messages.front import Notes
from duly.messages.locales import LOCALES
from duly.messages.template_file import APPROVERS, Phrases, Text, read_text, same_person

INDEX = "published.yaml"
INDEX_BYTES_MAX = 4_000_000
_ENTRY = ("file", "id", "version", "locale", "channel", "tone", "sha256", "approvals")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the index."""

    file: str  #: relative to the directory
    id: str
    version: int
    locale: str
    channel: str
    tones: tuple[str, ...]
    sha256: str
    approvals: tuple[tuple[str, str], ...]  #: who, on which day
    line: int


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The texts of a directory and what is wrong there."""

    folder: Path
    texts: tuple[Text, ...]  #: readable ones, by id, locale, channel, tones, version
    published: frozenset[str]  #: names of the texts that are
    found: tuple[Diagnostic, ...]
    blocking: tuple[Diagnostic, ...]  #: of those, the ones about what is published
    phrases: Phrases = field(default_factory=dict)
    phrase_files: Mapping[str, str] = field(default_factory=dict)  #: file → SHA-256, of its own
    index: tuple[Entry, ...] = ()

    @property
    def kept_files(self) -> tuple[str, ...]:
        """What a plan keeps of the directory, relative: the index and the files it names."""
        return (INDEX, *(entry.file for entry in self.index)) if self.index else ()

    def status(self, text: Text) -> str:
        """Return `published`, `replaced` by a newer version, `approved` by one, or `draft`."""
        if text.name in self.published:
            newer = (one for one in self.texts if one.name in self.published)
            over = {
                tone
                for one in newer
                if one.key == text.key and one.version > text.version
                for tone in one.tones
            }
            return "replaced" if set(text.tones) <= over else "published"
        return "approved" if text.approvers else "draft"


def read_shelf(folder: Path, *, label: str = "", phrases: Phrases | None = None) -> Shelf:
    """Read a directory of templates, one level of folders deep; every mistake is gathered.

    `phrases` are those that its texts may use; None reads them from the directory itself. `label`
    is how the directory is called in diagnostics, the path where it is empty.
    """
    root = label or str(folder)
    index_notes = Notes(f"{root}/{INDEX}")
    entries, known = _index(folder, index_notes)
    found: list[Diagnostic] = []
    blocking: list[Diagnostic] = list(index_notes.found)
    files: Mapping[str, str] = {}
    if phrases is None:
        phrases, files, broken = _phrases(folder, root, known)
        blocking += broken
    texts: list[Text] = []
    listed = {entry.file: entry for entry in entries}
    for name in _names(folder, ".txt"):
        data = (folder / name).read_bytes()
        entry = listed.pop(name, None)
        file = f"{root}/{name}"
        text, notes = read_text(data, file, phrases)
        if entry is None:
            found += notes
        else:
            blocking += [*_held_against(entry, digest.of_bytes(data), text, file), *notes]
        if text is not None:
            texts.append(text)
    for entry in listed.values():
        index_notes.wrong((entry.line, 1), "gone", file=entry.file)
        blocking.append(index_notes.found[-1])
    published = {f"{root}/{entry.file}" for entry in entries}
    texts.sort(key=lambda one: (*one.key, one.tones, one.version))
    for clash in _clashes(texts):
        (blocking if clash.file in published else found).append(clash)
    return Shelf(
        folder=folder,
        texts=tuple(texts),
        published=frozenset(one.name for one in texts if one.file in published),
        found=(*blocking, *found),
        blocking=tuple(blocking),
        phrases=phrases,
        phrase_files=files,
        index=entries,
    )


def _names(folder: Path, suffix: str) -> list[str]:
    """Return the files with a suffix, relative, those of folders with their folder."""
    files = [path for path in folder.glob(f"*{suffix}") if path.is_file()]
    files += [path for path in folder.glob(f"*/*{suffix}") if path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in files)


def _held_against(entry: Entry, sha256: str, text: Text | None, file: str) -> list[Diagnostic]:
    """Return how a published file differs from its line of the index."""
    notes = Notes(file)
    if sha256 != entry.sha256:
        day = entry.approvals[-1][1] if entry.approvals else "-"
        notes.wrong((1, 1), "published_changed", id=entry.id, version=entry.version, on=day)
        return notes.found
    if text is None:
        return []
    told = (text.id, text.version, text.locale, text.channel, text.tones)
    if told != (entry.id, entry.version, entry.locale, entry.channel, entry.tones):
        notes.wrong((1, 1), "not_as_indexed", name=text.name)
    if len(text.approvers) < APPROVERS:
        notes.wrong((1, 1), "approvals_missing", count=len(text.approvers), need=APPROVERS)
    signed = tuple((one.by, one.on.isoformat()) for one in text.approvals)
    if signed != entry.approvals:
        notes.wrong((1, 1), "not_as_indexed", name=text.name)
    return notes.found


def _clashes(texts: Iterable[Text]) -> list[Diagnostic]:
    """Return every version that stands in two files for the same tone."""
    seen: dict[tuple[object, ...], Text] = {}
    found: list[Diagnostic] = []
    for text in texts:
        others = []
        for tone in text.tones:
            place = (*text.key, tone, text.version)
            if place in seen:
                others.append(seen[place].file)
            seen.setdefault(place, text)
        if others:
            notes = Notes(text.file)
            notes.wrong((1, 1), "version_twice", name=text.name, other=others[0])
            found += notes.found
    return found


def _index(folder: Path, notes: Notes) -> tuple[tuple[Entry, ...], Mapping[str, str]]:
    """Return the entries of the index, and the SHA-256 of each file of phrases."""
    path = folder / INDEX
    if not path.is_file():
        return (), {}
    source = notes.decoded(path.read_bytes(), most=INDEX_BYTES_MAX)
    root = None if source is None else notes.root(source, INDEX)
    if root is None:
        return (), {}
    found = notes.keyed(root, INDEX, required=("texts",), optional=("phrases",))
    entries: list[Entry] = []
    for item in notes.listed(found.get("texts"), "texts"):
        keys = notes.keyed(item, "texts", required=_ENTRY)
        entry = Entry(
            file=notes.text(keys.get("file"), "file"),
            id=notes.name(keys.get("id"), "id"),
            version=notes.whole(keys.get("version"), "version", least=1) or 0,
            locale=notes.text(keys.get("locale"), "locale"),
            channel=notes.text(keys.get("channel"), "channel"),
            tones=tuple(notes.text(one, "tone") for one in notes.listed(keys.get("tone"), "tone")),
            sha256=notes.text(keys.get("sha256"), "sha256"),
            approvals=_approved(notes.listed(keys.get("approvals"), "approvals"), notes),
            line=item.start_mark.line + 1,
        )
        names = [name for name, _ in entry.approvals]
        if len(names) < APPROVERS or any(
            same_person(one, other) for one, other in itertools.combinations(names, 2)
        ):
            notes.wrong(item, "approvals_missing", count=len(set(names)), need=APPROVERS)
        if any(one.file == entry.file for one in entries):
            notes.wrong(item, "twice", name=entry.file)
        else:
            entries.append(entry)
    known: dict[str, str] = {}
    for item in notes.listed(found.get("phrases"), "phrases"):
        keys = notes.keyed(item, "phrases", required=("file", "sha256"))
        name = notes.text(keys.get("file"), "file")
        known[name] = notes.text(keys.get("sha256"), "sha256")
    return tuple(entries), known


def _approved(items: Iterable[Node], notes: Notes) -> tuple[tuple[str, str], ...]:
    made = []
    for item in items:
        keys = notes.keyed(item, "approvals", required=("by", "on"))
        made.append((notes.text(keys.get("by"), "by"), notes.text(keys.get("on"), "on")))
    return tuple(made)


def _phrases(
    folder: Path, root: str, known: Mapping[str, str]
) -> tuple[Phrases, Mapping[str, str], list[Diagnostic]]:
    """Return the phrases of a directory by locale and version, and the SHA-256 of each file.

    A published file of phrases keeps its bytes.
    """
    files: dict[str, str] = {}
    phrases: dict[tuple[str, int], Mapping[str, str]] = {}
    found: list[Diagnostic] = []
    for name in _names(folder, ".yaml"):
        if not name.rpartition("/")[2].startswith("phrases."):
            continue
        data = (folder / name).read_bytes()
        notes = Notes(f"{root}/{name}")
        files[name] = digest.of_bytes(data)
        if name in known and files[name] != known[name]:
            notes.wrong((1, 1), "phrases_changed")
        source = notes.decoded(data)
        node = None if source is None else notes.root(source, name)
        if node is not None:
            keys = notes.keyed(node, name, required=("locale", "version", "phrases"))
            locale = notes.choice(keys.get("locale"), "locale", LOCALES)
            version = notes.whole(keys.get("version"), "version", least=1)
            if "phrases" in keys and version is not None:
                phrases[locale, version] = _words(keys["phrases"], notes)
        found += notes.found
    return phrases, files, found


def _words(node: object, notes: Notes) -> Mapping[str, str]:
    words: dict[str, str] = {}
    for key, value in getattr(node, "value", ()):
        name, text = str(key.value), notes.text(value, str(key.value))
        if name in words:
            notes.wrong(key, "twice", name=name)
        first = value.start_mark.line + (2 if value.style in {"|", ">"} else 1)
        read_body(text, notes, None, first_line=first)
        words[name] = text
    return words
