"""Bundles, and the orders that bring them, made by hand: also such as no command would make."""

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import count
from random import Random
from typing import Any

from ledger.keys import SigningKey
from policies.bundle import Bundle, build_bundle, pack_bundle
from policies.canonical import canonical
from policies.model import Policy
from streams.bundle_orders import Head, head_payload, part_payloads
from streams.bundle_signature import sign_digest
from streams.orders import Order

CONTROL = SigningKey("control", b"1" * 32)
POLICY = SigningKey("policy", b"2" * 32)
STRANGER = SigningKey("stranger", b"3" * 32)
LOG = "log-1"
MINT = Order(LOG, "log", "me", 1, b'{"log_id": "log-1", "partitions": 3}')
NUMBERS = count(2)
LARGEST_POLICY = 500


def policy(name: str, rules: list[dict[str, Any]]) -> Policy:
    return Policy.model_validate(
        {
            "apiVersion": "praetor/v1",
            "kind": "Policy",
            "metadata": {"name": name, "description": name},
            "rules": rules,
            "cases": [
                {"name": "other", "action": {"action": "other:thing"}, "expect": "deny"},
                {"name": "another", "action": {"action": "another:thing"}, "expect": "deny"},
            ],
        }
    )


def many_rules(seed: int, rules: int, text: int = 0) -> Bundle:
    """Reading is allowed, and `rules` rules deny what nobody does; `text` random characters in a message."""
    rng = Random(seed)
    reading = {"id": "read", "effect": "allow", "match": {"actions": ["read:*"]}, "message": f"fine {seed}"}
    policies = [policy(f"p-{seed}", [reading])]
    for at in range(0, rules, LARGEST_POLICY):
        denied = [
            {
                "id": f"r{n}",
                "effect": "deny",
                "match": {"actions": [f"never:{seed}-{n}"], "tenants": [f"tenant-{n % 97}"]},
                "message": f"rule {n} " + rng.randbytes(text // 2).hex(),
            }
            for n in range(at, min(rules, at + LARGEST_POLICY))
        ]
        policies.append(policy(f"q-{at:06}", denied))
    return build_bundle(policies)


def order(kind: str, payload: bytes) -> Order:
    return Order(LOG, kind, "me", next(NUMBERS), payload)


def head_for(bundle: Bundle, serial: int, signer: SigningKey = POLICY, **changed: Any) -> Head:
    packed = pack_bundle(bundle)
    head = Head(
        serial,
        bundle.digest,
        parts=len(list(part_payloads(bundle.digest, packed))),
        size=len(packed),
        signature=sign_digest(bundle.digest, signer),
    )
    return replace(head, **changed)


def named(bundle: Bundle, serial: int, **changed: Any) -> Order:
    """A head that names a bundle which the topic has."""
    return order("bundle", head_payload(head_for(bundle, serial, parts=0, size=0, **changed)))


def brought(bundle: Bundle, serial: int, **changed: Any) -> Iterator[Order]:
    """The orders that bring a bundle and put it in force."""
    for payload in part_payloads(bundle.digest, pack_bundle(bundle)):
        yield order("bundle_part", payload)
    yield order("bundle", head_payload(head_for(bundle, serial, **changed)))


def raw_bundle(text: bytes) -> Bundle:
    """What is called a bundle and may be none: only its digest fits."""
    return Bundle(f"sha256:{sha256(text).hexdigest()}", text, many_rules(0, 0).content)


def broken(seed: int) -> Bundle:
    """Signed and whole, but two of its policies share a name: it is refused when it is compiled."""
    content = json.loads(many_rules(seed, 0).json)
    content["policies"] *= 2
    return raw_bundle(canonical(content))


def later(seed: int) -> Bundle:
    """A bundle of a language that this version does not know."""
    return raw_bundle(canonical({**json.loads(many_rules(seed, 0).json), "later": seed}))
