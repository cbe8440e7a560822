"""A worker that dies where a refusal is known and not yet written: `refused_worker.py URL PORT`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from duly.service import setting_up

setting_up.prepare()

from outgoing import AT  # noqa: E402 Models need Django's settings first.

from duly.book import Lender, Route  # noqa: E402
from duly.service.outbox import worker as working  # noqa: E402


def smpp(name: str, port: int, **settings: object) -> Route:
    """Return a route to a center of this machine."""
    given = {"host": "127.0.0.1", "port": port, "system_id": "duly", "source": "1069000000",
             "password_env": "DULY_SMPP_PASSWORD", "window": 10, **settings}  # fmt: skip
    return Route(name=name, channel="sms", kind="smpp", settings=given)


def lender(*routes: Route) -> Lender:
    return Lender(
        name="示例消费金融有限公司", signature="示例消金", hotline="95xxx", app="App", routes=routes
    )


def main() -> None:
    """Send, hear the refusal, and die."""

    def dies(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    url, port = sys.argv[1:]
    working.write_answers = dies  # type: ignore[assignment]
    file = lender(smpp("one", int(port), back_off="1s"))
    asyncio.run(working.Worker(url, file, now=lambda: AT).run(once=True))


if __name__ == "__main__":
    main()
