"""One decision here and by others' engines: the same rules, the same actions, in turns in one run."""

import json
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.load import make_bundle
from bench.measure import Plan, alternate, quantile, ratios, spread
from bench.policies import time_each
from bench.report import Series, Target
from bench.rivals.plain import Request
from bench.rivals.plain import Rule as Plain
from bench.rulesets import half_said, meeting, read
from judgement.rules import compile_rules
from policies.rule import Rule
from runtime.errors import PraetorError
from schemas.action import Action
from schemas.verdict import Effect

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-rivals" / "bin" / "python"
RIVALS = {
    "cedarpy": "Cedar in Rust; resources are compared in the context.",
    "pycasbin": "FastEnforcer, by agent and action; what is for all agents stands once for each agent.",
    "agent-governance-toolkit": "its Python engine, a policy an agent; without prefixes: the folder is told.",
}
COUNTS = (100, 1_000, 10_000)
SECONDS = 1.0
"""How long a rival decides in a round, at 10,000 rules a few dozen times."""

Found = tuple[list[float], list[bool]]
KNOWN = ["read:file", "write:file", "call:tool"]
"""What `read:*`, `write:*` and `call:*` come to here: others have no wildcards in actions."""


def run(plan: Plan) -> Series:
    """Decide in turns; rivals that are not installed are left out, and the notes say so."""
    counts = COUNTS[:1] if plan.quick else COUNTS
    systems: dict[str, Callable[[int], Found]] = {}
    missing: dict[str, str] = {}
    loading: dict[str, float] = {}
    with ExitStack() as stack:
        for count in counts:
            rules = half_said(count)
            framed = meeting(rules[:-2], 500 if plan.quick else 5_000, seed=1)
            systems[f"praetor, {count:,} rules"] = _ours(rules, framed)
            for name in RIVALS:
                if name in missing:
                    continue
                try:
                    rival = _start(stack, name)
                    loading[f"{name}, {count:,} rules"] = _ask(rival, [plain(rule) for rule in rules])
                except PraetorError as error:
                    missing[name] = str(error)
                    continue
                systems[f"{name}, {count:,} rules"] = _theirs(rival, read(framed), plan.quick)
        found = alternate(plan, systems)
    _compare(found, counts)
    return _series(found, missing, loading, counts)


def _ours(rules: Sequence[Rule], framed: Sequence[bytes]) -> Callable[[int], Found]:
    index = compile_rules(make_bundle(rules)).index

    def run_once(number: int) -> Found:
        allowed = [index.decide(action).verdict.effect is Effect.allow for action in read(framed)]
        return time_each(index.decide, read(framed)), allowed

    return run_once


def _theirs(rival: "subprocess.Popen[str]", actions: Sequence[Action], quick: bool) -> Callable[[int], Found]:
    requests = [_request(action) for action in actions]
    seconds = 0.1 if quick else SECONDS

    def run_once(number: int) -> Found:
        costs, allowed = _ask(rival, [seconds, requests])
        return costs, allowed

    return run_once


def _start(stack: ExitStack, name: str) -> "subprocess.Popen[str]":
    if not PYTHON.exists():
        raise PraetorError("not installed; `make bench` installs it where it can")
    pipe = subprocess.PIPE
    argv = [str(PYTHON), "-m", "bench.rivals", name]
    rival = subprocess.Popen(argv, cwd=ROOT, text=True, stdin=pipe, stdout=pipe, stderr=pipe)
    stack.enter_context(rival)
    stack.callback(rival.kill)
    return rival


def _ask(rival: "subprocess.Popen[str]", told: Any) -> Any:
    assert rival.stdin and rival.stdout and rival.stderr
    try:
        rival.stdin.write(json.dumps(told) + "\n")
        rival.stdin.flush()
        answer = rival.stdout.readline()
    except BrokenPipeError:
        answer = ""
    if not answer:
        told = rival.stderr.read().strip().splitlines()
        raise PraetorError(f"it does not run: {told[-1] if told else 'it says nothing'}")
    return json.loads(answer)


def plain(rule: Rule) -> Plain:
    """A rule in the words that rivals are told."""
    match = rule.match
    actions = [str(a) for a in match.actions or ()]
    return Plain(
        rule.id,
        rule.effect == "deny",
        str(match.agents[0]) if match.agents else "",
        [k for k in (*KNOWN, "exec:shell") if any(k == a or k.startswith(a.rstrip("*")) for a in actions)],
        str(match.resources[0]).removesuffix("/*") if match.resources else "",
        int(str(rule.when).split()[-1]) if rule.when else 0,
    )


def _request(action: Action) -> Request:
    folder, _, _ = action.resource.partition("/src/")
    limit = json.loads(action.arguments or "{}")["limit"]
    return Request(action.agent_id, action.action, action.resource, folder, action.get("cost_usd"), limit)


def _compare(found: dict[str, list[Found]], counts: Sequence[int]) -> None:
    """Whoever is measured beside us must say what we say.

    Raises:
        PraetorError: it does not: then the rules are not the same.
    """
    for name, rounds in found.items():
        count = name.partition(", ")[2]
        ours = found[f"praetor, {count}"][0][1]
        for _, allowed in rounds:
            if allowed != ours[: len(allowed)]:
                raise PraetorError(f"{name}: does not decide as praetor does; the figures would say nothing")


def _series(
    found: dict[str, list[Found]], missing: dict[str, str], loading: dict[str, float], counts: Sequence[int]
) -> Series:
    p50, p99 = ({n: [quantile(c, q) for c, _ in rounds] for n, rounds in found.items()} for q in (0.5, 0.99))
    series = Series(
        "rivals",
        "one decision beside others' engines: µs of each",
        ("engine, rules", "p50", "p99", "p50 ÷ praetor's", "seconds to load"),
        raw={"p50": p50, "p99": p99, "missing": missing},
    )
    for name in found:
        beside = ratios(p50[name], p50[f"praetor, {name.partition(', ')[2]}"])
        loaded = f"{loading[name]:.2f}" if name in loading else ""
        series.rows.append(
            (name, spread(p50[name]).text(1), spread(p99[name]).text(1), beside.text(), loaded)
        )
    for name in RIVALS:
        if name not in missing:
            mine, its = (p50[f"{n}, {counts[-1]:,} rules"] for n in ("praetor", name))
            told = f"p50 of {name} ÷ praetor's at {counts[-1]:,} rules"
            series.targets.append(Target(told, ratios(its, mine), least=1.0))
    series.notes = [
        "The same rules, a tenth with a condition, and the same actions, each of which meets a rule; every"
        " engine said the same of each of them.",
        *(f"{name}: {missing.get(name) or told}" for name, told in RIVALS.items()),
        "Left out of theirs: reasons with messages, severities and tags, limits, detections, wildcards in"
        " actions (written out), what makes a request ready for their call. Ours is Index.decide.",
    ]
    return series
