"""Addresses: lists of networks that an operator names, who is behind trusted proxies, and what counts as one place.

Pure. Whatever a stranger writes into a header is believed only as far as a trusted proxy vouches for it: the list of
hops is read from its end, which our own proxy wrote, and no further than the first hop that is not a trusted proxy.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from anonrun.errors import UsageError

__all__ = ["Networks", "address_group", "client_address", "is_in", "networks"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

_MOST_HOPS = 32


@lru_cache(maxsize=64)
def networks(text: str, *, name: str) -> Networks:
    """Return the networks in a list that is separated by commas.

    Args:
        text: addresses such as `10.0.0.1`, and networks such as `10.0.0.0/8` or `2001:db8::/32`.
        name: of the setting, for the message.

    Raises:
        UsageError: one cannot be read; the message names it.
    """
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ipaddress.ip_network(part, strict=False))
        except ValueError:  # noqa: PERF203  read once, at the start
            hint = " Write 0.0.0.0/0,::/0 for every address." if part == "*" else ""
            raise UsageError(
                f"{name} has {part!r}, which is no address and no network; write 192.0.2.7, 10.0.0.0/8 or "
                f"2001:db8::/32, separated by commas.{hint}"
            ) from None
    return tuple(found)


def _parsed(text: str) -> Address | None:
    """Return the address that a hop names, with or without brackets, port and zone; None where it names none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # an IPv4 address and a port
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return found.ipv4_mapped
    return found


def is_in(address: str, where: Networks) -> bool:
    """Whether an address is in one of some networks."""
    found = _parsed(address)
    return found is not None and any(found in network for network in where)


def client_address(peer: str, hops: Iterable[str], trusted: Networks) -> str:
    """Return who asks.

    Args:
        peer: the address at the other end of the connection.
        hops: the values of X-Forwarded-For, in order; each may name several hops.
        trusted: proxies whose word counts.

    Example:
        >>> proxies = networks("10.0.0.0/8", name="x")
        >>> client_address("10.0.0.1", ["1.1.1.1, 198.51.100.7, 10.0.0.2"], proxies)
        '198.51.100.7'
        >>> client_address("203.0.113.5", ["198.51.100.7"], proxies)
        '203.0.113.5'
    """
    address = peer
    named = [hop for value in hops for hop in value.split(",")]
    for hop in reversed(named[-_MOST_HOPS:]):
        if not is_in(address, trusted):
            break
        found = _parsed(hop)
        if found is None:  # what our proxy passed on is no address: it counts as the proxy itself
            break
        address = str(found)
    return address


def address_group(address: str) -> str:
    """Return what counts as one place: an IPv4 address, or the /64 network of an IPv6 one.

    Example:
        >>> address_group("2001:db8:1:2:3:4:5:6")
        '2001:db8:1:2::/64'
    """
    found = _parsed(address)
    if found is None:
        return "unknown"
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)  # noqa: PLR2004  IPv6
