"""Lookups find the very patterns that hold: what the index asks instead of asking each pattern."""

import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from policies.host_lookup import HostLookup
from policies.hosts import HostPattern, read_host
from policies.path_lookup import PathLookup
from policies.paths import PathPattern, read_path
from tests.policies.readings.cases import read_cases

NAMES = ("a", "b", "A", "ab", "etc", "bin", "usr", "home", "users", "root", "mnt", "c", ".env", "progra~1")
WILD = ("*", "a*", "?b", "**", "*.env")
ODD = ("..", ".", "a*", "[ab]", "{a,b}", "$X", "%2e%2e", "B.", "*", "**", "proc", "self", "cwd", "private")
ROOTS = ("/", "", "~/", "./", "C:\\", "c:/", "\\\\srv\\share\\", "//srv/share/", "../", "/mnt/c/", "file:///")
LABELS = ("a", "b", "example", "com", "internal", "local", "localhost", "metadata")
NETWORKS = ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "fd00::/8", "fd00:ec2::/32", "0.0.0.0/0", "::/0")
CLASSES = ("loopback", "private", "link-local", "metadata", "internal", "*")
ADDRESSES = (
    "10.1.2.3",
    "10.9.9.9",
    "0x7f.1",
    "169.254.169.254",
    "[fd00::1]",
    "[::ffff:10.1.2.3]",
    "2130706433",
)


def path_pattern(rng: random.Random) -> str:
    root = rng.choice(("/", "", "~/", "./", "C:\\", "\\\\srv\\share\\"))
    names = [rng.choice(NAMES if rng.random() < 0.7 else WILD) for _ in range(rng.randint(0, 4))]
    return (root + ("\\" if "\\" in root else "/").join(names)) or "."


def path(rng: random.Random) -> str:
    names = [rng.choice(NAMES if rng.random() < 0.7 else ODD) for _ in range(rng.randint(0, 5))]
    return rng.choice(ROOTS) + "/".join(names)


def host_pattern(rng: random.Random) -> str:
    name = ".".join(rng.choice(LABELS) for _ in range(rng.randint(1, 3)))
    plain = ("10.1.2.3", "fd00::1", name, f"*.{name}", f".{name}")
    return rng.choice(plain if rng.random() < 0.9 else (*NETWORKS, *CLASSES))


def host(rng: random.Random) -> str:
    name = ".".join(rng.choice(LABELS) for _ in range(rng.randint(1, 4)))
    return f"http://{rng.choice((name, name, f'{name}.', name.upper(), rng.choice(ADDRESSES)))}/x"


def parsed(texts: Iterable[str], parse: Callable[[str], Any]) -> list[Any]:
    found = []
    for text in dict.fromkeys(texts):
        try:
            found.append(parse(text))
        except ValueError:
            continue
    return found


@pytest.mark.parametrize(
    ("kind", "parse", "read", "lookup", "pattern", "value"),
    [
        ("paths", PathPattern.parse, read_path, PathLookup, path_pattern, path),
        ("hosts", HostPattern.parse, read_host, HostLookup, host_pattern, host),
    ],
)
def test_a_lookup_finds_what_holds_and_nothing_else(
    kind: str, parse: Any, read: Any, lookup: Any, pattern: Any, value: Any
) -> None:
    rng = random.Random(kind)
    known = read_cases(f"{kind}.yaml")
    patterns = parsed([*(c.pattern for c in known), *(pattern(rng) for _ in range(400))], parse)
    texts = [*(c.text for c in known), *(value(rng) for _ in range(1_000))]
    readings = {reading for text in texts for reading in read(text).values}
    assert len(patterns) > 150 and len(readings) > 500
    found, held = lookup(patterns), 0
    for reading in readings:
        expected = {i for i, one in enumerate(patterns) if one.holds(reading)}
        assert found.holding(reading) == expected, reading
        held += len(expected)
    assert held > len(readings)
