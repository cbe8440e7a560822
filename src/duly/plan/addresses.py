"""When are two addresses the same? However a number or an e-mail address is written."""

from __future__ import annotations

from collections.abc import Mapping


def key_sql(column: str) -> str:
    """Return SQL of what is equal for equal addresses.

    A number is its digits, the country code of mainland China (86, 0086, +86) taken off where
    eleven digits remain; an e-mail address is read without regard to capitals.
    """
    digits = f"regexp_replace({column}, '[^0-9]', '', 'g')"
    number = f"regexp_replace({digits}, '^(?:00)?86([0-9]{{11}})$', '\\1')"
    return f"case when contains({column}, '@') then lower(trim({column})) else {number} end"


def keys() -> Mapping[str, str]:
    """Return the holes of the stages: the key of a contact point, and of one known to be wrong."""
    return {"address_key": key_sql("c.address"), "address_key_known": key_sql("w.address")}
