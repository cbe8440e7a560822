"""`duly serve`: the API over HTTP."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated

from duly.cli import arguments, output, settings
from duly.cli.opening import store
from duly.cli.served import AT, LENDER, URL, told
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

_PORT_MAX, _WORKERS_MAX = 65_535, 64
_THREADS = 8  #: requests that one process answers at once
_GRACE_SECONDS = 30  #: how long what is being answered is waited for at the end


def serve(
    *,
    host: Annotated[str, arguments.worded("option.host")] = "127.0.0.1",
    port: Annotated[int, arguments.worded("option.port"), arguments.between(1, _PORT_MAX)] = 8000,
    workers: Annotated[
        int, arguments.worded("option.workers"), arguments.between(1, _WORKERS_MAX)
    ] = 1,
    at: Annotated[str | None, arguments.worded("option.at_legal")] = None,
    lender: arguments.LenderFile = None,
) -> int:
    """Answer the API until stopped; what is being answered at the stop is answered."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    from duly.service import postgres

    if at is not None:
        arguments.instant(at)
    file = settings.lender_file(lender)
    _may_listen(host, port)
    with postgres.opened(settings.home(), settings.database_url()) as url:
        # What would refuse in every process is refused here, once and before anybody listens.
        with store(url):
            told(file, at)
        os.environ[URL] = url
        os.environ[AT] = at or ""
        os.environ[LENDER] = "" if file is None else str(Path(file).absolute())
        server = Server(
            "duly.cli.served:application", address=host, port=port, interface=Interfaces.WSGI,
            workers=workers, blocking_threads=_THREADS, factory=True, websockets=False,
            log_level=LogLevels.error, respawn_failed_workers=True,
            workers_kill_timeout=_GRACE_SECONDS,
        )  # fmt: skip
        output.line(say("service", "serving", settings.locale(), host=host, port=port))
        output.flush()
        server.serve()
    return output.DONE


def _may_listen(host: str, port: int) -> None:
    """Refuse an address that is taken, or not ours."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
    except OSError as error:
        values = {"host": host, "port": port, "why": error.strerror or str(error)}
        raise Refused(Diagnostic(area="service", code="cannot_listen", values=values)) from None
