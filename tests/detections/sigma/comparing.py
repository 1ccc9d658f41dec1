"""Compares what the compiled rules say with the oracle."""

import random

from detections.sigma.compiled import NO_MATCH, CompiledRules
from detections.sigma.naive import match_all
from tests.detections.sigma.random_rules import make_action, make_rules

ACTIONS = 20


def compare(seed: int, pairs: int) -> tuple[int, int]:
    """So many pairs of a random rule set and a random action; how many rules matched, and how many untold.

    Raises:
        AssertionError: the two do not say the same; the message repeats it.
    """
    matched = untold = 0
    for place in range(pairs // ACTIONS):
        rng = random.Random(f"{seed}.{place}")
        rules = make_rules(rng)
        actions = [make_action(rng) for _ in range(ACTIONS)]
        seen = [action.body for action in actions[:10]] if place % 2 else []
        compiled = CompiledRules(rules, seen)
        for action in actions:
            said = compiled.match(action)
            wanted = match_all(rules, action)
            assert (list(said.rules), list(said.untold)) == wanted, (
                seed,
                place,
                action.body,
                said,
                wanted,
                rules,
            )
            assert bool(said.errors) == bool(said.untold)
            assert compiled.concerns(action) or said is NO_MATCH
            matched += len(said.rules)
            untold += len(said.untold)
    return matched, untold
