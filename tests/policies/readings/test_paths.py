"""Path containment: the case file, and what holds for every text."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policies.paths import PathPattern, path_inside, path_touches, read_path
from policies.readings import MOST
from tests.policies.readings.cases import Case, read_cases

CASES = read_cases("paths.yaml")

PIECES = st.sampled_from(
    "/ \\ . .. ... ; : :: ~ ~1 $ $HOME ${ } { , * ? [ ] % %2e %2f %5c %252e %c0%ae %00 %zz %HOME% ' \" < > # "
    "etc passwd ETC .env srv data C: c:/ file: file:/// http:// // \\\\?\\ \\\\srv\\ proc/self/ root cwd "
    "bin var /run \u200b \uff0e \uff0f \u2215 \u2025 \u0308 ü ß İ ﬁ \u00a5 \u202e \ufeff \ud800 \t \n".split(
        " "
    )
) | st.sampled_from(" \0")
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40)
PATTERNS = st.sampled_from(sorted({case.pattern for case in CASES}))


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 300


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.text!a}-{case.pattern!a}")
def test_case(case: Case) -> None:
    assert path_touches(case.text, case.pattern) is case.touched, case.why
    assert path_inside(case.text, case.pattern) is case.allowed, case.why


@settings(max_examples=600, deadline=None)
@given(TEXTS)
@example("/\u2025/..")
@example("\u0130\u0307/x")
def test_a_reading_reads_as_itself(text: str) -> None:
    readings = read_path(text)
    assert len(set(readings.values)) == len(readings.values) <= MOST
    assert not (readings.values and readings.unreadable)
    for value in readings.values:
        again = read_path(value)
        assert again.unreadable or value in again.values


@settings(max_examples=600, deadline=None)
@given(TEXTS, PATTERNS)
def test_what_is_allowed_is_also_touched(text: str, pattern: str) -> None:
    assert path_touches(text, pattern) or not path_inside(text, pattern)
    if path_inside(text, pattern):
        assert path_inside(text, "/")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["aa", "bb", "..", ".", "", "c d", "é"]), max_size=8))
def test_containment_is_what_the_steps_say(steps: list[str]) -> None:
    here: list[str] = []
    for step in steps:
        here = here[:-1] if step == ".." else here if step in ("", ".") else [*here, step]
    text = "/" + "/".join(["aa", "..", *steps])
    assert path_inside(text, "/aa/bb") is path_touches(text, "/aa/bb") is (here[:2] == ["aa", "bb"])


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_a_pattern_is_refused_in_words_or_holds_itself(text: str) -> None:
    try:
        pattern = PathPattern.parse(text)
    except ValueError as error:
        assert str(error)
        return
    assert pattern.text == text
    assert path_touches(text, text) or not read_path(text).values


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("", "write '/'"),
        (" /etc", "white space"),
        ("/etc/../x", "where it leads"),
        ("/etc/**", "holds all beneath"),
        ("**/a/**/b", "once"),
        ("/a**b/x", "within one"),
        ("*.pem", "**/*.pem"),
        ("file:///etc", "path alone"),
        ("https://example.com", "hosts"),
        ("/e%74c", "characters themselves"),
        ("$HOME/.ssh", "'~'"),
        ("%USERPROFILE%\\x", "'~'"),
        ("~root/.ssh", "any home"),
        ("C:\\a/b", "mixes"),
        ("/etc\u200b", "cannot be seen"),
        ("/etc\n/x", "cannot be seen"),
        ("/etc\0", "cannot be seen"),
        ("\\\\?\\Volume{1}", "device"),
        ("/dev/fd/3", "open file"),
        ("/" + "a" * 1000, "at most 1000"),
    ],
)
def test_a_pattern_that_is_none_is_refused_with_advice(pattern: str, advice: str) -> None:
    with pytest.raises(ValueError, match=re.escape(advice)):
        PathPattern.parse(pattern)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/" + "a" * 4096, "characters long"),
        ("/a\0b", "NUL"),
        ("/%ff", "UTF-8"),
        ("/%zz", "broken"),
        ("/\ud800", "half a character"),
        ("/a\nb", "line breaks"),
        ("$NOWHERE/x", "variable"),
        ("/$(id)", "shell"),
        ("%" + "25" * 100 + "2e", "more than"),
    ],
)
def test_what_is_unreadable_says_why(text: str, why: str) -> None:
    readings = read_path(text)
    assert readings.values == ()
    assert why in readings.unreadable


@pytest.mark.parametrize(
    "text",
    [
        "/" + "*a" * 2000,
        "/" + "a/" * 2000 + "..",
        "../" * 1300,
        "%" + "25" * 1300 + "2e",
        "{" * 4000,
        "[" * 4000,
        "\\" * 4000,
        "\ufdfa" * 4000,
        "a:" * 2000,
        "'" * 4000,
        "$a" * 2000,
        ". " * 2000,
        "file:" * 800,
        "~1" * 2000,
    ],
)
def test_long_tangles_are_read_or_refused(text: str) -> None:
    readings = read_path(text)
    assert len(readings.values) <= MOST
    for pattern in ("**/*a*a*a*a*b", "/a/**/x", "~/.ssh", "C:\\x"):
        path_touches(text, pattern)
        assert not path_inside(text, pattern)
