"""Who asks too often: counted by a mark of the address or the code, never by the thing itself."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest

from duly.service.api.serving import present
from duly.service.operations.metering import count

#: Questions about texts: from one address a minute, about one code an hour.
ADDRESS_A_MINUTE, CODE_AN_HOUR = 20, 10
MINUTE, HOUR, DAY = 60, 3600, 86_400
_HOUSEHOLD_BITS = 64


def is_too_often(kind: str, subject: str, most: int, seconds: int) -> bool:
    """Count a question; return whether there were too many. Who asks is kept as a mark alone."""
    mark = present().signer.sign(kind, subject.encode()).hex()
    return count(kind, mark, seconds=seconds) > most


def address_of(request: HttpRequest) -> str:
    """Return who asks: the last address that a proxy of ours names, else the caller's own."""
    caller: str = request.META.get("REMOTE_ADDR", "")
    told = request.headers.get("X-Forwarded-For", "")
    if caller in present().proxies and told:
        caller = told.rpartition(",")[2].strip()[:64]
    return household(caller)


def household(address: str) -> str:
    """Return who an address stands for: of IPv6 the network, since its owner has all of it.

    >>> household("2001:db8:1:2:3:4:5:6"), household("192.0.2.7")
    ('2001:db8:1:2::/64', '192.0.2.7')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, _HOUSEHOLD_BITS), strict=False))
    return address
