"""Host matching: the case file, and what holds for every text."""

import re
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.hosts import HostPattern, host_inside, host_touches, read_host
from policies.readings import MOST
from tests.policies.readings.cases import Case, read_cases

CASES = read_cases("hosts.yaml")

PIECES = st.sampled_from(
    [
        *"http:// https: // / \\ \\\\ : :80 @ # ? . .. , ; [ ] ::1 ::ffff: 127 0x7f 0177 1 0 ".split(),
        *"127.0.0.1 2130706433 % %2e %2f %40 %00 %ff %25 good.com evil com localhost xn--".split(),
        *"- _ c$ SSL < >".split(),
        *"xn--bcher-kva file: git@ mailto: data: .internal .ipv6-literal.net ü ß ς İ ﬁ ℀ 。 ②".split(),
        *'\uff0e\uff20\uff0f\u200b\u00ad\u202e\ud800\t\n \0"',
    ]
)
TEXTS = st.lists(PIECES, max_size=10).map("".join) | st.text(max_size=40)
PATTERNS = st.sampled_from(sorted({case.pattern for case in CASES}))


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 250


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.text!a}-{case.pattern!a}")
def test_case(case: Case) -> None:
    assert host_touches(case.text, case.pattern) is case.touched, case.why
    assert host_inside(case.text, case.pattern) is case.allowed, case.why


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_a_reading_reads_as_itself(text: str) -> None:
    readings = read_host(text)
    assert len(set(readings.values)) == len(readings.values) <= MOST
    assert not (readings.values and readings.unreadable)
    for value in readings.values:
        assert value in read_host(value).values
        assert value in read_host(f"https://{f'[{value}]' if ':' in value else value}/").values


@settings(max_examples=600, deadline=None)
@given(TEXTS, PATTERNS)
def test_what_is_allowed_is_also_touched(text: str, pattern: str) -> None:
    assert host_touches(text, pattern) or not host_inside(text, pattern)
    if host_inside(text, pattern):
        assert host_inside(text, "*")


@given(st.integers(0, 2**32 - 1), st.sampled_from(["{}", "{:#x}", "{:#X}"]))
def test_an_address_is_itself_in_every_notation(number: int, notation: str) -> None:
    address = str(IPv4Address(number))
    assert address in read_host(f"http://{notation.format(number)}/").values
    a, b, c, d = address.split(".")
    assert address in read_host(f"http://0{int(a):o}.{int(b):#x}.{int(c) * 256 + int(d)}:80/x").values
    assert read_host(f"http://[::ffff:{address}]/").values == read_host(f"http://{address}/").values


@given(st.integers(0, 2**128 - 1))
def test_an_ipv6_address_is_itself_in_full(number: int) -> None:
    address = IPv6Address(number)
    assert read_host(f"http://[{address.exploded.upper()}]:1/") == read_host(f"[{address}]")
    assert read_host(f"[{address}]").values[0] in read_host(str(address)).values


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30) | st.lists(PIECES, max_size=4).map("".join))
def test_a_pattern_is_refused_in_words_or_holds_itself(text: str) -> None:
    try:
        pattern = HostPattern.parse(text)
    except ValueError as error:
        assert str(error)
        return
    assert pattern.text == text
    for reading in read_host(f"http://{text}/").values:
        assert (
            pattern.holds(reading)
            or text.startswith((".", "*"))
            or len(read_host(f"http://{text}/").values) > 1
        )


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("", "write '*'"),
        (" example.com", "white space"),
        ("https://example.com", "host alone"),
        ("example.com/path", "host alone"),
        ("example.com:443", "every port"),
        ("me@example.com", "a user"),
        ("exa%6dple.com", "encoded"),
        ("fe80::1%eth0", "zone"),
        ("exam*.com", "stand first"),
        ("*", ""),
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("10.0.0", "four decimal numbers"),
        ("010.0.0.1", "four decimal numbers"),
        ("2130706433", "four decimal numbers"),
        ("[::1]", "without brackets"),
        ("::ffff:10.0.0.1", "'10.0.0.1'"),
        ("::ffff:10.0.0.0/104", "'10.0.0.0/8'"),
        ("*.10.0.0.1", "beneath an address"),
        ("example..com", "empty label"),
        ("exa mple.com", "white space"),
        ("example\u200b.com", "cannot be seen"),
        ("a" * 64 + ".com", "63"),
        ("a." * 151, "at most 300"),
    ],
)
def test_a_pattern_that_is_none_is_refused_with_advice(pattern: str, advice: str) -> None:
    if not advice:
        HostPattern.parse(pattern)
        return
    with pytest.raises(ValueError, match=re.escape(advice)):
        HostPattern.parse(pattern)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://" + "a" * 5000, "does not end"),
        ("http://" + "a." * 200 + "com/", "253"),
        ("http://ev\til.com/", "control"),
        ("http://1.2.3.4.5/", "no address"),
        ("http://99999999999/", "beyond"),
        ("http://[::1/", "port"),
        ("http://%25252525252e/", "encoded more"),
        ("http://xn--google-.com/", "A-label"),
        ("http://a b/", "no name has"),
        ("/\\evil.com", "others"),
        ("mongodb://" + ",".join(f"h{i}" for i in range(65)) + "/x", "more than 64"),
    ],
)
def test_what_is_unreadable_says_why(text: str, why: str) -> None:
    readings = read_host(text)
    assert readings.values == ()
    assert why in readings.unreadable


def test_a_long_path_behind_a_host_is_ordinary() -> None:
    assert host_inside("https://example.com/?q=" + "a" * 100_000, "example.com")


@pytest.mark.parametrize(
    "text",
    [
        "http://" + "@" * 4000,
        "a:" * 5000,
        "http:" * 3000,
        "%25" * 4000,
        "http://" + "xn--a." * 600,
        "[" * 9000,
        "." * 9000,
        "1." * 5000,
        "\\" * 9000,
        "http://" + "é" * 4000,
        "://" * 3000,
        "a-" * 9000 + "://x",
    ],
)
def test_long_tangles_are_read_or_refused(text: str) -> None:
    assert len(read_host(text).values) <= MOST
    assert not host_inside(text, ".example.com")
