"""A rival's process: `python -m bench.rivals NAME`. A line of JSON in, a line of JSON out.

First the rules; the answer is the seconds that loading took. Then requests, with the seconds they may take;
the answer is what each cost in microseconds, and whether it was allowed. Requests left over are not answered.
"""

import importlib
import json
import logging
import sys
import time

from bench.rivals.plain import Ready, Request, Rule

MODULES = {"cedarpy": "cedar", "pycasbin": "casbin_fast", "agent-governance-toolkit": "toolkit"}
LEAST = 20
"""Requests that are answered however long they take."""


def main() -> None:
    """Serve until the input ends."""
    logging.disable(logging.CRITICAL)
    made = importlib.import_module(f"bench.rivals.{MODULES[sys.argv[1]]}").make
    rules = [Rule(*row) for row in json.loads(sys.stdin.readline())]
    started = time.perf_counter()
    ready = made(rules)
    print(json.dumps(time.perf_counter() - started), flush=True)
    for line in sys.stdin:
        seconds, rows = json.loads(line)
        print(json.dumps(_decide(ready, [Request(*row) for row in rows], seconds)), flush=True)


def _decide(ready: Ready, requests: list[Request], seconds: float) -> tuple[list[float], list[bool]]:
    shaped = [ready.shape(request) for request in requests]
    costs: list[float] = []
    allowed: list[bool] = []
    clock, end = time.perf_counter_ns, time.perf_counter_ns() + seconds * 1e9
    for request in shaped:
        started = clock()
        found = ready.decide(request)
        costs.append((clock() - started) / 1000)
        allowed.append(found)
        if len(costs) >= LEAST and clock() > end:
            break
    return costs, allowed


if __name__ == "__main__":
    main()
