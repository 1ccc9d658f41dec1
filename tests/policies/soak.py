"""`python -m tests.policies.soak`: the index against the naive evaluator on many random worlds.

Each world is seeded by its number; one that fails is run again by `--first N --pairs 1`.
"""

import argparse
import sys
from collections import Counter

from rich.progress import track

from tests.policies.oracle import compare

ACTIONS = 120
RULES = (1, 3, 8, 40, 120)


def main() -> None:
    """Compare; the seed of the first world in which they differ, and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.policies.soak", description=__doc__)
    parser.add_argument("--pairs", type=int, default=100_000, help="at least so many (100000)")
    parser.add_argument("--first", type=int, default=0, help="the first world's number (0)")
    wanted = parser.parse_args()
    seen: Counter[str] = Counter()
    worlds = -(-wanted.pairs // ACTIONS)
    for number in track(range(wanted.first, wanted.first + worlds), "worlds"):
        try:
            seen += compare(number, RULES[number % len(RULES)], ACTIONS)
        except AssertionError as error:
            sys.exit(f"world {number}: the index and the naive evaluator differ\n{error}")
    told = ", ".join(f"{count} {what}" for what, count in sorted(seen.items()))
    print(f"{worlds * ACTIONS} pairs agree: {told}")


if __name__ == "__main__":
    main()
