"""A worker process that sends by one HTTP route: `paced_worker.py URL PORT PER_SECOND`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from duly.service import setting_up

setting_up.prepare()

from outgoing import AT  # noqa: E402 Models need Django's settings first.

from duly.book import Lender, Route  # noqa: E402
from duly.service.outbox.worker import Worker  # noqa: E402


def main() -> None:
    """Work to the end."""
    url, port, per_second = sys.argv[1:]
    route = Route(
        name="box", channel="sms", kind="http",
        settings={"url": f"http://127.0.0.1:{port}/send", "secret_env": "SECRET", "window": 5,
                  "per_second": int(per_second)},
    )  # fmt: skip
    lender = Lender(
        name="示例消费金融有限公司",
        signature="示例消金",
        hotline="95xxx",
        app="App",
        routes=(route,),
    )
    # Small claims, so that neither takes all.
    asyncio.run(Worker(url, lender, now=lambda: AT, batch=5).run(once=True))


if __name__ == "__main__":
    main()
