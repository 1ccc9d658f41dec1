"""Correlations and actions for tests, with as little said as possible."""

import json
from itertools import count
from typing import Any
from uuid import UUID

from detections.sigma.correlation.compiled import Correlations
from detections.sigma.correlation.model import Correlation
from schemas.action import Action, read_action
from schemas.codec import encode

NUMBERS = {"one": 1, "two": 2, "three": 3}
START = 1_700_000_000_000
_IDS = count(1)


def correlation(kind: str, **said: Any) -> Correlation:
    """A correlation of the rule `one`, an agent's, within ten seconds."""
    made = {"name": "it", "title": "It", "kind": kind, "rules": ["one"], "group_by": ["agent_id"]}
    return Correlation.model_validate(made | {"timespan": 10} | said)


def act(at: float, arguments: Any = None, **fields: Any) -> Action:
    """An action, so many seconds after the start."""
    received = START + round(at * 1000)
    made = {
        "event_id": str(UUID(int=next(_IDS))),
        "tenant": "acme",
        "agent_id": "a",
        "occurred_at": received * 1000,
        "action": "read:file",
        "resource": "x",
        "arguments": arguments if arguments is None or isinstance(arguments, str) else json.dumps(arguments),
    }
    return read_action(encode("action_event", made | fields), received)


class Agent:
    """One agent's cells, followed by some correlations."""

    def __init__(self, *correlations: Correlation, skew_ms: int = 60_000) -> None:
        self.engine = Correlations(correlations, NUMBERS, skew_ms)
        self.cells: dict[str, bytes] = {}
        self.errors: tuple[str, ...] = ()

    def sees(self, action: Action, *rules: str) -> tuple[list[str], list[str]]:
        """What is on, and what fires; what changed is kept."""
        said = self.engine.observe(action, [NUMBERS[rule] for rule in rules], self.cells)
        assert set(said.changes) <= set(self.engine.cells)
        self.cells |= said.changes
        self.findings, self.errors = said.findings, said.errors
        return list(said.on), [f.detector for f in said.findings]
