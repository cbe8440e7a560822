"""Payments told while workers send at full speed: how long until each has cancelled its message."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg


class Payments:
    """Tells payments of people whose messages wait at the end of the line, one by one."""

    def __init__(self, url: str, count: int, messages: int) -> None:
        self._url, self._count, self._messages = url, count, messages
        self.waits: list[float] = []
        self._stop = threading.Event()

    def tell(self) -> None:
        """Tell each as `POST /events` does; its time runs until the message is seen cancelled."""
        from duly.service import setting_up

        with setting_up.using(self._url), psycopg.connect(self._url, autocommit=True) as ours:
            self._until_sending(ours)
            for n in range(self._messages, self._messages - self._count, -1):
                began = time.perf_counter()
                self._one(n)
                row = ours.execute(
                    "SELECT state, reason FROM store_message WHERE message_id = %s", (f"p-{n:08}",)
                ).fetchone()
                if row == ("cancelled", "payment"):
                    self.waits.append(time.perf_counter() - began)
                else:
                    return  # The line has come to its end: nobody sends any more.

    def _until_sending(self, ours: psycopg.Connection[Any]) -> None:
        while not ours.execute("SELECT 1 FROM store_attempt LIMIT 1").fetchone():
            time.sleep(0.05)

    def _one(self, n: int) -> None:
        from duly.service.operations.events import accept

        at = datetime(2026, 3, 10, 1, 59, tzinfo=UTC)
        accept([{
            "specversion": "1.0", "id": f"e{n}", "source": "/bench", "type": "payment.posted",
            "time": at.isoformat(), "data": {"payment_id": f"P{n}", "loan_id": f"p-l{n}",
            "paid_on": "2026-03-10", "amount": "10.00"},
        }], at=at + timedelta(seconds=30))  # fmt: skip
