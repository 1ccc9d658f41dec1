"""Orders without a broker: what is believed, and what a view makes of them."""

import json
import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.keys import SigningKey, VerifyKey
from policies.bundle import pack_bundle
from policies.canonical import canonical
from runtime.errors import Malformed
from schemas.catalogue import newest
from schemas.codec import decode
from streams.control_view import ControlView
from streams.orders import Order, open_order, sign_order
from tests.schemas.encodings import write
from tests.streams.helpers import bundle

KEY = SigningKey("control", b"1" * 32)
OTHER = SigningKey("control", b"2" * 32)
MINT = Order("log-1", "log", "me", 1, b'{"log_id": "log-1", "partitions": 3}')
NEW = Order("log-1", "bundle", "me", 2, pack_bundle(bundle()))
OLD = Order("log-1", "bundle", "me", 1, pack_bundle(bundle("old")))


def skip(**payload: Any) -> Order:
    return Order("log-1", "skip", "me", 1, json.dumps(payload).encode())


async def view_of(
    values: Sequence[bytes | None], keys: Sequence[VerifyKey] = (KEY.verify_key,)
) -> ControlView:
    view = ControlView(keys)
    for offset, value in enumerate(values):
        await view.apply(offset, value)
    return view


def signed(*orders: Order) -> list[bytes]:
    return [sign_order(order, KEY) for order in orders]


@given(st.builds(Order, st.text(), st.just("log"), st.text(), st.integers(0, 2**62), st.binary()))
def test_a_signed_order_is_believed_as_it_was_given(order: Order) -> None:
    assert open_order(sign_order(order, KEY), [OTHER.verify_key, KEY.verify_key]) == order


def test_any_flipped_bit_is_refused() -> None:
    value = sign_order(skip(**{"partition": 1, "from": 5, "to": 9}), KEY)
    for bit in range(len(value) * 8):
        flipped = bytearray(value)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Malformed):
            open_order(bytes(flipped), [KEY.verify_key])


@given(st.binary(max_size=200) | st.none())
def test_garbage_is_refused(value: bytes | None) -> None:
    with pytest.raises(Malformed):
        open_order(value, [KEY.verify_key])


def test_another_key_of_the_same_name_is_refused() -> None:
    with pytest.raises(Malformed, match="none of the trusted"):
        open_order(sign_order(MINT, OTHER), [KEY.verify_key])


async def test_the_newest_bundle_is_in_force() -> None:
    view = await view_of(signed(MINT, OLD, NEW))
    assert (view.log_id, view.partitions, view.offset, view.rejected) == ("log-1", 3, 2, 0)
    assert view.rules is not None and view.rules.digest == bundle().digest


async def test_an_old_order_repeated_is_refused() -> None:
    values = signed(MINT, OLD, NEW, OLD)
    view = await view_of(values)
    assert view.rules is not None and view.rules.digest == bundle().digest
    assert view.rejected == 1


async def test_an_old_order_encoded_otherwise_is_refused() -> None:
    (value,) = signed(OLD)
    record = decode(value, "control_record")
    definition = newest("control_record").definition
    overlong = write({**definition, "fields": definition["fields"][1:]}, record)
    text = record["log_id"].encode()
    again = value[:5] + bytes([len(text) << 1 | 0x80, 0]) + text + overlong
    assert open_order(again, [KEY.verify_key]) == OLD
    assert (await view_of([*signed(MINT, OLD, NEW), again])).rejected == 1


REFUSED = {
    "a second log": Order("log-2", "log", "me", 1, b'{"log_id": "log-2", "partitions": 3}'),
    "another log's": Order("log-2", "bundle", "me", 1, OLD.payload),
    "no bundle": Order("log-1", "bundle", "me", 1, b"no bundle"),
    "no JSON": Order("log-1", "skip", "me", 1, b"{"),
    "nested JSON": Order("log-1", "skip", "me", 1, b"[" * 100_000),
    "a list": Order("log-1", "skip", "me", 1, b"[]"),
    "nothing said": skip(),
    "words for numbers": skip(**{"partition": "one", "from": 5, "to": 9}),
    "infinity": Order("log-1", "skip", "me", 1, b'{"partition": 0, "from": 1, "to": Infinity}'),
    "backwards": skip(**{"partition": 1, "from": 5, "to": 3}),
    "no such partition": skip(**{"partition": 3, "from": 5, "to": 9}),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_signed_order_that_makes_no_sense_changes_nothing(name: str) -> None:
    view = await view_of(signed(MINT, NEW, REFUSED[name]))
    assert (view.rejected, view.offset, view.skips) == (1, 2, {})
    assert view.log_id == "log-1"
    assert view.rules is not None and view.rules.digest == bundle().digest


@pytest.mark.parametrize(
    "payload", [b'{"log_id": "log-2", "partitions": 3}', b'{"log_id": "log-1", "partitions": 0}']
)
async def test_a_log_that_is_minted_wrongly_is_none(payload: bytes) -> None:
    view = await view_of(signed(Order("log-1", "log", "me", 1, payload)))
    assert (view.log_id, view.rejected) == ("", 1)


async def test_a_skip_is_kept_for_its_partition() -> None:
    view = await view_of(signed(MINT, skip(**{"partition": 1, "from": 5, "to": 9, "reason": "accepted"})))
    assert view.skips == {1: {5: 9}}


STRANGE = {"version": "praetor/v1", "default": "deny", "detections": {}, "policies": [], "later": 1}


def newer_bundle() -> Order:
    return Order("log-1", "bundle", "me", 3, zlib.compress(canonical(STRANGE)))


async def test_an_order_of_a_newer_version_is_never_passed_over() -> None:
    view = await view_of(signed(MINT, NEW, Order("log-1", "shun", "me", 1, b"{}")))
    assert "offset 2 holds an order of kind 'shun', signed by 'me'" in view.newer
    assert "run a newer one" in view.newer
    others = [Order("log-2", "shun", "me", 1, b"{}")]
    assert (await view_of([*signed(MINT, *others), sign_order(others[0], OTHER)])).newer == ""


async def test_under_a_bundle_that_cannot_be_read_there_are_no_rules() -> None:
    view = await view_of(signed(MINT, NEW, newer_bundle()))
    assert view.rules is None and view.rejected == 1
    assert "offset 2 of agent.control cannot be read, so nothing is judged" in view.unread
    assert "later: Extra inputs are not permitted" in view.unread
    view = await view_of(signed(MINT, NEW, newer_bundle(), OLD))
    assert view.rules is not None and view.rules.digest == bundle("old").digest and view.unread == ""
