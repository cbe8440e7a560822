"""`duly messages preview`, `diff`, `publish`: what we say, before anybody gets it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from duly.cli import arguments, output, settings
from duly.core.words import catalogue, say

if TYPE_CHECKING:
    from duly.book import Lender
    from duly.messages.differing import Difference
    from duly.messages.preview import Look
    from duly.messages.template_file import Text

_HOLE, _CODE = "{code}", "23456789"  # A sample: what a text looks like with its check code.

TextLocale = Annotated[
    Literal["zh-CN", "zh-TW", "en"] | None, arguments.named("--locale", "option.text_locale")
]
Channel = Annotated[Literal["sms", "email"] | None, arguments.worded("option.channel")]
Tone = Annotated[Literal["gentle", "plain", "serious"] | None, arguments.worded("option.tone")]
Templates = Annotated[Path | None, arguments.worded("option.templates")]


def preview(
    name: Annotated[str | None, arguments.worded("option.text")] = None,
    /,
    *,
    locale: TextLocale = None,
    channel: Channel = None,
    tone: Tone = None,
    lender: arguments.LenderFile = None,
    templates: Templates = None,
    json: arguments.Json = False,
) -> int:
    """Show texts as a borrower would read them, or list them all."""
    from duly.messages import preview as previews

    whose, folder = _lender(lender, templates)
    found = previews.shelves(folder)
    choice = previews.Choice(
        id=name or "", locale=locale or "", channel=channel or "", tone=tone or ""
    )
    broken = [item for shelf in found for item in shelf.found]
    if name is None:
        rows = previews.chosen(found, choice)
        told = [_row(text, status) for text, status in rows]
        if json:
            output.as_json({"texts": told, "mistakes": [item.render("en") for item in broken]})
        else:
            _list(told)
    else:
        looks = tuple(previews.looks(found, choice, whose))
        broken += [item for look in looks for item in look.found]
        if json:
            output.as_json([_look(one) for one in looks])
        else:
            for one in looks:
                _show(one)
    output.diagnostics(broken, settings.locale())
    return output.FOUND_WRONG if broken else output.DONE


def diff(
    old: Annotated[str, arguments.worded("option.old")],
    new: Annotated[str, arguments.worded("option.new")],
    /,
    *,
    locale: TextLocale = None,
    channel: Channel = None,
    tone: Tone = None,
    lender: arguments.LenderFile = None,
    templates: Templates = None,
    json: arguments.Json = False,
) -> int:
    """Say what changed from one text to another."""
    from dataclasses import asdict

    from duly.messages import preview as previews
    from duly.messages.differing import compare

    whose, folder = _lender(lender, templates)
    found = previews.shelves(folder)
    choice = previews.Choice(locale=locale or "", channel=channel or "", tone=tone or "")
    differences = [
        compare(one, other, whose) for one, other in previews.pairs(found, old, new, choice)
    ]
    if json:
        output.as_json([asdict(one) for one in differences])
        return output.DONE
    for one in differences:
        _tell(one)
    return output.DONE


def publish(
    file: Annotated[Path, arguments.worded("option.template_file")],
    /,
    *,
    by: Annotated[str, arguments.worded("option.by")],
    lender: arguments.LenderFile = None,
    templates: Templates = None,
    json: arguments.Json = False,
) -> int:
    """Approve a text; the second person's approval publishes it."""
    from dataclasses import asdict

    from duly.messages.publishing import publish as approve

    whose, _ = _lender(lender, None)
    today = date.today()  # noqa: DTZ011 The day on the approver's own calendar.
    done = approve(file, by=by, on=today, lender=whose, folder=templates)
    if json:
        output.as_json(
            {
                "text": done.text.name,
                "file": str(file),
                "published": done.published,
                "approvals": [{"by": one.by, "on": one.on} for one in done.text.approvals],
                "dropped": list(done.dropped),
                "difference": None if done.difference is None else asdict(done.difference),
            }
        )
        return output.DONE
    for who in done.dropped:
        output.line(_say("approval_dropped", who=who))
    if done.difference is None:
        output.line(_say("diff_first"))
    else:
        _tell(done.difference)
    key = "published_now" if done.published else "approved_now"
    output.line(_say(key, name=done.text.name, by=by))
    return output.DONE


def _lender(file: Path | None, templates: Path | None) -> tuple[Lender, Path | None]:
    """Return the lender, and the directory of its own texts."""
    from duly import book

    lender = book.load_lender(settings.lender_file(file))
    return lender, templates or lender.templates


def _say(key: str, /, **values: object) -> str:
    return say("templates", key, settings.locale(), **values)


def _words(group: str, code: str) -> str:
    return catalogue("templates", settings.locale()).get(f"{group}.{code}", code)


def _row(text: Text, status: str) -> dict[str, object]:
    return {
        "id": text.id,
        "version": text.version,
        "stage": text.stage,
        "class": text.message_class,
        "locale": text.locale,
        "channel": text.channel,
        "tones": list(text.tones),
        "status": status,
        "gateway_code": text.gateway_code,
        "file": text.file,
    }


def _list(rows: list[dict[str, object]]) -> None:
    for row in rows:
        tones = row["tones"]
        assert isinstance(tones, list)
        output.line(
            f"{row['id']!s:<18} {row['version']!s:>3}  {row['stage']!s:<14} {row['locale']!s:<6}"
            f" {row['channel']!s:<6} {', '.join(tones):<23} {_words('status', str(row['status']))}"
        )
    used = sum(row["status"] == "published" for row in rows)
    output.line(_say("preview_count", count=len(rows), published=used))


def _look(one: Look) -> dict[str, object]:
    return {
        **_row(one.text, one.status),
        "subject": one.said.subject,
        "text": one.said.text.replace(_HOLE, _CODE),
        "segments": one.said.segments,
        "encoding": one.said.encoding,
        "characters": len(one.said.text.replace(_HOLE, _CODE)),
        "elements": list(one.elements),
        "rules": list(one.rules),
        "facts": list(one.facts),
        "variables": dict(one.said.params),
        "mistakes": [item.render("en") for item in one.found],
    }


def _show(one: Look) -> None:
    said, text = one.said, one.said.text.replace(_HOLE, _CODE)
    output.line(
        _say(
            "preview_head",
            name=one.text.name,
            stage=_words("stage", one.text.stage),
            message_class=one.text.message_class,
            status=_words("status", one.status),
        )
    )
    if said.subject is not None:
        output.line(_say("preview_subject", subject=said.subject))
    output.line("")
    for line in text.split("\n"):
        output.line(f"  {line}".rstrip())
    output.line("")
    if said.subject is None:
        size = {"segments": said.segments, "encoding": said.encoding, "characters": len(text)}
        output.line(_say("preview_size", **size))
    output.line(_say("preview_elements", elements=", ".join(one.elements)))
    output.line(_say("preview_law", rules=", ".join(one.rules) or _say("none")))
    output.line(_say("preview_needs", facts=", ".join(one.facts) or _say("none")))
    output.line("")


def _tell(one: Difference) -> None:
    output.line(_say("diff_head", old=one.old, new=one.new))
    if one.is_empty:
        output.line(_say("diff_none"))
    for change in one.words:
        output.line(_say("diff_words", before=change.before, after=change.after))
    for key, before, after in one.about:
        output.line(_say("diff_about", key=key, before=before, after=after))
    nothing = _say("none")
    if one.elements_lost or one.elements_gained:
        lost, gained = ", ".join(one.elements_lost), ", ".join(one.elements_gained)
        output.line(_say("diff_elements", lost=lost or nothing, gained=gained or nothing))
    if one.variables_lost or one.variables_gained:
        lost, gained = ", ".join(one.variables_lost), ", ".join(one.variables_gained)
        output.line(_say("diff_variables", lost=lost or nothing, gained=gained or nothing))
    output.line(
        _say(
            "diff_segments",
            before=one.segments[0],
            after=one.segments[1],
            old_encoding=one.encodings[0],
            new_encoding=one.encodings[1],
        )
    )
