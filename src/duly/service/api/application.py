"""The WSGI application of one serving process."""

from __future__ import annotations

import logging
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from duly.service import setting_up
from duly.service.api import serving

_POOL_MAX = 16  #: connections of one process; a request waits this many seconds for one at most
_WAIT_SECONDS = 10
#: A pool tries a connection again at growing distances; after this long the next request begins
#: anew, so that a database that is back is not waited for.
_RETRY_SECONDS = 2


def make_application(url: str, told: serving.Serving) -> Any:
    """Return the application over a database; call it once a process."""
    setting_up.set_up(url)
    settings = connections["default"].settings_dict
    pool = {
        "min_size": 1,
        "max_size": _POOL_MAX,
        "timeout": _WAIT_SECONDS,
        "reconnect_timeout": _RETRY_SECONDS,
    }
    # A database that was away is back without a refusal: each connection is tried first.
    settings["CONN_HEALTH_CHECKS"] = True
    settings["OPTIONS"] = {**settings["OPTIONS"], "pool": pool}
    serving.begin(told)
    # The framework writes the address of every refusal, and an address names a loan.
    for name in ("django.request", "django.security"):
        logging.getLogger(name).disabled = True
    return WSGIHandler()
