"""Where events may be posted: public hosts by https, and networks that were allowed by name.

Asked when an endpoint is added and at every connection, of the very address that is connected to: a
name that leads elsewhere later leads nowhere.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_URL_MAX = 2000
_PORT_MAX = 65_535


class NoPlace(ValueError):
    """Nothing is posted there; the text says why, for the owner of the endpoint."""


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks that a setting allows; refuse (ValueError) a text that names none.

    >>> [str(one) for one in networks("127.0.0.0/8, 10.1.0.0/16")]
    ['127.0.0.0/8', '10.1.0.0/16']
    """
    return tuple(ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip())


def check_url(url: str, allowed: Sequence[Network]) -> None:
    """Refuse (NoPlace) a URL that is not of the form of an endpoint's.

    Plain http is for loopback alone, and only where its network is allowed.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise NoPlace("not a URL") from None
    if len(url) > _URL_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise NoPlace("not a URL")
    if parts.scheme not in ("https", "http") or not host or port == 0:
        raise NoPlace("not https")
    if "@" in parts.netloc or parts.fragment:
        raise NoPlace("a name, a password or a fragment in it")
    address = _literal(host)
    if address is not None:
        check_address(str(address), allowed)
    if parts.scheme == "http" and not (
        address is not None and address.is_loopback and _within(address, allowed)
    ):
        raise NoPlace("not https")


def check_address(address: str, allowed: Sequence[Network]) -> None:
    """Refuse (NoPlace) an address that is not public and of no allowed network."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is not None:
            check_address(str(inner), allowed)
            return
    if _within(found, allowed):
        return
    if not found.is_global or found.is_multicast or found.is_reserved:
        raise NoPlace("not a public address")


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is, however it is written, None of a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        # 127.1, 0x7f000001 and 2130706433 are addresses to a resolver.
        return ipaddress.ip_address(socket.inet_aton(host))
    except OSError:
        return None


def _within(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, allowed: Sequence[Network]
) -> bool:
    return any(address.version == one.version and address in one for one in allowed)
