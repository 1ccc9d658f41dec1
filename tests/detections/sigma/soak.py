"""`python -m tests.detections.sigma.soak`: the compiled rules against the oracle, on random worlds."""

import argparse
import sys

from tests.detections.sigma.comparing import ACTIONS, compare

STEP = 1_000


def main() -> None:
    """Compare; the world in which they differ, and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.detections.sigma.soak", description=__doc__)
    parser.add_argument("--pairs", type=int, default=60_000, help="rule set and action (60000)")
    parser.add_argument("--seed", type=int, default=1_000, help="of the first thousand (1000)")
    wanted = parser.parse_args()
    matched = untold = 0
    for step in range(-(-wanted.pairs // STEP)):
        try:
            found = compare(wanted.seed + step, STEP)
        except AssertionError as error:
            sys.exit(f"the compiled rules and the oracle differ\n{error}")
        matched, untold = matched + found[0], untold + found[1]
    print(f"{wanted.pairs} pairs agree ({ACTIONS} actions a rule set): {matched} matches, {untold} untold")


if __name__ == "__main__":
    main()
