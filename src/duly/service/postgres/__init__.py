"""Where is the state? A PostgreSQL of our own under DULY_HOME, or a server by URL."""

from duly.service.postgres.backup import back_up, restore
from duly.service.postgres.place import Place, place_of
from duly.service.postgres.server import (
    Status,
    hold,
    opened,
    start,
    status,
    status_of_url,
    stop,
)

__all__ = [
    "Place",
    "Status",
    "back_up",
    "hold",
    "opened",
    "place_of",
    "restore",
    "start",
    "status",
    "status_of_url",
    "stop",
]
