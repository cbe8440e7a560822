"""`duly policy`: is what the lender wants well said?"""

from __future__ import annotations

from typing import Annotated

from duly.cli import arguments, output, settings
from duly.core.words import say


def check(
    name: Annotated[str, arguments.worded("option.policy")],
    /,
    *,
    json: arguments.Json = False,
) -> int:
    """Check a policy file or a built-in policy."""
    from duly import book, policy
    from duly.messages import load_templates

    locale = settings.locale()
    texts = load_templates(book.load_lender(settings.lender_file(None)).templates)
    found = policy.check(name, templates=texts.names, demands=texts.demands)
    errors = [item for item in found if item.severity == "error"]
    if json:
        output.as_json(
            [
                {
                    "file": item.file,
                    "line": item.line,
                    "column": item.column,
                    "code": item.code,
                    "severity": item.severity,
                    "message": item.sentence(locale),
                    "hint": item.hint(locale),
                }
                for item in found
            ]
        )
    else:
        output.diagnostics(found, locale)
    if errors:
        unread = any(item.code == "unreadable" for item in errors)
        return output.REFUSED if unread else output.FOUND_WRONG
    if not json:
        sound = policy.load(name)
        output.line(
            say("cli", "policy_sound", locale, name=sound.name, version=sound.version,
                treatments=len(sound.treatments), sha256=sound.fingerprint)
        )  # fmt: skip
    return output.DONE
