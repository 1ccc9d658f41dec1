"""Exceptions: what they mute, and until when."""

from typing import Any

import pytest

from detections.exceptions import Exceptions, RuleException, write_exceptions
from schemas.verdict import Finding, Severity
from tests.policies.builders import make_action

EXPIRES = 1_798_761_600_000
"""2027-01-01T00:00:00Z."""
FINDING = Finding("reads-secrets", "t", Severity.high, 1.0, (), 0, 0, (), "k", "m")


def exception(name: str = "e", **keys: Any) -> RuleException:
    base = {
        "id": name,
        "detections": ["reads-secrets"],
        "expires": "2027-01-01",
        "author": "a",
        "reason": "r",
    }
    return RuleException.model_validate(base | keys)


def muted(*exceptions: RuleException, finding: Finding = FINDING, at: int = 0, **fields: Any) -> str | None:
    return Exceptions(exceptions).muted_by(finding, make_action(at, **fields))


CASES: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"agents": ["backup-*"]}, {"agent_id": "backup-7"}, True),
    ({"agents": ["backup-*"]}, {"agent_id": "web"}, False),
    ({"tools": ["vault"]}, {"tool": "vault"}, True),
    ({"tools": ["*"]}, {"tool": None}, False),
    ({"resources": ["/etc/*.key", "/srv/[ab]"]}, {"resource": "/srv/b"}, True),
    ({"resources": ["/etc/*.key"]}, {"resource": "/etc/x.keys"}, False),
    ({"values": {"args.to": ["*@acme.example"]}}, {"arguments": '{"to": ["x", "ann@acme.example"]}'}, True),
    ({"values": {"args.to": ["*@acme.example"]}}, {"arguments": '{"to": "ann@evil.example"}'}, False),
    ({"values": {"args.to": ["*"]}}, {"arguments": "{broken"}, False),
    ({"values": {"labels.env": ["test"]}}, {"labels": {"env": "test"}}, True),
    ({"agents": ["a1"], "tools": ["vault"]}, {"agent_id": "a1", "tool": "other"}, False),
    ({"agents": ["a1"], "tools": ["other", "vault"]}, {"agent_id": "a1", "tool": "vault"}, True),
]


@pytest.mark.parametrize(("keys", "fields", "expected"), CASES)
def test_all_that_it_names_must_hold(keys: dict[str, Any], fields: dict[str, Any], expected: bool) -> None:
    assert (muted(exception(**keys), **fields) == "e") is expected


def test_it_ends_with_the_beginning_of_its_day_in_utc() -> None:
    ours = exception(agents=["*"])
    assert muted(ours, at=EXPIRES - 1) == "e"
    assert muted(ours, at=EXPIRES) is None


def test_another_detection_is_not_muted_and_the_first_that_holds_is_named() -> None:
    first, second = exception("one", agents=["b*"]), exception("two", agents=["a*"])
    assert muted(first, second) == "two"
    assert muted(first, second, finding=FINDING._replace(detector="other")) is None


def test_what_is_written_is_read_back() -> None:
    ours = exception(tools=["x"], resources=["/a*"])
    assert [RuleException.model_validate(value) for value in write_exceptions([ours])] == [ours]
