"""What orders about bundles come to, without a broker: parts, serials, signatures, roll-backs, refusals."""

import zlib
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ledger.keys import VerifyKey
from policies.bundle import Bundle, pack_bundle, unpack_bundle
from policies.canonical import canonical
from runtime.errors import Newer
from streams.bundle_orders import (
    LARGEST_PACKED,
    PART_BYTES,
    Head,
    head_payload,
    part_payloads,
    read_head,
    read_part,
)
from streams.bundle_parts import Parts, inflate
from streams.bundle_signature import sign_digest
from streams.bundles import KEPT
from streams.control_view import ControlView
from streams.orders import Order, sign_order
from tests.bundles.making import (
    CONTROL,
    MINT,
    POLICY,
    STRANGER,
    broken,
    brought,
    head_for,
    later,
    many_rules,
    named,
    order,
)

A, B, C = (many_rules(seed, 3) for seed in (1, 2, 3))
WIDE = many_rules(4, 8_000, text=400)
BROKEN, LATER = broken(5), later(6)
TRUSTED = (POLICY.verify_key,)


async def view_of(
    orders: Sequence[Order], policy: Sequence[VerifyKey] | None = TRUSTED, lazy: bool = False
) -> ControlView:
    view = ControlView((CONTROL.verify_key,), policy)
    for offset, one in enumerate((MINT, *orders)):
        if lazy:
            await view.fold(offset, sign_order(one, CONTROL))
        else:
            await view.apply(offset, sign_order(one, CONTROL))
    await view.settle()
    return view


def digest(view: ControlView) -> str | None:
    return view.rules.digest if view.rules else None


def reasons(view: ControlView) -> list[str]:
    return [refused.why for refused in view.bundles.refused]


async def test_a_bundle_in_parts_is_in_force_from_its_head_on() -> None:
    orders = list(brought(WIDE, 1))
    assert len(orders) >= 3
    assert all(len(one.payload) < PART_BYTES + 200 for one in orders)
    assert digest(await view_of([*brought(A, 1), *orders[:-1]])) == A.digest
    view = await view_of([*brought(A, 1), *orders[:-2], orders[-1]])
    assert (digest(view), reasons(view)) == (A.digest, ["serial"])
    renumbered = list(brought(WIDE, 2))
    view = await view_of([*brought(A, 1), *reversed(orders[:-1]), renumbered[-1]])
    assert (digest(view), view.rejected) == (WIDE.digest, 0)
    assert view.bundles.in_force.stable is not None
    assert view.bundles.in_force.stable.signers == ("policy+" + POLICY.verify_key.hash.hex(),)


def spoilt(bundle: Bundle, serial: int, number: int) -> list[Order]:
    """A part whose bytes are others than were packed, signed by the control key all the same."""
    parts = list(brought(bundle, serial))
    payload = bytearray(parts[number].payload)
    payload[-5] ^= 1
    return [*parts[:number], replace(parts[number], payload=bytes(payload)), *parts[number + 1 :]]


def swapped(bundle: Bundle, other: Bundle, serial: int) -> list[Order]:
    """What comes is another bundle than the head names."""
    parts = [order("bundle_part", p) for p in part_payloads(bundle.digest, pack_bundle(other))]
    size = len(pack_bundle(other))
    return [*parts, order("bundle", head_payload(head_for(bundle, serial, parts=len(parts), size=size)))]


NOTE = sign_digest(B.digest, POLICY)
REFUSED: dict[str, tuple[str, list[Order]]] = {
    "no signature": ("signature", list(brought(B, 2, signature=""))),
    "a stranger's signature": ("signature", list(brought(B, 2, signer=STRANGER))),
    "the control key's signature": ("signature", list(brought(B, 2, signer=CONTROL))),
    "a signature of another bundle": (
        "signature",
        list(brought(B, 2, signature=sign_digest(A.digest, POLICY))),
    ),
    "a signature changed": (
        "signature",
        list(brought(B, 2, signature=NOTE.replace("= \n", "A \n")[:-9] + "A=\n")),
    ),
    "a namesake's signature": (
        "signature",
        list(brought(B, 2, signer=replace(STRANGER, name=POLICY.name))),
    ),
    "no parts": ("parts", list(brought(B, 2))[-1:]),
    "a part missing": ("parts", list(brought(WIDE, 2))[1:]),
    "a part of the wrong bytes": ("parts", spoilt(WIDE, 2, 1)),
    "a size that is wrong": ("parts", list(brought(B, 2, size=17))),
    "a part too few": ("parts", list(brought(WIDE, 2, parts=1))),
    "another bundle in the parts": ("digest", swapped(B, C, 2)),
    "a digest that nobody knows": ("unknown", [named(B, 2)]),
    "a stale serial": ("serial", list(brought(B, 1))),
    "a serial from nowhere": ("serial", list(brought(B, 2**40))),
    "an unsigned bundle of old": ("serial", [order("bundle", pack_bundle(B))]),
    "garbage": ("malformed", [order("bundle", b"garbage")]),
    "a bomb": ("malformed", [order("bundle", zlib.compress(bytes(65 << 20)))]),
    "a share for all": ("malformed", list(brought(B, 2, share=5))),
    "a share above 100": ("malformed", list(brought(B, 2, slot="canary", share=101))),
    "a share too fine": ("malformed", list(brought(B, 2, slot="canary", share=0.001))),
    "no serial": (
        "malformed",
        [order("bundle", zlib.compress(canonical({"serial": "1", "slot": "stable"})))],
    ),
    "does not compile": ("rules", list(brought(BROKEN, 2))),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_believed_changes_nothing(name: str) -> None:
    why, orders = REFUSED[name]
    view = await view_of([*brought(A, 1), *orders])
    assert (digest(view), view.canary, view.unread) == (A.digest, None, "")
    assert reasons(view) == [why]
    assert view.rejected == 1
    assert view.offset == len(orders) + 2
    last = max(view.bundles.serial, 2) + 1
    view = await view_of([*brought(A, 1), *orders, *brought(C, last)])
    assert digest(view) == C.digest  # and the next is taken


async def test_a_copied_head_and_a_replayed_serial_are_refused() -> None:
    first, second = list(brought(A, 1)), list(brought(B, 2))
    view = await view_of([*first, *second, *first])
    assert (digest(view), view.rejected) == (B.digest, 2)
    view = await view_of([*first, *second, named(A, 2), named(A, 1)])
    assert (digest(view), reasons(view)) == (B.digest, ["serial", "serial"])


async def test_a_roll_back_is_a_new_serial_over_a_digest_that_is_there() -> None:
    view = await view_of([*brought(A, 1), *brought(B, 2), named(A, 3)])
    assert (digest(view), view.bundles.serial, view.rejected) == (A.digest, 3, 0)
    others = [many_rules(100 + n, 0) for n in range(KEPT)]
    past = [one for n, other in enumerate(others) for one in brought(other, n + 2)]
    view = await view_of([*brought(A, 1), *past, named(A, KEPT + 2)], lazy=True)
    assert (digest(view), reasons(view)) == (others[-1].digest, ["unknown"])
    tried = [one for n, other in enumerate(others) for one in brought(other, n + 2, slot="canary", share=1)]
    view = await view_of([*brought(A, 1), *tried, named(A, KEPT + 2)], lazy=True)
    assert (digest(view), view.canary, view.rejected) == (A.digest, None, 0)


async def test_a_canary_is_for_its_agents_until_it_is_promoted_or_ended() -> None:
    trial = [*brought(A, 1), *brought(B, 2, slot="canary", share=25)]
    view = await view_of(trial)
    agents = [f"tenant/agent-{n}".encode() for n in range(4_000)]
    taken = [agent for agent in agents if view.rules_for(agent).digest == B.digest]
    assert 0.22 < len(taken) / len(agents) < 0.28
    assert {view.rules_for(agent).digest for agent in agents} == {A.digest, B.digest}
    wider = await view_of([*trial, named(B, 3, slot="canary", share=60)])
    assert all(wider.rules_for(agent).digest == B.digest for agent in taken)
    for ending, left in (
        (named(B, 3), B),
        (named(A, 3), A),
        (order("bundle", head_payload(Head(3, "", "canary"))), A),
    ):
        after = await view_of([*trial, ending])
        assert (digest(after), after.canary, after.rejected) == (left.digest, None, 0)
    refused = await view_of([*trial, *brought(BROKEN, 3, slot="canary", share=50), *brought(BROKEN, 4)])
    assert refused.canary is not None and refused.canary.share == 25
    assert (digest(refused), reasons(refused)) == (A.digest, ["rules", "rules"])


async def test_under_what_is_believed_and_not_understood_nothing_is_judged() -> None:
    strange = zlib.compress(canonical({"serial": 2, "slot": "stable", "digest": B.digest, "fresh": 1}))
    slot = zlib.compress(canonical({"serial": 2, "slot": "third", "digest": B.digest}))
    for orders in (
        list(brought(LATER, 2)),
        list(brought(LATER, 2, slot="canary", share=5)),
        [order("bundle", strange)],
        [order("bundle", slot)],
    ):
        view = await view_of([*brought(A, 1), *orders])
        assert view.rules is None and view.canary is None and view.rejected == 1
        assert "cannot be read, so nothing is judged" in view.unread
        view = await view_of([*brought(A, 1), *orders, *brought(C, 3)])
        assert (digest(view), view.unread) == (C.digest, "")
    view = await view_of([*brought(A, 1), *brought(LATER, 2, signer=STRANGER)])
    assert (digest(view), view.unread) == (A.digest, "")


async def test_bundles_of_before_serials_are_read_as_long_as_a_control_key_may_sign() -> None:
    old = [order("bundle", pack_bundle(one)) for one in (A, B)]
    view = await view_of(old, policy=None)
    assert (digest(view), view.bundles.serial) == (B.digest, 0)
    view = await view_of([*old, named(A, 1, signer=CONTROL)], policy=None)
    assert (digest(view), view.rejected) == (A.digest, 0)
    assert digest(await view_of(old, policy=TRUSTED)) is None
    both = (POLICY.verify_key, CONTROL.verify_key)
    assert digest(await view_of([*old, *brought(C, 1)], policy=both)) == C.digest


def test_a_worker_of_before_heads_stops_judging_at_one() -> None:
    # it takes the payload for a bundle: canonical JSON of a newer language, where it stops (test_newer)
    _, text = inflate(head_payload(head_for(A, 1)))
    assert read_head(text) == head_for(A, 1)
    with pytest.raises(Newer):
        unpack_bundle(head_payload(head_for(A, 1)))


def test_parts_are_bounded_in_number_and_in_bytes() -> None:
    parts = Parts()
    piece = bytes(PART_BYTES)
    for n in range(40):
        digest_n = f"sha256:{n:064x}"
        for number in range(30):
            payload = canonical({"digest": digest_n, "number": number, "count": 90}) + b"\n" + piece
            parts.add(read_part(payload))
            assert parts.size <= LARGEST_PACKED
    assert parts.size <= 4 * 30 * PART_BYTES


ORDERS = {
    "a": lambda n: brought(A, n),
    "b": lambda n: brought(B, n),
    "to a": lambda n: [named(A, n)],
    "canary b": lambda n: brought(B, n, slot="canary", share=10),
    "canary c": lambda n: brought(C, n, slot="canary", share=20),
    "end": lambda n: [order("bundle", head_payload(Head(n, "", "canary")))],
    "promote b": lambda n: [named(B, n)],
    "broken": lambda n: brought(BROKEN, n),
    "broken canary": lambda n: brought(BROKEN, n, slot="canary", share=10),
    "later": lambda n: brought(LATER, n),
    "later canary": lambda n: brought(LATER, n, slot="canary", share=10),
    "unsigned": lambda n: brought(C, n, signature=""),
    "stale": lambda n: brought(C, n - 1),
}


@hypothesis_settings(max_examples=60)
@given(st.lists(st.sampled_from(sorted(ORDERS)), max_size=9))
async def test_reading_to_the_end_comes_to_what_following_does(names: list[str]) -> None:
    orders = [one for n, name in enumerate(names, 1) for one in ORDERS[name](n)]
    followed, read = await view_of(orders), await view_of(orders, lazy=True)
    for view in (followed, read):
        assert view.offset == len(orders)
    assert digest(read) == digest(followed)
    assert read.unread == followed.unread
    canaries = [(v.canary.rules.digest, v.canary.share) if v.canary else None for v in (read, followed)]
    assert canaries[0] == canaries[1]
    assert read.bundles.serial == followed.bundles.serial
    assert list(read.bundles.kept) == list(followed.bundles.kept)
