"""The guide's examples are true."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.hosts import HostPattern, host_inside, host_touches
from policies.paths import PathPattern, path_inside, path_touches

GUIDE = (Path(__file__).parents[3] / "docs/policies/paths-and-hosts.md").read_text("utf-8")
EXAMPLES = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| (yes|no) \| (yes|no) \|", GUIDE, re.M)


def section(title: str) -> str:
    return GUIDE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_guide_has_examples() -> None:
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize(("text", "pattern", "restricts", "allows"), EXAMPLES)
def test_an_example_is_true(text: str, pattern: str, restricts: str, allows: str) -> None:
    touched, allowed = (host_touches, host_inside) if text.startswith("http") else (path_touches, path_inside)
    assert touched(text, pattern) is (restricts == "yes")
    assert allowed(text, pattern) is (allows == "yes")


@pytest.mark.parametrize(("kind", "parse"), [("paths", PathPattern.parse), ("hosts", HostPattern.parse)])
def test_every_pattern_shown_is_one(kind: str, parse: Callable[[str], object]) -> None:
    cells = re.findall(r"^\| (`.*?`) \|", section(f"Patterns of {kind}"), re.M)
    shown = [text for cell in cells for text in re.findall(r"`([^`]+)`", cell)]
    assert len(shown) >= 10
    for text in shown:
        parse(text)
