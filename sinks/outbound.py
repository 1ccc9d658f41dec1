"""Which addresses may be spoken to: names are resolved once, and what was checked is connected to.

Link-local addresses (169.254.0.0/16, fe80::/10: the metadata services of clouds), multicast, unspecified and
reserved ones are never spoken to. With a list of what is allowed, nothing else is. What is checked is the
address that is connected to, so that a name which answers differently a second later changes nothing.
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from runtime.errors import PraetorError, Unavailable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

METADATA = frozenset({ip_address("fd00:ec2::254"), ip_address("100.100.100.200"), ip_address("192.0.0.192")})
"""Metadata services outside of the link-local ranges: AWS (IPv6), Alibaba Cloud, Oracle Cloud (legacy)."""


class Allowed:
    """Names (with those below them, where they begin with a point) and networks that may be spoken to."""

    def __init__(self, entries: Sequence[str] = ()) -> None:
        """Take `10.0.0.0/8`, `siem.example`, `.example`; none: whatever is not refused anyway.

        Raises:
            PraetorError: an entry that looks like a network is none.
        """
        self.everything = not entries
        self._names: set[str] = set()
        self._suffixes: list[str] = []
        self._networks: list[Network] = []
        for entry in entries:
            self._take(entry.strip().lower().rstrip("."))

    def _take(self, entry: str) -> None:
        if "/" in entry or ":" in entry or entry.replace(".", "").isdigit():
            try:
                self._networks.append(ip_network(entry))
            except ValueError as error:
                raise PraetorError(f"outbound_allow: {entry!r} is no network: {error}") from error
        elif entry.startswith("."):
            self._suffixes.append(entry)
        else:
            self._names.add(entry)

    def check(self, host: str, address: str) -> None:
        """See that a host may be spoken to at an address.

        Raises:
            PraetorError: it may not; the message says why and what to do.
        """
        known = ip_address(address.partition("%")[0])
        found = getattr(known, "ipv4_mapped", None) or known
        if why := _never(found):
            raise PraetorError(f"{host} is at {address}, {why}: nothing is ever sent there")
        name = host.lower().rstrip(".")
        if self.everything or name in self._names or any(name.endswith(s) for s in self._suffixes):
            return
        if not any(found in network for network in self._networks):
            raise PraetorError(
                f"{host} ({address}) is not among the addresses that may be spoken to: add it to "
                "PRAETOR_OUTBOUND_ALLOW, or name another destination"
            )


def _never(address: Address) -> str:
    if address in METADATA or address.is_link_local:
        return "which is link-local or a metadata service"
    if address.is_multicast:
        return "which is multicast"
    if address.is_unspecified or (address.is_reserved and not address.is_loopback):
        return "which is no host's address"
    return ""


async def resolve(host: str, port: int, allowed: Allowed) -> list[str]:
    """The addresses of a host, each checked, in the system's order.

    Raises:
        Unavailable: the name has no address now.
        PraetorError: one of them may not be spoken to.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise Unavailable(f"{host} has no address: {error}") from error
    addresses = _distinct(str(sockaddr[0]) for *_, sockaddr in found)
    for address in addresses:
        allowed.check(host, address)
    return addresses


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
