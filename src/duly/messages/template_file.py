"""One text in one file: a front matter that says what it is, then the words.

`approvals` stand last in the front matter, so that the words which somebody approved are the file
without that block: an approval names their SHA-256, and words changed since are approved by nobody.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from duly.book.nodes import Node
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.messages.body import expanded, joined, read_body
from duly.messages.facts import Facts
from duly.messages.front import Notes
from duly.messages.locales import LOCALES, is_chinese
from duly.messages.stages import CLASSES, ELEMENTS, STAGES, pattern
from duly.messages.variables import ALWAYS, FACT_OF, GUARDS, OF_LENDER
from duly.spelling import folded

CHANNELS = ("sms", "email")
TONES = ("gentle", "plain", "serious")
#: Parts of a person's name that are compared in any order.
_NAME_PARTS_MAX = 5
APPROVERS = 2
_FENCE, _APPROVALS = "---", "approvals:"
_REQUIRED = ("id", "version", "locale", "channel", "tone", "stage", "class", "elements")
_OPTIONAL = ("subject", "gateway_code", "requires", "from_days", "phrases", "approvals")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_PERSON = re.compile(r"[^\W\d_][\w .,'()（）·-]{0,59}")
_FACTS = tuple(Facts.__dataclass_fields__)

Phrases = Mapping[tuple[str, int], Mapping[str, str]]  #: (locale, version) → name → words


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One person's yes to exactly these words."""

    by: str
    on: date
    words: str  #: SHA-256 of what was approved


@dataclass(frozen=True, kw_only=True)
class Text:
    """One version of one text, as its file has it, phrases in place."""

    id: str
    version: int
    locale: str
    channel: str
    tones: tuple[str, ...]
    stage: str
    elements: tuple[str, ...]
    subject: str | None
    gateway_code: str | None
    requires: tuple[str, ...]  #: facts that must be there beyond those of the stage
    from_days: int | None  #: not before so many days past due
    phrases: int | None
    approvals: tuple[Approval, ...]
    raw: str  #: the body as it stands in the file
    source: str  #: the body as the engine reads it
    variables: frozenset[str]
    flags: frozenset[str]
    file: str
    body_line: int
    sha256: str  #: of the file
    words_sha256: str  #: of what an approval is about

    @property
    def message_class(self) -> str:
        """The class that its stage gives it."""
        return STAGES[self.stage].message_class

    @property
    def key(self) -> tuple[str, str, str]:
        """Id, locale and channel; with a tone it is what an order asks for."""
        return self.id, self.locale, self.channel

    @property
    def approvers(self) -> tuple[str, ...]:
        """Who approved these very words, each once."""
        valid = (one.by for one in self.approvals if one.words == self.words_sha256)
        return tuple(dict.fromkeys(valid))

    @property
    def name(self) -> str:
        """How people call it: `overdue@1 zh-CN sms gentle`."""
        tones = "" if self.tones == TONES else " " + "-".join(self.tones)
        return f"{self.id}@{self.version} {self.locale} {self.channel}{tones}"


def read_text(
    data: bytes, file: str, phrases: Phrases
) -> tuple[Text | None, tuple[Diagnostic, ...]]:
    """Return the text of a file and its mistakes, in the order of the file; None with mistakes."""
    notes = Notes(file, above=1)
    source = notes.decoded(data)
    parts = None if source is None else _parted(source, notes)
    if parts is None:
        return None, _sorted(notes)
    front, body, body_line = parts
    root = notes.root(front, file)
    if root is None:
        return None, _sorted(notes)
    found = notes.keyed(root, "front matter", required=_REQUIRED, optional=_OPTIONAL)
    locale = notes.choice(found.get("locale"), "locale", LOCALES)
    channel = notes.choice(found.get("channel"), "channel", CHANNELS)
    version = notes.whole(found.get("phrases"), "phrases", least=1)
    own = phrases.get((locale, version)) if version is not None else None
    if version is not None and own is None and locale:
        notes.wrong(found["phrases"], "no_such_phrases", locale=locale, version=version)
    named = read_body(body, notes, own if version is not None else None, first_line=body_line)
    said = expanded(body, own or {})
    plain = Notes(file)  # What the phrases name was checked where they stand.
    all_named = read_body(said, plain, {}, first_line=1)
    stage = notes.choice(found.get("stage"), "stage", tuple(STAGES))
    _check_class(found, stage, notes)
    requires = notes.choices(found.get("requires"), "requires", _FACTS)
    both = (named.variables | all_named.variables, named.flags | all_named.flags)
    _check_guards(*both, (*STAGES[stage].facts, *requires) if stage else (), notes, body_line)
    text = Text(
        id=notes.name(found.get("id"), "id"),
        version=notes.whole(found.get("version"), "version", least=1) or 0,
        locale=locale,
        channel=channel,
        tones=notes.choices(found.get("tone"), "tone", TONES),
        stage=stage,
        elements=_elements(found.get("elements"), stage, notes),
        subject=_subject(found, channel, locale, notes, root),
        gateway_code=_code(found.get("gateway_code"), notes),
        requires=requires,
        from_days=notes.whole(found.get("from_days"), "from_days", least=0),
        phrases=version,
        approvals=_approvals(found.get("approvals"), front, notes),
        raw=body,
        source=joined(said, channel=channel, gap="" if is_chinese(locale) else " "),
        variables=both[0],
        flags=both[1],
        file=file,
        body_line=body_line,
        sha256=digest.of_bytes(data),
        words_sha256=digest.of_bytes(f"{split_front(front)[0]}{_FENCE}\n{said}".encode()),
    )
    return (None if notes.found else text), _sorted(notes)


def _sorted(notes: Notes) -> tuple[Diagnostic, ...]:
    return tuple(sorted(notes.found, key=lambda one: (one.line, int(one.column), one.code)))


def _parted(source: str, notes: Notes) -> tuple[str, str, int] | None:
    """Return the front matter, the body and the body's first line."""
    lines = source.split("\n")
    if lines[0] != _FENCE or _FENCE not in lines[1:]:
        notes.wrong((1, 1), "no_front_matter")
        return None
    end = lines.index(_FENCE, 1)
    front = "".join(f"{line}\n" for line in lines[1:end])
    return front, "\n".join(lines[end + 1 :]), end + 2


def split_front(front: str) -> tuple[str, str]:
    """Return what people approve of a front matter, and the block of approvals below it."""
    lines = front.split("\n")
    at = next((n for n, line in enumerate(lines) if line.rstrip() == _APPROVALS), len(lines))
    return "".join(f"{line}\n" for line in lines[:at] if line), "\n".join(lines[at + 1 :])


def _check_class(found: Mapping[str, Node], stage: str, notes: Notes) -> None:
    """Note a class that is not the stage's: a demand may not call itself an answer."""
    given = notes.choice(found.get("class"), "class", CLASSES)
    if given and stage and STAGES[stage].message_class != given:
        wanted = STAGES[stage].message_class
        notes.wrong(found["class"], "class_of_stage", stage=stage, value=given, wanted=wanted)


def _check_guards(
    variables: frozenset[str],
    flags: frozenset[str],
    facts: tuple[str, ...],
    notes: Notes,
    body_line: int,
) -> None:
    """Note a fact that may be absent and that the text names without asking whether it is there."""
    for name in sorted(variables - OF_LENDER - ALWAYS):
        guard = GUARDS.get(name, "")
        if FACT_OF.get(name, name) not in facts and guard not in flags:
            notes.wrong((body_line, 1), "unasked", name=name, guard=guard or "requires")


def _elements(node: Node | None, stage: str, notes: Notes) -> tuple[str, ...]:
    given = notes.choices(node, "elements", tuple(ELEMENTS))
    if node is not None and stage:
        for name in STAGES[stage].must:
            if name not in given:
                notes.wrong(node, "element_absent", element=name, stage=stage)
    return given


def _subject(
    found: Mapping[str, Node], channel: str, locale: str, notes: Notes, root: Node
) -> str | None:
    node = found.get("subject")
    if node is None:
        if channel == "email":
            notes.wrong(root, "absent", name="subject", what="e-mail")
        return None
    subject = notes.text(node, "subject")
    if channel == "sms":
        notes.wrong(node, "subject_of_sms")
    elif locale and subject:
        loud = [kind for kind in ("debt", "amount") if pattern(locale, kind).search(subject)]
        if loud or len(subject) > 40 or re.search(r"[{}\[\]\n]", subject):
            notes.wrong(node, "bad_subject", value=subject)
    return subject


def _code(node: Node | None, notes: Notes) -> str | None:
    text = notes.text(node, "gateway_code")
    if node is not None and text and not _CODE.fullmatch(text):
        notes.wrong(node, "bad_code", value=text)
    return text or None


def _approvals(node: Node | None, front: str, notes: Notes) -> tuple[Approval, ...]:
    if node is None:
        return ()
    tail = split_front(front)[1]
    if not tail or any(line and not line.startswith("  ") for line in tail.split("\n")):
        notes.wrong(node, "approvals_last")
    made: list[Approval] = []
    for item in notes.listed(node, "approvals"):
        keys = notes.keyed(item, "approvals", required=("by", "on", "words"))
        by, on = person(notes, keys.get("by")), notes.day(keys.get("on"), "on")
        words = notes.text(keys.get("words"), "words")
        if by and any(same_person(by, one.by) for one in made):
            notes.wrong(item, "approver_twice", name=by)
        elif by and on is not None:
            made.append(Approval(by=by, on=on, words=words))
    return tuple(made)


def person(notes: Notes, node: Node | None) -> str:
    """Return a person's name, or an empty text after noting that it is none."""
    text = notes.text(node, "by").strip()
    if node is not None and text and not is_person(text):
        notes.wrong(node, "bad_person", value=text)
        return ""
    return text


def is_person(text: str) -> bool:
    """Return whether a text can stand as the name of who approves.

    A word of two alphabets is nobody's name: with one letter that only looks like another, one
    person would be two.

    >>> is_person("Li Ming"), is_person("L\u0456 Ming")
    (True, False)
    """
    if _PERSON.fullmatch(text) is None:
        return False
    return all(
        len({_alphabet(char) for char in word if char.isalpha()} - {"CJK"}) < 2
        for word in text.split()
    )


def _alphabet(char: str) -> str:
    return unicodedata.name(unicodedata.normalize("NFKC", char)[0], "?").partition(" ")[0]


def same_person(one: str, other: str) -> bool:
    """Return whether two names may be one person's: however spaced, marked, accented or ordered.

    A traditional character is its simplified one; an initial is any name that begins with it.

    >>> same_person("Li Ming", "ｌｉ  ming "), same_person("Ming Li", "L. Ming")
    (True, True)
    >>> same_person("張偉", "张伟."), same_person("Li Ming", "Li Na")
    (True, False)
    """
    mine, others = _plain(one), _plain(other)
    if "".join(mine) == "".join(others):
        return True
    return len(mine) == len(others) and any(
        all(_may_be(left, right) for left, right in zip(mine, order, strict=True))
        for order in itertools.permutations(others)
    )


def _may_be(one: str, other: str) -> bool:
    """Return whether two parts of a name are the same, or one is the other's initial."""
    short, long = sorted((one, other), key=len)
    initial = len(short) == 1 and short.isascii() and long.startswith(short)
    return short == long or initial


def _plain(name: str) -> list[str]:
    bare = unicodedata.normalize("NFKD", folded(name)).casefold()
    letters = "".join(
        char if char.isalnum() else "" if unicodedata.combining(char) else " " for char in bare
    )
    words = letters.split()[:_NAME_PARTS_MAX]
    # 李·明 is 李明: marks between characters part no names.
    return words if all(word.isascii() for word in words) else ["".join(words)]
