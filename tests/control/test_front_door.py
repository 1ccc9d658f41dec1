"""Orders by command, on a real broker, with two workers: each kind, each target, release, status."""

from pathlib import Path
from typing import Any

from tests.control.conftest import PARTITIONS, Control, asking
from tests.streams.workers import Workers

ORDERS = [
    ("kill", "--tenant", "gone"),
    ("quarantine", "--tenant", "acme", "--agent", "a1"),
    ("kill", "--tenant", "acme", "--agent", "a2", "--session", "s1"),
    ("kill", "--tool", "rm"),
    ("quarantine", "--tool", "sh", "--tool-server", "build"),
    ("kill", "--tool", "pay", "--tenant", "acme"),
    ("grant", "--tenant", "acme", "--agent", "a3", "--action", "write:*", "--action", "pay:*", "--for", "1h"),
    (
        "grant",
        "--tenant",
        "acme",
        "--agent",
        "a1",
        "--action",
        "*:notes",
        "--through-quarantine",
        "--for",
        "1h",
    ),
    ("grant", "--tenant", "acme", "--agent", "a1", "--action", "read:*", "--for", "1h"),
    ("grant", "--tenant", "acme", "--tool", "mail", "--resource", "/ok/*", "--for", "1h"),
    ("grant", "--tenant", "acme", "--agent", "a4", "--session", "s1", "--for", "1h"),
    ("kill", "--tenant", "acme", "--agent", "a5"),
    ("grant", "--tenant", "acme", "--agent", "a5", "--through-quarantine", "--for", "1h"),
]
READ, WRITE, PAY = ({"action": f"{what}:file"} for what in ("read", "write", "pay"))

# what is done, what is decided, the first reason's policy and rule, and what is decided once all is released
PROBES: list[tuple[dict[str, Any], str, str, str]] = [
    (READ, "allow", "asking/reading", "allow"),
    ({**READ, "tenant": "gone"}, "deny", "control/kill", "allow"),
    ({**READ, "tenant": "gone", "phase": "result"}, "deny", "control/kill", "allow"),
    ({**READ, "tenant": "GONE"}, "allow", "asking/reading", "allow"),
    ({**READ, "agent_id": "a1"}, "deny", "control/quarantine", "allow"),
    ({**READ, "agent_id": "a1", "tenant": "other"}, "allow", "asking/reading", "allow"),
    ({"action": "read:notes", "agent_id": "a1"}, "allow", "control/grant", "allow"),
    ({"action": "write:notes", "agent_id": "a1"}, "allow", "control/grant", "deny"),
    ({"action": "write:notes", "agent_id": "a1", "size_bytes": 2000}, "deny", "control/quarantine", "deny"),
    ({**READ, "agent_id": "a2", "session_id": "s1"}, "deny", "control/kill", "allow"),
    ({**READ, "agent_id": "a2", "session_id": "s2"}, "allow", "asking/reading", "allow"),
    ({**READ, "agent_id": "a2"}, "allow", "asking/reading", "allow"),
    ({**READ, "tool": "rm", "tool_server": "any"}, "deny", "control/kill", "allow"),
    ({**READ, "tool": "sh", "tool_server": "build"}, "deny", "control/quarantine", "allow"),
    ({**READ, "tool": "sh", "tool_server": "test"}, "allow", "asking/reading", "allow"),
    ({**READ, "tool": "sh"}, "allow", "asking/reading", "allow"),
    ({**READ, "tool": "pay"}, "deny", "control/kill", "allow"),
    ({**READ, "tool": "pay", "tenant": "other"}, "allow", "asking/reading", "allow"),
    (WRITE, "deny", "bundle/default", "deny"),
    ({**WRITE, "agent_id": "a3"}, "allow", "control/grant", "deny"),
    ({**WRITE, "agent_id": "a3", "size_bytes": 2000}, "deny", "asking/large", "deny"),
    ({"action": "send:file", "agent_id": "a3"}, "deny", "bundle/default", "deny"),
    (PAY, "require_approval", "asking/paying", "require_approval"),
    ({**PAY, "agent_id": "a3"}, "allow", "control/grant", "require_approval"),
    ({**WRITE, "tool": "mail", "resource": "/ok/x"}, "allow", "control/grant", "deny"),
    ({**WRITE, "tool": "mail", "resource": "/ok/../x"}, "deny", "bundle/default", "deny"),
    ({**WRITE, "tool": "mail", "resource": "/no/x"}, "deny", "bundle/default", "deny"),
    ({**WRITE, "agent_id": "a4", "session_id": "s1"}, "allow", "control/grant", "deny"),
    ({**WRITE, "agent_id": "a4", "session_id": "s2"}, "deny", "bundle/default", "deny"),
    ({**READ, "agent_id": "a5"}, "deny", "control/kill", "allow"),
]
WHAT = [probe for probe, *_ in PROBES]


def found(decisions: list[dict[str, Any]]) -> list[tuple[str, str]]:
    firsts = [d["reasons"][0] for d in decisions]
    return [(d["effect"], f"{r['policy']}/{r['rule']}") for d, r in zip(decisions, firsts, strict=True)]


async def test_each_kind_at_each_target_until_it_is_released(control: Control, tmp_path: Path) -> None:
    log = control.log
    prefix = await log.outputs()
    with Workers(log.bootstrap, log.keys, prefix, tmp_path) as workers:
        workers.start(2)
        async with log.following(prefix) as following:
            while len(following.progress) < PARTITIONS:
                await following.step()
            await two_workers(control, prefix)
            given = [
                await control.json(*words, "--reason", f"case {n}", "--no-wait")
                for n, words in enumerate(ORDERS[:-1])
            ]
            last = await control.json(*ORDERS[-1], "--reason", "the last", prefix=prefix)
            assert len(last["applied_after_ms"]) == 2 and not last["not_applied"]
            decisions = await control.judge(prefix, following, WHAT)
            assert found(decisions) == [(effect, reason) for _, effect, reason, _ in PROBES]
            assert {d["control_offset"] for d in decisions} == {last["control_offset"]}
            check_words(decisions, given)

            await control.run("kill", "--fleet", "--reason", "drill", "--yes", prefix=prefix)
            decisions = await control.judge(prefix, following, WHAT)
            assert {d["effect"] for d in decisions} == {"deny"}
            assert {d["severity"] for d in decisions} == {"critical"}

            told = await control.run(
                "release", "--kind", "kill", "--fleet", "--reason", "done", prefix=prefix
            )
            assert "released: kill" in told and told.count("applied after") == 2
            for order in [*given, last]:
                await control.run("release", order["order"][:12], "--reason", "over", "--no-wait")
            assert await control.json("list") == []
            await control.run("kill", "--tool", "unused", "--reason", "to wait for", prefix=prefix)
            decisions = await control.judge(prefix, following, WHAT)
            assert [d["effect"] for d in decisions] == [after for *_, after in PROBES]
            assert all(r["policy"] != "control" for d in decisions for r in d["reasons"])
        workers.check()
        rows = (await control.json("status", prefix=prefix))["workers"]
        assert workers.stop() == 0
        left = (await control.json("status", prefix=prefix))["workers"]
    assert {p for row in rows for p in row["partitions"]} == set(range(PARTITIONS))
    assert len(left) == 1 and left[0]["worker_id"] in {row["worker_id"] for row in rows}


async def two_workers(control: Control, prefix: str) -> None:
    """Wait until both workers say that they have a partition each, and check what else they say."""
    while True:
        told = await control.json("status", prefix=prefix)
        rows = told["workers"]
        if [len(row["partitions"]) for row in rows] == [1, 1]:
            break
    assert sorted(p for row in rows for p in row["partitions"]) == [0, 1]
    for row in rows:
        assert (row["state"], row["lag"]) == ("current", 0)
        assert row["control_offset"] == told["control_offset"]
        assert row["bundle"] == asking().digest and row["bundle_offset"] <= row["control_offset"]
    assert "current" in await control.run("status", prefix=prefix)


def check_words(decisions: list[dict[str, Any]], given: list[dict[str, Any]]) -> None:
    """An order's reason stands first, with its id, author and end; what it overruled stands behind."""
    killed, lifted = decisions[1], decisions[19]
    order = given[0]
    assert killed["reasons"][0]["message"] == (
        f"case 0 (kill {order['order']}, by {order['author']}, until released)"
    )
    assert killed["reasons"][1]["rule"] == "reading" and killed["severity"] == "critical"
    assert lifted["reasons"][0]["message"].startswith(f"case 6 (grant {given[6]['order']}, by ")
    assert lifted["reasons"][1]["rule"] == "default" and lifted["severity"] == "informational"
    assert decisions[4]["severity"] == "high"
