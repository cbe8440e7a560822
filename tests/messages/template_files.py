"""Template files for the tests: a good one, and a directory of the lender's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from message_facts import EXAMPLE

from duly.core.diagnostic import Diagnostic
from duly.messages.publishing import Outcome, publish

GOOD_BODY = (
    "【{{ signature }}】[[hello]]，[[loan]][[late]]，截至{{ as_of }}待还{{ overdue_total }}。\n"
    "已还请忽略。有疑问，或想延期、分期，请{{ ways }}。[[code]][[stop]]\n"
)
GOOD: Mapping[str, str] = {
    "id": "ours",
    "version": "1",
    "locale": "zh-CN",
    "channel": "sms",
    "tone": "[gentle, plain, serious]",
    "stage": "late",
    "class": "dunning",
    "elements": "[identity, name, loan, amount, date, as_of, route, objection, relief, ignore,"
    " code, opt_out]",
    "phrases": "1",
}
MAIL_BODY = (
    "[[hello]]：\n\n[[loan]]已[[late]]。如果您已经还了，请忽略这封邮件。\n\n"
    "[[figures]]\n[[rights]]\n[[closing]]\n"
)
FIRST, SECOND, DAY = "李明", "王芳", date(2026, 11, 28)


def text_of(body: str = GOOD_BODY, **changed: str | None) -> str:
    """Give a template file; a key changed to None is left out."""
    keys = {**GOOD, **changed}
    front = "".join(f"{key}: {value}\n" for key, value in keys.items() if value is not None)
    return f"---\n{front}---\n{body}"


def put(
    folder: Path, name: str = "ours.v1.txt", body: str = GOOD_BODY, **changed: str | None
) -> Path:
    """Write a template file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text_of(body, **changed), encoding="utf-8")
    return path


def approve(path: Path, *names: str) -> Outcome:
    """Let people approve a file, one after the other."""
    done: Outcome | None = None
    for name in names or (FIRST, SECOND):
        done = publish(path, by=name, on=DAY, lender=EXAMPLE)
    assert done is not None
    return done


def tree(folder: Path) -> dict[str, bytes]:
    """Give every file below a folder with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def told(found: tuple[Diagnostic, ...] | list[Diagnostic]) -> list[str]:
    """Give each diagnostic as LINE:COLUMN code, both languages having been rendered."""
    assert all(item.sentence("en") and item.sentence("zh-CN") for item in found)
    assert not [item for item in found if "{" in item.hint("en").replace("{dispute", "")]
    return [f"{item.line}:{item.column} {item.code}" for item in found]
