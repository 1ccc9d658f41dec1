"""govern whole against a bare loop without judgement, in turns over the same log."""

import statistics
from typing import Any

from bench.measure import Plan, Spread, alternate, ratios, spread
from bench.memory import ledger_cost, verdict_bytes
from bench.report import Series, Target
from bench.stack import Job, Log, outputs, run_job, running_log

AGENTS = 100
FEW, MANY = 10, 10_000

BARE, BARE_EACH = "bare, one loop", "bare, a loop a partition"
GOVERN_FEW, GOVERN_MANY = f"govern, {FEW} rules", f"govern, {MANY:,} rules"
GOVERN_CEL = f"govern, {MANY:,} rules, a tenth with CEL"
GOVERN_DETECTING = f"govern, {MANY:,} rules, all shipped detections"
AT_LEAST_ONCE = f"govern, {FEW} rules, at-least-once"


def run(plan: Plan) -> Series:
    """Drain one log by all systems in turns."""
    tail = verdict_bytes()
    jobs = {
        BARE: ("bare", {"loops": 1, "verdict_bytes": tail}),
        GOVERN_MANY: ("govern", {"rules": MANY, "transactions": True}),
        GOVERN_CEL: ("govern", {"rules": MANY, "transactions": True, "conditions": True}),
        GOVERN_DETECTING: ("govern", {"rules": MANY, "transactions": True, "detecting": True}),
        GOVERN_FEW: ("govern", {"rules": FEW, "transactions": True}),
        AT_LEAST_ONCE: ("govern", {"rules": FEW, "transactions": False}),
        BARE_EACH: ("bare", {"loops": 12, "verdict_bytes": tail}),
    }
    plan.tell(f"filling a log with {plan.actions:,} actions")
    with running_log(plan.actions, AGENTS) as log:
        found = alternate(
            plan, {name: _drain(log, plan, i, *what) for i, (name, what) in enumerate(jobs.items())}
        )
    plan.tell("the ledger's share")
    ledger = ledger_cost(plan.rounds, 5_000 if plan.quick else 50_000)
    return _series(plan, found, ledger)


def _drain(log: Log, plan: Plan, place: int, kind: str, settings: dict[str, Any]) -> Any:
    def drain(number: int) -> dict[str, Any]:
        prefix = f"s{place}-r{number}-"
        profile = f"profile-{kind}-{place}.txt" if plan.profile and number == plan.rounds else ""
        with outputs(log, prefix):
            return run_job(Job(kind, log, prefix, settings, profile))

    return drain


def _series(plan: Plan, found: dict[str, list[dict[str, Any]]], ledger: list[float]) -> Series:
    rates = {name: [r["rate"] for r in rounds] for name, rounds in found.items()}
    bare = [max(pair) for pair in zip(rates[BARE], rates[BARE_EACH], strict=True)]
    cpu = {name: [r["cpu_us"] for r in rounds] for name, rounds in found.items()}
    series = Series(
        "govern",
        f"govern whole against a bare loop: {plan.actions:,} actions, 12 partitions, one worker",
        (
            "system",
            "actions/s",
            "µs of CPU an action",
            "rate ÷ the faster bare loop's",
            "actions a transaction",
        ),
        raw={"rounds": found, "ledger_us": ledger},
    )
    for name, rounds in found.items():
        sizes = [r["actions"] / r["transactions"] for r in rounds if "transactions" in r]
        series.rows.append(
            (
                name,
                spread(rates[name]).text(0),
                spread(cpu[name]).text(1),
                ratios(rates[name], bare).text(),
                f"{statistics.median(sizes):,.0f}" if sizes else "",
            )
        )
    share = spread([us / cost * 100 for us, cost in zip(ledger, cpu[GOVERN_FEW], strict=True)])
    series.targets = _targets(rates, cpu, bare, share)
    series.notes = _notes(found, ledger)
    return series


def _targets(
    rates: dict[str, list[float]], cpu: dict[str, list[float]], bare: list[float], share: Spread
) -> list[Target]:
    return [
        Target("rate at 10,000 rules ÷ the faster bare loop's", ratios(rates[GOVERN_MANY], bare), 0.8),
        Target("rate at 10,000 rules ÷ the one bare loop's", ratios(rates[GOVERN_MANY], rates[BARE]), 0.8),
        Target("the same, a tenth of the rules with CEL", ratios(rates[GOVERN_CEL], bare), 0.7),
        Target("the same, all shipped detections on", ratios(rates[GOVERN_DETECTING], bare), 0.5),
        Target("CPU an action at 10,000 rules ÷ at 10", ratios(cpu[GOVERN_MANY], cpu[GOVERN_FEW]), most=1.2),
        Target(
            "rate with transactions ÷ at-least-once", ratios(rates[GOVERN_FEW], rates[AT_LEAST_ONCE]), 0.9
        ),
        Target("the ledger's share of govern's CPU", share, most=10, unit=" %"),
    ]


def _notes(found: dict[str, list[dict[str, Any]]], ledger: list[float]) -> list[str]:
    cells = [r["cells"] / r["transactions"] for r in found[GOVERN_FEW]]
    return [
        "From the release of all partitions to the last commit; starts and first transactions are before it.",
        "The bare loop: getmany → fastavro (plain types) → as many bytes a decision by send_batch, one"
        " transaction a batch; same client settings. It keeps no state, progress or ledger, nor offsets. One"
        " loop over all partitions waits for each commit; a loop a partition, as govern is built, does not.",
        f"Ledger: {spread(ledger).text()} µs an action (leaf, digests of texts, Merkle frontier), found by"
        " judging in turns with its hashing and without it, divided by govern's CPU an action.",
        f"State records a transaction, progress among them: {statistics.median(cells) + 1:,.0f}"
        f" ({AGENTS} agents).",
    ]
