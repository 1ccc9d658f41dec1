"""Names of hosts in their canonical form: lower case, A-labels, no dot at the end."""

import re

from policies.addresses import read_ipv4, read_ipv6
from policies.readings import Unsafe, compose, decode_once, fold, has_surrogate

LONGEST_NAME = 253
LEVELS = 3

_METADATA = "169.254.169.254"

ALIASES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("localhost", "localhost.localdomain"), ("127.0.0.1", "::1")),
    **dict.fromkeys(("localhost4", "localhost4.localdomain4"), ("127.0.0.1",)),
    **dict.fromkeys(("localhost6", "localhost6.localdomain6", "ip6-localhost", "ip6-loopback"), ("::1",)),
    **dict.fromkeys(
        ("metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"), (_METADATA,)
    ),
}
"""Names that lead to one address everywhere."""

_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_ORDINARY = re.compile(r"(?!.*xn--)(?:[a-z0-9_-]{1,63}\.)*(?!0x)[a-z_][a-z0-9_-]{0,62}")
_DOTS = str.maketrans("\u3002\uff0e\uff61\u2024", "....")
_V6_LITERAL = ".ipv6-literal.net"


def is_plain(name: str) -> bool:
    """Whether a name of lower-case ASCII labels stands for itself alone."""
    special = "xn--" in name or name in ALIASES or name.endswith((".localhost", _V6_LITERAL))
    return len(name) <= LONGEST_NAME and not special


def read_name(host: str) -> list[str]:
    """The canonical names and addresses that a host, without port, may mean.

    Raises:
        Unsafe: it is no host, or no two readers would agree.
    """
    if host.startswith("["):
        return read_ipv6(decode_host(host[1:-1]))
    if ":" in host:
        return read_ipv6(host)
    host = decode_host(host)
    if has_surrogate(host):
        raise Unsafe("its host has half a character (a lone surrogate)")
    found: dict[str, None] = {}
    for mapped in _map(host):
        found.update(dict.fromkeys(_read_mapped(mapped)))
    return list(found)


def decode_host(host: str) -> str:
    """A host without percent encoding.

    Raises:
        Unsafe: it is encoded too often, or wrongly.
    """
    for _ in range(LEVELS):
        decoded = decode_once(host) if "%" in host else host
        if decoded == host:
            return host
        host = decoded
    raise Unsafe(f"its host is encoded more than {LEVELS} times")


def _map(host: str) -> list[str]:
    """IDNA as browsers do it, with and without the letters that its versions treat differently (ß, ς)."""
    if host.isascii():
        return [host.lower()]
    host = host.translate(_DOTS)
    return list(dict.fromkeys((fold(host).translate(_DOTS), compose(compose(host).lower()).translate(_DOTS))))


def _read_mapped(host: str) -> list[str]:
    host = host.removesuffix(".")
    if len(host) > LONGEST_NAME:
        raise Unsafe(f"its host is longer than {LONGEST_NAME} characters")
    if not _ORDINARY.fullmatch(host):
        address = read_ipv4(host)
        if address:
            return address
        host = ".".join(_label(label) for label in host.split("."))
        if len(host) > LONGEST_NAME:
            raise Unsafe(f"its host is longer than {LONGEST_NAME} characters")
    if host.endswith(_V6_LITERAL):
        return [host, *read_ipv6(host.removesuffix(_V6_LITERAL).replace("-", ":").replace("s", "%"))]
    if host.endswith(".localhost"):
        return [host, *ALIASES["localhost"]]
    return [host, *ALIASES.get(host, ())]


def _label(label: str) -> str:
    if not label:
        raise Unsafe("its host has an empty label")
    if label.startswith("xn--"):
        _check_punycode(label)
    if not label.isascii():
        if re.search(r"[\x00-\x2c/:-@\[-^`{-\x7f]", label) or any(char.isspace() for char in label):
            raise Unsafe("its host has characters that no name has")
        label = "xn--" + label.encode("punycode").decode()
    if not _LABEL.fullmatch(label):
        raise Unsafe("its host has characters that no name has, or a label of more than 63")
    return label


def _check_punycode(label: str) -> None:
    try:
        said = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        raise Unsafe("its host has a broken A-label (xn--)") from None
    if said.isascii() or compose(compose(said).lower()) != said:
        raise Unsafe("its host has an A-label (xn--) that no name encodes to")
