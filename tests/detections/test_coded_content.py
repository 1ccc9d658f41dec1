"""Content detectors: evidence never holds a secret, places are exact, and work is bounded."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detections.content.secrets import Secrets
from detections.content.texts import LOOKED_AT
from detections.content.unseen import unescape
from tests.detections.coded import DETECTORS
from tests.policies.builders import make_action

CONTENT = ("secrets", "pii", "hidden", "definitions")
SECRETS = (
    "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",
    "AKIAQ3EGRIHTTY7QJ4XB",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "postgres://shop:V9x-Trq7@db.internal",
    "api_key=9fQx7Lr2Wb5Zt8Kd3Nv6",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJhZG0iOnRydWV9.3Zk9vQwX1bT7uYp5sRn2cLd8mHf4jGa6eKi0oBzVtWx",
)
CLEAR = ("zQWBuT", "Q3EGRI", "4eC39H", "V9x-Trq7", "9fQx7L", "hbGciO")
"""Of each of these, a part that may not be shown."""

AROUND = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@settings(max_examples=60, deadline=None)
@given(
    before=AROUND,
    after=AROUND,
    which=st.integers(0, len(SECRETS) - 1),
    field=st.sampled_from(("content", "arguments")),
)
def test_no_secret_is_in_a_finding_and_its_place_is_exact(
    before: str, after: str, which: int, field: str
) -> None:
    text = f"{before} {SECRETS[which]} {after}"
    [finding] = Secrets().observe(make_action(1, phase="result", **{field: text}), {}).findings
    assert CLEAR[which] not in repr(finding)
    assert any(
        text[s.start : s.end] in SECRETS[which] or SECRETS[which] in text[s.start : s.end]
        for s in finding.spans
        if s.field == field
    )


HOSTILE = (
    *("1-", "a@", "x@y.", "AKIA", "eyJ", "sk-", "://a:", "password=", "DE44 ", "+1 ", "1", "-----BEGIN "),
    *(
        '{"a":',
        "[",
        "\u200b",
        "a\u200b",
        "\u202e",
        "\\u200b",
        "\\ud800",
        "\U000e0041",
        "style display:none <",
    ),
    *("<!--", "<p style='display:none'>", "QUJD" * 16 + " ", "ignore ", "you must ", "\u0430a", "\x00"),
    "4111 1111 1111 1111 ",
)


@pytest.mark.parametrize("unit", HOSTILE, ids=ascii)
@pytest.mark.parametrize("phase", ["result", "definition"])
def test_a_mebibyte_of_anything_is_looked_at_in_part_and_says_so(unit: str, phase: str) -> None:
    """Whatever is repeated: it ends (the suite's timeout is the bound), and what was cut is told."""
    text = (unit * (1_000_000 // len(unit) + 1))[:1_000_000]
    action = make_action(1, phase=phase, tool="t", content=text)
    for name in CONTENT:
        detector: Any = DETECTORS[name]()
        if phase in detector.phases:
            said = detector.observe(action, {})
            assert f"only {LOOKED_AT} of the 1000000 characters of content were looked at" in said.errors
            assert sum(len(f.message) + sum(len(s.text) for s in f.spans) for f in said.findings) < 20_000


@given(st.text(max_size=60))
def test_what_json_escapes_stands_where_it_stood(text: str) -> None:
    escaped = "".join(c if c.isascii() and c not in '\\"' else repr_of(c) for c in text)
    plain, place = unescape(escaped)
    assert plain == "".join(c if not "\ud800" <= c <= "\udfff" else "\ufffd" for c in text)
    for at, char in enumerate(plain):
        if char.isascii() and char not in '\\"' and escaped[place(at)] != "\\":
            assert escaped[place(at)] == char


def repr_of(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
