"""`duly keys`: who may ask the API, for what, and how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from duly.cli import arguments, output, settings
from duly.cli.opening import opened_store
from duly.core.words import say

if TYPE_CHECKING:
    from duly.service.operations.keys import Made

Name = Annotated[str, arguments.worded("option.key_name")]
Days = Annotated[int, arguments.worded("option.key_days"), arguments.between(1, 366)]


def create(
    *,
    name: Name,
    scopes: Annotated[str, arguments.worded("option.scopes")],
    days: Days = 90,
    json: arguments.Json = False,
) -> int:
    """Make a key and show it, this once."""
    with opened_store():
        from duly.service.operations import keys

        listed = arguments.by_commas(scopes)
        made = keys.create(name, scopes=listed, days=days)
    return _show(made, json=json)


def rotate(
    name: Name,
    /,
    *,
    days: Days = 90,
    overlap_days: Annotated[
        int, arguments.worded("option.overlap_days"), arguments.between(0, 30)
    ] = 7,
    json: arguments.Json = False,
) -> int:
    """Make a name's next key; the present one stays valid for the overlap."""
    with opened_store():
        from duly.service.operations import keys

        made = keys.rotate(name, days=days, overlap_days=overlap_days)
    return _show(made, json=json)


def revoke(
    name: Name,
    /,
    *,
    prefix: Annotated[str | None, arguments.worded("option.key_prefix")] = None,
) -> int:
    """End a name's keys at once, or one of them."""
    with opened_store():
        from duly.service.operations import keys

        count = keys.revoke(name, prefix=prefix)
    output.line(say("service", "keys_revoked", settings.locale(), count=count, name=name))
    return output.DONE


def list_keys(*, json: arguments.Json = False) -> int:
    """List every key there ever was, without its secret."""
    with opened_store():
        from duly.service.operations import keys

        found = keys.listed()
    if json:
        output.as_json(
            [
                {"name": one.name, "prefix": one.prefix, "scopes": list(one.scopes),
                 "created_at": one.created_at.isoformat(), "expires_at": one.expires_at.isoformat(),
                 "revoked_at": one.revoked_at and one.revoked_at.isoformat(),
                 "used_at": one.used_at and one.used_at.isoformat(), "live": one.live}
                for one in found
            ]
        )  # fmt: skip
        return output.DONE
    locale = settings.locale()
    for one in found:
        state = say("service", "key_live" if one.live else "key_ended", locale)
        output.line(
            f"{one.name:<20} {one.prefix}  {state:<8} {one.expires_at:%Y-%m-%d}"
            f"  {','.join(one.scopes)}"
        )
    return output.DONE


def _show(made: Made, *, json: bool) -> int:
    if json:
        output.as_json(
            {"name": made.name, "prefix": made.prefix, "key": made.text,
             "scopes": list(made.scopes), "expires_at": made.expires_at.isoformat()}
        )  # fmt: skip
        return output.DONE
    locale = settings.locale()
    output.line(made.text)
    output.error(say("service", "key_once", locale, name=made.name,
                     until=f"{made.expires_at:%Y-%m-%d}"))  # fmt: skip
    return output.DONE
