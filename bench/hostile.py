"""govern over a log in which one action in a hundred does not decode, in turns with a clean log."""

from contextlib import ExitStack
from typing import Any

from bench.measure import Plan, alternate, ratios, spread
from bench.report import Series, Target
from bench.stack import Job, Log, outputs, run_job, running_log

AGENTS = 100
RULES = 10
SHARE = 0.01

CLEAN, SPOILT = "clean", "1 % undecodable"


def run(plan: Plan) -> Series:
    """Drain both logs in turns; each is on a broker of its own, the other then being idle."""
    plan.tell(f"filling two logs with {plan.actions:,} actions each")
    with ExitStack() as logs:
        systems = {
            name: _drain(logs.enter_context(running_log(plan.actions, AGENTS, RULES, spoilt)), plan, i)
            for i, (name, spoilt) in enumerate(((CLEAN, 0.0), (SPOILT, SHARE)))
        }
        return _series(plan, alternate(plan, systems))


def _drain(log: Log, plan: Plan, place: int) -> Any:
    def drain(number: int) -> dict[str, Any]:
        prefix = f"h{place}-r{number}-"
        profile = f"profile-hostile-{place}.txt" if plan.profile and number == plan.rounds else ""
        with outputs(log, prefix):
            return run_job(Job("govern", log, prefix, {"rules": RULES, "transactions": True}, profile))

    return drain


def _series(plan: Plan, found: dict[str, list[dict[str, Any]]]) -> Series:
    rates = {name: [r["rate"] for r in rounds] for name, rounds in found.items()}
    cpu = {name: [r["cpu_us"] for r in rounds] for name, rounds in found.items()}
    return Series(
        "hostile",
        f"govern with one action in a hundred that does not decode: {plan.actions:,} actions, 12 partitions",
        ("log", "actions/s", "µs of CPU an action", "rate ÷ the clean log's"),
        [
            (
                name,
                spread(rates[name]).text(0),
                spread(cpu[name]).text(1),
                ratios(rates[name], rates[CLEAN]).text(),
            )
            for name in found
        ],
        [
            Target("rate with 1 % undecodable ÷ clean", ratios(rates[SPOILT], rates[CLEAN]), 0.9),
            Target("CPU an action with 1 % undecodable ÷ clean", ratios(cpu[SPOILT], cpu[CLEAN]), most=1.1),
        ],
        [
            "Undecodable actions are of ordinary size: cut, of an unknown schema, with bytes changed or"
            " random ones. Each becomes a dead letter, in the same transactions. Their producers do not"
            " number them: where one does, each also leaves a gap in its numbers, which is a finding.",
        ],
        {"rounds": found},
    )
