"""What a backtest found, as one value: what --json prints and what the readable forms are made of."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cli.backtest.gates import Gate
from cli.backtest.sides import Side
from cli.backtest.times import told
from judgement.tally import Example, Group, Tally

MOST_TOLD = 100
NAMES = {
    "denied": "newly denied",
    "approval": "newly waiting for an approval",
    "deferred": "newly deferred",
    "modified": "newly modified",
    "allowed": "newly allowed",
    "arguments": "modified to other arguments",
}
"""Kinds of changes, the gravest first."""


@dataclass(frozen=True)
class Run:
    """What was run: the sides, where the actions came from, in how many seconds by how many workers."""

    old: Side
    new: Side
    source: str
    workers: int
    seconds: float
    remarks: Sequence[str] = ()


def report_of(run: Run, tally: Tally, gates: Sequence[Gate]) -> dict[str, Any]:
    """The report. Groups are the `MOST_TOLD` largest of each kind; `changed` and `kinds` count everything."""
    kinds = tally.kinds()
    every = [(p.name, rule.id) for p in run.new.bundle.content.policies for rule in p.rules]
    never = tally.never_fired(every)
    return {
        "candidate": {"name": run.new.name, "digest": run.new.bundle.digest},
        "against": {"name": run.old.name, "digest": run.old.bundle.digest},
        "source": run.source,
        "actions": tally.actions,
        "agents": tally.agents,
        "warm_up_actions": tally.warmed,
        "misrouted": tally.passed_over,
        "erased": tally.erased,
        "without_snapshot": tally.unremembered,
        "changed": sum(kinds.values()),
        "kinds": {kind: kinds.get(kind, 0) for kind in NAMES},
        "transitions": {f"{a} -> {b}": n for (a, b), n in sorted(tally.transitions.items())},
        "by_rule": _ranked(tally.by_rule.ranked(), ("kind", "old_rule", "new_rule"), MOST_TOLD),
        "by_agent": _ranked(tally.by_agent.ranked(), ("kind", "tenant", "agent_id"), MOST_TOLD),
        "by_tool": _ranked(tally.by_tool.ranked(), ("kind", "tool"), MOST_TOLD),
        "reworded": _groups(tally, "reworded", ("old_rule", "new_rule")),
        "errors": _groups(tally, "errors", ("of",)) | {"mended": tally.mended},
        "threats_found": _groups(tally, "found", ("detector",)),
        "threats_lost": _groups(tally, "lost", ("detector",)),
        "rules": {"all": len(every), "never_fired": ["/".join(rule) for rule in never]},
        "fired": {"/".join(rule): n for rule, n in sorted(tally.fired.items(), key=_most)},
        "verified": _verified(tally),
        "thresholds": [asdict(gate) for gate in gates],
        "remarks": list(run.remarks),
        "seconds": round(run.seconds, 3),
        "rate": round((tally.actions + tally.warmed) / run.seconds) if run.seconds else 0,
        "workers": run.workers,
    }


def _most(item: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    return -item[1], item[0]


def _groups(tally: Tally, name: str, keys: Sequence[str]) -> dict[str, Any]:
    groups = getattr(tally, name)
    return {"count": groups.total, "groups": _ranked(groups.ranked(), keys, MOST_TOLD)}


def _verified(tally: Tally) -> dict[str, Any] | None:
    if not tally.verified:
        return None
    keys = ("recorded_rule", "derived_rule")
    differing = _ranked(tally.differing.ranked(), keys, MOST_TOLD)
    return {"decisions": sum(tally.verified.values()), **tally.verified, "differing": differing}


def _ranked(
    ranked: Sequence[tuple[tuple[str, ...], Group]], names: Sequence[str], most: int
) -> list[dict[str, Any]]:
    seen: dict[str, int] = {}
    shown = []
    for key, group in ranked:
        kind = key[0] if names[0] == "kind" else ""
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= most:
            examples = [_example(example) for example in group.examples]
            shown.append({**dict(zip(names, key, strict=True)), "count": group.count, "examples": examples})
    return shown


def _example(example: Example) -> dict[str, Any]:
    value = example._asdict()
    value["at"] = told(example.received_at)
    value["old"], value["new"] = example.old._asdict(), example.new._asdict()
    return value
