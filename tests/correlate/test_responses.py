"""What is done about incidents: planned, given once, bounded by guard rails, taken back."""

import json
from random import Random

import pytest

from runtime.errors import PraetorError
from schemas.codec import decode
from schemas.topics import INCIDENTS
from streams.control import read_view
from streams.correlate.groups import group_key
from streams.correlate.load import load_responses
from streams.correlate.memory import Memory
from streams.correlate.responses import order_of
from streams.correlate.thresholds import Thresholds
from streams.keyring import CONTROL, read_verify_keys
from tests.correlate.making import START, fold
from tests.correlate.stage import Correlating, until

POLICY = b"""
apiVersion: praetor/v1
kind: Responses
metadata: {name: contain}
guard: {agents: 2, within: 10m, exempt: ["acme/trusted-*"]}
rules:
  - id: worst
    when: {severity: critical, group_by: [agent]}
    respond: [quarantine, kill_session, ask]
    duration: 7d
"""
LIMITS = Thresholds()


def critical(agent: str, at: int, partition: int = 0) -> dict:
    item = {"kind": "threat", "detector": "secrets", "title": "A key went out", "severity": "critical"}
    item |= {"count": 1, "evidence": ["e"], "tags": ["ASI02"], "runbook": ""}
    named = {"tenant": "acme", "agent_id": agent, "session_id": "s1", "user": None, "tool": None}
    counts = {"items": [item], "threat_count": 1, "denial_count": 0, "resource": "", "partition": partition}
    return fold(Random(1), at) | named | counts


def test_a_response_is_planned_before_it_is_given_and_told_once() -> None:
    memory = Memory("log-12345678", 0, LIMITS, load_responses("r.yaml", POLICY))
    memory.fold(3, group_key("agent", "acme", "a"), (0, 1), critical("a", START))
    outcome = memory.settle()
    assert [decode(v, "incident")["change"] for _, v in outcome.incidents] == ["opened"]
    again = Memory("log-12345678", 0, LIMITS, load_responses("r.yaml", POLICY))
    again.read(outcome.cells)
    (one,), (other,) = memory.pending(), again.pending()
    assert one == other
    planned = [r for r in one["responses"] if r["pending"]]
    assert [r["kind"] for r in one["responses"]] == ["quarantine", "kill_session", "ask"]
    assert [order_of(one, r, "k") for r in planned] == [order_of(other, r, "k") for r in planned]
    given = [{**r, "pending": False, "control_offset": 5 if r["pending"] else None} for r in one["responses"]]
    memory.answer(one["incident_id"], given)
    (told,) = [decode(v, "incident") for _, v in memory.settle().incidents]
    assert told["change"] == "responded"
    assert told["response"] == "quarantine acme/a, kill_session acme/a/s1"
    assert [r["control_offset"] for r in told["responses"]] == [5, 5, None]
    memory.fold(4, group_key("agent", "acme", "a"), (0, 2), critical("a", START + 99_000))
    assert memory.settle().incidents
    assert memory.pending() == []


def test_a_dry_run_only_writes_it_down() -> None:
    policy = load_responses("r.yaml", POLICY.replace(b"metadata:", b"dry_run: true\nmetadata:"))
    memory = Memory("log-12345678", 0, LIMITS, policy)
    memory.fold(3, group_key("agent", "acme", "a"), (0, 1), critical("a", START))
    told = [decode(v, "incident") for _, v in memory.settle().incidents]
    assert memory.pending() == []
    assert [r["dry_run"] for r in told[-1]["responses"]] == [True, True, True]
    assert "(dry run)" in told[-1]["story"]


def test_mistakes_in_a_policy_are_told_with_their_place() -> None:
    with pytest.raises(PraetorError, match=r"r\.yaml:9:.*respond.*quarantine"):
        load_responses("r.yaml", POLICY.replace(b"[quarantine,", b"[shoot,"))
    with pytest.raises(PraetorError, match="no duration"):
        load_responses("r.yaml", POLICY.replace(b"7d", b"long"))


async def test_orders_are_given_once_within_the_guard_rails_and_released(stage: Correlating) -> None:
    policy = stage.folder / "responses.yaml"
    policy.write_bytes(POLICY)
    stage.start(PRAETOR_RESPONSES=str(policy))
    at = START + 10**12  # not over before the test is
    names = ["a0", "trusted-1", "a1", "a2"]
    for number, name in enumerate(names):
        await stage.send([critical(name, at + number, number % 3)])

    async def all_answered():
        last = {r["group_key"]: r for _, _, r in await stage.read(INCIDENTS, "incident")}
        known = [last.get(f"agent/acme/{name}", {"change": ""}) for name in names]
        return known if all(one["change"] == "responded" for one in known) else None

    known = await until(all_answered)
    keys = read_verify_keys(stage.log.keys, CONTROL)
    standing = (await read_view(stage.log.options, keys)).orders.given()
    ours = [g for g in standing if g.reason.startswith("incident ")]
    targets = sorted((g.order.kind, g.order.target.agent) for g in ours)
    hit = {agent for _, agent in targets}
    assert len(hit) == 2
    assert hit < {"a0", "a1", "a2"}
    assert targets == sorted((kind, agent) for kind in ("kill", "quarantine") for agent in hit)
    offsets = {r["control_offset"] for one in known for r in one["responses"]} - {None}
    assert offsets == {g.order.offset for g in ours}
    reasons = [r["reason"] for one in known for r in one["responses"] if r["control_offset"] is None]
    assert any("is exempt" in reason for reason in reasons)
    assert any("the guard allows 2" in reason for reason in reasons)

    one = next(i for i in known if i["agents"][0] in hit)
    assert await _released(stage, one["incident_id"])
    left = (await read_view(stage.log.options, keys)).orders.given()
    assert {g.order.target.agent for g in left} == hit - {one["agents"][0]}

    async def noted():
        told = [r for _, _, r in await stage.read(INCIDENTS, "incident") if r["story"].endswith("Note: oops")]
        return [r["incident_id"] for r in told] == [one["incident_id"]]

    await until(noted)


async def _released(stage: Correlating, name: str) -> bool:
    """Front door: the command, in a process of its own."""
    argv = ["incident", "release", name, "--reason", "oops", "--json", "--topic-prefix", stage.prefix]
    said = await stage.command(*argv)
    return len(json.loads(said)["released"]) == 2
