"""The connection by which a worker sends: it asks by keys, many at a time."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.abc import Buffer, DumperKey, PyFormat
from psycopg.types.array import ListDumper
from psycopg.types.json import set_json_loads
from pydantic_core import from_json

#: A worker asks by keys alone. Before the server has counted a table that fills for the first time
#: it would read the whole of it for each, and for each row that names one of it.
_BY_KEY = "SELECT set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false)"
_BETWEEN = "\x00"  #: no text of the database holds it
_STR = frozenset({str})


class _Texts(ListDumper):
    """Writes a list of texts at once; any other list as the driver does, item by item.

    As the driver's own it says no type: the statement does.
    """

    def get_key(self, obj: list[Any], format: PyFormat) -> DumperKey:  # noqa: A002 As the driver has it.
        """Return the same key for every list of texts."""
        return self.cls if set(map(type, obj)) == _STR else super().get_key(obj, format)

    def dump(self, obj: list[Any]) -> Buffer | None:
        """Return the array's text; refuse (DataError) what no text of the database can hold."""
        if self.sub_dumper is not None or set(map(type, obj)) != _STR:
            return super().dump(obj)
        joined = _BETWEEN.join(obj)
        if joined.count(_BETWEEN) != len(obj) - 1:
            raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
        quoted = joined.replace("\\", "\\\\").replace('"', '\\"').replace(_BETWEEN, '","')
        return f'{{"{quoted}"}}'.encode()


def connect(url: str) -> psycopg.Connection[Any]:
    """Return a connection of a worker; each statement is its own transaction unless one is open."""
    connection = psycopg.connect(url, autocommit=True, application_name="duly worker")
    connection.execute(_BY_KEY)
    set_json_loads(from_json, connection)  # Facts are long, and each message has them.
    connection.adapters.register_dumper(list, _Texts)
    return connection
