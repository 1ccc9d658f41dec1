"""A bundle's bytes are a function of what it says, and only such bytes are read."""

import json
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgement.loading import default_detections, set_detections
from policies import bundle as bundles
from policies.bundle import build_bundle, load_bundle, pack_bundle, unpack_bundle
from policies.canonical import canonical
from runtime.errors import PraetorError
from tests.policies.builders import make_policy, random_content

# RFC 8785 appendix B, of those within ±2**53
NUMBERS = [
    (0.0, "0"),
    (-0.0, "0"),
    (5e-324, "5e-324"),
    (-5e-324, "-5e-324"),
    (9007199254740992.0, "9007199254740992"),
    (-9007199254740992.0, "-9007199254740992"),
    (0.000001, "0.000001"),
    (-0.0000033333333333333333, "-0.0000033333333333333333"),
    (1e-7, "1e-7"),
    (1.5e-7, "1.5e-7"),
    (333333333.33333329, "333333333.3333333"),
    (0.00001234, "0.00001234"),
    (4.5, "4.5"),
    (7, "7"),
    (7.0, "7"),
]


@pytest.mark.parametrize(("number", "text"), NUMBERS)
def test_numbers_are_written_as_ecmascript_does(number: float, text: str) -> None:
    assert canonical(number) == text.encode()


@settings(max_examples=300)
@given(st.floats(-(2**53), 2**53, allow_nan=False))
def test_a_number_survives(number: float) -> None:
    assert json.loads(canonical(number)) == number


def test_texts_and_order_are_rfc_8785s() -> None:
    value = {"b": [None, True, False, {}], "a": '\u20ac$\u000f\nA\'B"\\\\"/\x7f'}
    assert canonical(value) == '{"a":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f","b":[null,true,false,{}]}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, "\ud800", b"x", {1, 2}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)


def test_order_of_policies_does_not_matter_all_else_does() -> None:
    a, b = make_policy([{}], "a"), make_policy([{"effect": "allow"}], "b")
    digest = build_bundle([a, b]).digest
    assert build_bundle([b, a]).digest == digest
    assert digest.startswith("sha256:") and len(digest) == 71
    assert build_bundle([a]).digest != digest
    other = set_detections({"denial-burst": {"count": 6}})
    assert build_bundle([a, b], default_detections()).digest != build_bundle([a, b], other).digest
    assert build_bundle([a, b], other).digest != digest
    assert build_bundle([a.model_copy(update={"mode": "shadow"}), b]).digest != digest


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_a_bundle_survives_the_wire(seed: int) -> None:
    content = random_content(random.Random(seed), 10)
    data = canonical(content.model_dump(mode="json", by_alias=True, exclude_none=True))
    again = unpack_bundle(pack_bundle(load_bundle(data)))
    assert (again.json, again.content) == (data, content)


GOOD = build_bundle([make_policy([{}])]).json


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (GOOD + b"\n", "not canonical"),
        (GOOD.replace(b":", b": ", 1), "not canonical"),
        (GOOD.replace(b'"version"', b'"default":"deny","version"'), "not canonical"),
        (GOOD.replace(b'"default":"deny"', b'"default":"allow"'), "default: Input should be 'deny'"),
        (GOOD.replace(b'"version":"praetor/v1"', b'"version":"praetor/v2"'), "version"),
        (GOOD.replace(b'"policies"', b'"policiez"'), "polic"),
        (GOOD.replace(b'"rules":[', b'"rules":[7,'), "rules.0"),
        (GOOD.replace(b'"match":{}', b'"match":{"actions":["a**"]}'), "one '\\*' already crosses"),
        (b"[]", "valid"),
    ],
)
def test_other_bytes_are_refused(data: bytes, told: str) -> None:
    assert data != GOOD
    with pytest.raises(PraetorError, match=told):
        load_bundle(data)


def test_names_that_repeat_are_refused() -> None:
    with pytest.raises(PraetorError, match="share one"):
        build_bundle([make_policy([{}]), make_policy([{}])])
    with pytest.raises(PraetorError, match="rule id same twice"):
        build_bundle([make_policy([{"id": "same"}, {"id": "same"}])])


def test_compressed_bytes_cannot_explode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "LARGEST_BUNDLE", 1 << 20)
    with pytest.raises(PraetorError, match="decompresses to more than 1048576 bytes"):
        unpack_bundle(zlib.compress(b" " * (8 << 20)))
    with pytest.raises(PraetorError, match="has 1048577 bytes"):
        load_bundle(b" " * ((1 << 20) + 1))


@pytest.mark.parametrize("data", [b"", b"nonsense", zlib.compress(GOOD)[:-1], zlib.compress(GOOD) + b"x"])
def test_broken_compression_is_refused(data: bytes) -> None:
    with pytest.raises(PraetorError, match="compress"):
        unpack_bundle(data)


def test_rests_are_frequent_and_a_mistake_keeps_its_place() -> None:
    bundle = build_bundle([make_policy([{} for _ in range(40)])])
    rests: list[None] = []
    assert load_bundle(bundle.json, lambda: rests.append(None)) == bundle
    assert len(rests) >= 10
    wrong = json.loads(bundle.json)
    wrong["policies"][0]["rules"][33]["priority"] = "high"
    with pytest.raises(PraetorError, match=r"policies\.0\.rules\.33\.priority: Input should be"):
        load_bundle(canonical(wrong))
