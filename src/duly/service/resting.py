"""A pause between rounds that a graceful stop cuts short."""

from __future__ import annotations

import asyncio


async def rest(stopping: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until the stop."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
