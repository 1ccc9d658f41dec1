"""Patterns of hosts: names, suffixes, addresses, networks, classes."""

import re
from ipaddress import ip_address, ip_network

from policies.addresses import CLASSES, HostClass, Network, parse_address
from policies.host_names import ALIASES, read_name
from policies.readings import Unsafe, has_control, has_invisible, has_surrogate

LONGEST_PATTERN = 300

_NUMERIC = re.compile(r"[0-9.]+|.*(?:\A|\.)0x[0-9a-f]*\.?", re.I)


class HostPattern:
    """Hosts: `example.com` (that one), `*.example.com` (those beneath it), `.example.com` (both).

    Also an address (`10.1.2.3`, `fd00::1`), a network (`10.0.0.0/8`, `fd00::/8`), a class (`loopback`,
    `private`, `link-local`, `metadata`, `internal`: all that is not public), and `*` (every host). A class's
    word with a dot at its end (`private.`) is the host of that name.

    Attributes:
        text: as written.
        every: whether it is every host.
        exact: the names and addresses meant.
        suffixes: what the names meant end in, each with a dot before it.
        networks: whose addresses are meant.
    """

    __slots__ = ("every", "exact", "networks", "suffixes", "text")

    def __init__(self, text: str, names: frozenset[str], networks: tuple[Network, ...], every: bool) -> None:
        """Use `parse`."""
        self.text = text
        self.every = every
        self.exact = frozenset(name for name in names if not name.startswith("."))
        self.suffixes = tuple(name for name in names if name.startswith("."))
        self.networks = networks

    @classmethod
    def parse(cls, text: str) -> "HostPattern":
        """Parse a pattern.

        Raises:
            ValueError: it is none, or can never match; the message says what to write.
        """
        complaint = _complaint(text)
        if complaint:
            raise ValueError(complaint)
        if text in CLASSES:
            found = CLASSES[text]
        else:
            found = HostClass((_network(text),), frozenset()) if "/" in text else HostClass((), _names(text))
        return cls(text, found.names, found.networks, text == "*")

    def holds(self, reading: str) -> bool:
        """Whether one of `read_host`'s readings lies within."""
        if self.every or reading in self.exact:
            return True
        if self.suffixes and reading.endswith(self.suffixes):
            return True
        if not self.networks:
            return False
        address = parse_address(reading)
        return address is not None and any(
            address.version == network.version and address in network for network in self.networks
        )


def _names(text: str) -> frozenset[str]:
    if text == "*":
        return frozenset()
    below, itself = text.startswith("*."), text.startswith(".")
    bare = text[2:] if below else text[1:] if itself else text
    if "*" in bare or "?" in bare:
        raise ValueError(f"{text!r}: a wildcard may only stand first, as in '*.example.com'")
    found = _canonical(text, bare)
    if below or itself:
        if any(parse_address(name) for name in found) and bare not in ALIASES:
            raise ValueError(f"{text!r}: nothing is beneath an address; write a network, like '10.0.0.0/8'")
        names = {"." + name for name in found if not parse_address(name)}
        return frozenset(names if below else names | set(found))
    return frozenset(found)


def _canonical(text: str, bare: str) -> list[str]:
    try:
        if ":" in bare:
            address = ip_address(bare)
            if address.version == 6 and address.ipv4_mapped:
                raise ValueError(
                    f"{text!r} is an IPv4 address in IPv6's notation; write '{address.ipv4_mapped}'"
                )
            return [str(address)]
        if _NUMERIC.fullmatch(bare):
            return [str(ip_address(bare))]
    except ValueError as error:
        said = str(error)
        plain = (
            "an address is four decimal numbers (10.1.2.3) or IPv6 without brackets, port and zone (fd00::1)"
        )
        raise ValueError(said if "notation" in said else f"{text!r} is no address; {plain}") from None
    try:
        return read_name(bare)
    except Unsafe as error:
        raise ValueError(f"{text!r} is no host pattern: {error}") from None


def _network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        if "host bits" in str(error):
            raise ValueError(
                f"{text!r} is an address within a network; write '{ip_network(text, strict=False)}'"
            ) from None
        raise ValueError(
            f"{text!r} is no network like '10.0.0.0/8' or 'fd00::/8'; of a URL, write the host alone"
        ) from None
    if network.version == 6 and network.prefixlen >= 96 and network[0].ipv4_mapped:
        plain = f"{network[0].ipv4_mapped}/{network.prefixlen - 96}"
        raise ValueError(f"{text!r} is an IPv4 network in IPv6's notation; write '{plain}'")
    return network


def _complaint(text: str) -> str:
    if not text.strip():
        return "an empty host pattern matches nothing anyone means; write '*' for every host"
    if len(text) > LONGEST_PATTERN:
        return f"a host pattern of {len(text)} characters; at most {LONGEST_PATTERN} are allowed"
    if text != text.strip() or " " in text:
        return f"{text!r} has white space; remove it"
    if has_control(text) or has_invisible(text) or has_surrogate(text):
        return f"{text!r} has characters that cannot be seen; write it without them"
    if "://" in text:
        return f"{text!r} is a URL; write its host alone"
    if "@" in text:
        return f"{text!r} has a user; write the host alone"
    if "%" in text:
        return f"{text!r} is encoded, or has a zone; write the host's own characters, without a zone"
    if re.search(r"[^:]:[0-9]*\Z", text) and text.count(":") == 1:
        return f"{text!r} has a port; write the host alone, it holds for every port"
    return ""
