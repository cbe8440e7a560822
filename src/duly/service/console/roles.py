"""Which role may do what: a table in data, asked by one function."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from duly.service.store.staff_models import ROLES


@cache
def permissions() -> dict[str, frozenset[str]]:
    """Return every permission with the roles that have it."""
    source = resources.files("duly.service.console").joinpath("roles.toml")
    table = tomllib.loads(source.read_text(encoding="utf-8"))["may"]
    found = {name: frozenset(roles) for name, roles in table.items()}
    unknown = {role for roles in found.values() for role in roles} - set(ROLES)
    assert not unknown, f"roles.toml names {unknown}"
    return found


def may(role: str, permission: str) -> bool:
    """Return whether a role may do something; what no row names is refused loudly."""
    return role in permissions()[permission]
