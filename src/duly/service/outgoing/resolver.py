"""Names become addresses that may be connected to, and no others."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from duly.service.outgoing.places import Network, NoPlace, check_address


class CheckedResolver(AbstractResolver):
    """Refuse a name one of whose addresses is not allowed: what was checked is what is used."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = tuple(allowed)
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name; refuse (OSError) one that leads inside."""
        found = await self._inner.resolve(host, port, family)
        for one in found:
            try:
                check_address(one["host"], self._allowed)
            except NoPlace as error:
                raise OSError(str(error)) from error
        return found

    async def close(self) -> None:
        """Hold nothing."""
        await self._inner.close()
