"""`duly staff`: who of the lender may sign in to the console, as what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from duly import book as books
from duly.cli import arguments, output, settings
from duly.cli.endpoints import secrets
from duly.cli.opening import opened_store
from duly.core.words import say

if TYPE_CHECKING:
    from duly.service.operations.staff import Given

Name = Annotated[str, arguments.worded("option.staff_name")]


def add(
    name: Name,
    /,
    *,
    role: Annotated[str, arguments.worded("option.staff_role")],
    lender: arguments.LenderFile = None,
    json: arguments.Json = False,
) -> int:
    """Let a person sign in, and show what he signs in with, this once."""
    issuer = books.load_lender(lender).app
    with opened_store():
        from duly.service.operations import staff

        given = staff.add(name, role=role, keys=secrets())
    return _show(given, issuer, json=json)


def reset(
    name: Name, /, *, lender: arguments.LenderFile = None, json: arguments.Json = False
) -> int:
    """Give a person another password and second factor; his sessions end."""
    issuer = books.load_lender(lender).app
    with opened_store():
        from duly.service.operations import staff

        given = staff.reset(name, keys=secrets())
    return _show(given, issuer, json=json)


def disable(name: Name, /) -> int:
    """Let a person sign in no more; his sessions end."""
    with opened_store():
        from duly.service.operations import staff

        count = staff.disable(name)
    output.line(say("service", "staff_disabled", settings.locale(), name=name, count=count))
    return output.DONE


def list_staff(*, json: arguments.Json = False) -> int:
    """List everybody who was ever let in."""
    with opened_store():
        from duly.service.operations import staff

        found = staff.listed()
    if json:
        output.as_json([output.plain(row) for row in found])
        return output.DONE
    locale = settings.locale()
    for row in found:
        state = "ended" if row["disabled_at"] else "locked" if row["locked"] else "open"
        last = f"{row['signed_in_at']:%Y-%m-%d %H:%M}" if row["signed_in_at"] else "-"
        what, role = (
            say("service", f"staff_{state}", locale),
            say("console", f"role.{row['role']}", locale),
        )
        output.line(f"{row['name']:<24} {role:<12} {what:<10} {last}")
    if not found:
        output.line(say("service", "staff_none", locale))
    return output.DONE


def _show(given: Given, issuer: str, *, json: bool) -> int:
    from duly.service.operations.one_time import address_of

    address = address_of(given.secret, name=given.name, issuer=issuer)
    if json:
        output.as_json(
            {"name": given.name, "role": given.role, "password": given.password,
             "authenticator": address, "recovery": list(given.recovery)}
        )  # fmt: skip
        return output.DONE
    locale = settings.locale()
    output.line(f"{say('console', 'sign_in.name', locale)}: {given.name}")
    output.line(f"{say('console', 'sign_in.password', locale)}: {given.password}")
    output.line(f"{say('service', 'staff_authenticator', locale)}: {address}")
    output.line(f"{say('service', 'staff_recovery', locale)}: {' '.join(given.recovery)}")
    output.error(say("service", "staff_once", locale, name=given.name))
    return output.DONE
