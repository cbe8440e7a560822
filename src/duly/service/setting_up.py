"""Tell Django where the database is; done once a process, before anything asks the store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.apps import apps
from django.db import connections
from psycopg.conninfo import conninfo_to_dict

_CONNECT_SECONDS = 10


def prepare() -> None:
    """Let Django read its settings; models may be imported afterwards."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "duly.service.django_settings")
    if not apps.ready:
        django.setup()


def set_up(url: str) -> None:
    """Let this process use the database of a URL."""
    prepare()
    connections.close_all()
    connections["default"].settings_dict.update(database_settings(url))


@contextmanager
def using(url: str) -> Iterator[None]:
    """Let this process use another database meanwhile."""
    kept = dict(connections["default"].settings_dict)
    set_up(url)
    try:
        yield
    finally:
        connections.close_all()
        connections["default"].settings_dict.update(kept)


def database_settings(url: str) -> dict[str, Any]:
    """Return Django's settings of a PostgreSQL URL."""
    parts = {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    return {
        "NAME": parts.pop("dbname", "duly"),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "OPTIONS": {"connect_timeout": _CONNECT_SECONDS, **parts},
    }


def close() -> None:
    """Close this process's connections."""
    connections.close_all()
