"""`python -m tests.detections.correlations.soak`: correlations against brute force on many random streams.

Each stream is seeded by its number; one that fails is run again by `--first N --streams 1`.
"""

import argparse
import sys
from collections import Counter

from rich.progress import track

from tests.detections.correlations.comparing import compare


def main() -> None:
    """Compare; the number of the first stream in which they differ, and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.detections.correlations.soak", description=__doc__)
    parser.add_argument("--streams", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--first", type=int, default=0, help="the first one's number (0)")
    wanted = parser.parse_args()
    seen: Counter[str] = Counter()
    for number in track(range(wanted.first, wanted.first + wanted.streams), "streams"):
        try:
            seen += compare(number)
        except AssertionError as error:
            sys.exit(str(error))
    told = ", ".join(f"{count} {what}" for what, count in sorted(seen.items()))
    print(f"{wanted.streams} streams agree: {told}")


if __name__ == "__main__":
    main()
