"""`python -m bench`: what Praetor costs, measured against baselines that take turns with it in one run."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench import (
    agents,
    archive,
    backtest,
    bundles,
    detecting,
    forward,
    govern,
    hostile,
    latency,
    policies,
    rules,
    sdk,
    side_by_side,
    sigma,
)
from bench.measure import Plan
from bench.report import Series, as_json, as_markdown, show
from bench.stack import quiet
from runtime.errors import PraetorError, Unavailable

SERIES: dict[str, Callable[[Plan], Series]] = {
    "govern": govern.run,
    "rules": rules.run,
    "policies": policies.run,
    "rivals": side_by_side.run,
    "sigma": sigma.run,
    "detecting": detecting.run,
    "bundles": bundles.run,
    "agents": agents.run,
    "archive": archive.run,
    "forward": forward.run,
    "backtest": backtest.run,
    "latency": latency.run,
    "sdk": sdk.run,
    "hostile": hostile.run,
}

WIDTH = 120

EXAMPLES = """\
examples:
  python -m bench                          every series, 5 rounds (some 30 minutes on 2 cores)
  python -m bench rules agents             two of them
  python -m bench govern --rounds 9 --json figures.json --markdown docs/benchmarks.md
  python -m bench backtest --actions 1000000 --rounds 3
  python -m bench govern --rounds 1 --profile     where govern's time goes (profile-*.txt)
  python -m bench --quick                  does everything run? (figures mean nothing)
"""


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line; errors end with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"series: {', '.join(SERIES)} (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds, after one to warm up (5)")
    parser.add_argument("--actions", type=int, default=480_000, help="actions in a drained log (480000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures for machines")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the tables of docs/benchmarks.md"
    )
    parser.add_argument("--profile", action="store_true", help="profile the last round (it is slower)")
    parser.add_argument("--quick", action="store_true", help="one round of tiny sizes")
    found = parser.parse_args(arguments)
    unknown = [name for name in found.names if name not in SERIES]
    if unknown or found.rounds < 1 or found.actions < 1:
        parser.error(f"series are {', '.join(SERIES)}; rounds and actions are at least 1")
    return found


def main() -> None:
    """Measure and print."""
    wanted = parse(sys.argv[1:])
    quiet()
    told, shown = Console(stderr=True), Console()
    shown.width = max(shown.width, WIDTH)
    plan = Plan(
        rounds=1 if wanted.quick else wanted.rounds,
        actions=min(wanted.actions, 24_000) if wanted.quick else wanted.actions,
        quick=wanted.quick,
        profile=wanted.profile,
        tell=lambda text: told.print(text, style="dim", highlight=False),
    )
    found = []
    try:
        for name in wanted.names or SERIES:
            plan.tell(f"series {name}")
            found.append(SERIES[name](plan))
            show(found[-1], shown)
    except (PraetorError, Unavailable) as error:
        sys.exit(f"bench: {error}")
    if wanted.json:
        wanted.json.write_text(json.dumps(as_json(found), indent=1) + "\n")
    if wanted.markdown:
        wanted.markdown.write_text(as_markdown(found))


if __name__ == "__main__":
    main()
