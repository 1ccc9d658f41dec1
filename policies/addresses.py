"""Addresses in whatever notation software takes them, and the classes of addresses that have a name."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from policies.readings import Unsafe

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_OCTAL = re.compile(r"0[0-7]+")
_LIKE_ADDRESS = re.compile(r"[0-9.]+|.*:.*")


def read_ipv4(host: str) -> list[str]:
    """The addresses that a name which ends in a number may mean; none where it does not end in one.

    As `inet_aton` and the WHATWG URL standard read it: one to four parts, decimal, octal (`0177`) or
    hexadecimal (`0x7f`), the last filling what remains. A part with a leading zero is also read as decimal,
    as many libraries do.

    Raises:
        Unsafe: it ends in a number, but is no address.
    """
    parts = host.split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return []
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        raise Unsafe("its host ends in a number but is no address")
    found = (_join([_value(part, octal) for part in parts]) for octal in (True, False))
    values = list(dict.fromkeys(value for value in found if value))
    if not values:
        raise Unsafe("its host is a number beyond all addresses")
    return [*values, "127.0.0.1"] if "0.0.0.0" in values else values  # noqa: S104  (connects to this machine)


def _value(part: str, octal: bool) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if octal and _OCTAL.fullmatch(part) else int(part)


def _join(values: list[int]) -> str:
    *firsts, last = values
    if any(value > 255 for value in firsts) or last >= 256 ** (4 - len(firsts)):
        return ""
    return str(IPv4Address(sum(value << 8 * (3 - i) for i, value in enumerate(firsts)) + last))


def read_ipv6(host: str) -> list[str]:
    """An IPv6 address and those IPv4 addresses that it stands for; its zone is passed over.

    An IPv4-mapped one (`::ffff:a.b.c.d`) is that IPv4 address and nothing else, as sockets take it.

    Raises:
        Unsafe: it is none.
    """
    try:
        address = IPv6Address(host.partition("%")[0])
    except ValueError:
        raise Unsafe("its host is no IPv6 address") from None
    if address.ipv4_mapped:
        mapped = str(address.ipv4_mapped)
        return [mapped, "127.0.0.1"] if mapped == "0.0.0.0" else [mapped]  # noqa: S104
    found = [str(address), *map(str, _embedded(address))]
    return [*found, "::1"] if address == IPv6Address("::") else list(dict.fromkeys(found))


def _embedded(address: IPv6Address) -> list[IPv4Address]:
    """6to4, Teredo, NAT64, SIIT, ISATAP, and the old compatible form."""
    number = int(address)
    low = IPv4Address(number & 0xFFFFFFFF)
    found = [address.sixtofour] if address.sixtofour else []
    found += address.teredo or ()
    compatible = number >> 32 == 0 and number > 0xFFFF
    nat64 = number >> 32 == 0x64FF9B << 64 or number >> 80 == 0x64FF9B0001
    siit = number >> 32 == 0xFFFF0000
    isatap = number >> 32 & 0xFDFFFFFF == 0x5EFE
    return [*found, low] if compatible or nat64 or siit or isatap else found


def parse_address(reading: str) -> Address | None:
    """The address that a reading is, if it is one."""
    return ip_address(reading) if _LIKE_ADDRESS.fullmatch(reading) else None


class HostClass(NamedTuple):
    """Networks and names under one word; a name that begins with a dot is a suffix."""

    networks: tuple[Network, ...]
    names: frozenset[str]


def _class(networks: str, names: str = "") -> HostClass:
    return HostClass(tuple(map(ip_network, networks.split())), frozenset(names.split()))


LOOPBACK_NAMES = "localhost .localhost localhost.localdomain localhost4 localhost6 ip6-localhost ip6-loopback"
METADATA_NAMES = "metadata metadata.google.internal metadata.goog instance-data instance-data.ec2.internal"

_LOOPBACK = _class("127.0.0.0/8 0.0.0.0/32 ::1/128 ::/128", LOOPBACK_NAMES)
_PRIVATE = _class(
    "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7 fec0::/10",
    ".internal .local .lan .home.arpa .localdomain",
)
_LINK_LOCAL = _class("169.254.0.0/16 fe80::/10")
_METADATA = _class(
    "169.254.169.254/32 169.254.170.2/32 169.254.170.23/32 169.254.0.23/32 100.100.100.200/32 192.0.0.192/32 "
    "168.63.129.16/32 fd00:ec2::254/128 fd00:ec2::23/128 fd20:ce::254/128",
    METADATA_NAMES + " metadata.tencentyun.com metadata.packet.net metadata.platformequinix.com",
)
_RESERVED = _class(
    "0.0.0.0/8 192.0.0.0/24 192.0.2.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 "
    "240.0.0.0/4 ff00::/8 2001:db8::/32 100::/64"
)
_PARTS = (_LOOPBACK, _PRIVATE, _LINK_LOCAL, _METADATA, _RESERVED)

CLASSES = {
    "loopback": _LOOPBACK,
    "private": _PRIVATE,
    "link-local": _LINK_LOCAL,
    "metadata": _METADATA,
    "internal": HostClass(
        tuple(network for part in _PARTS for network in part.networks),
        frozenset(name for part in _PARTS for name in part.names),
    ),
}
"""`internal` is all the others and what IANA reserves: every host that is not public."""
