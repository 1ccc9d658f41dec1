"""Detectors in code over the events of a case, as judgement runs them: told decisions, activity counted."""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from detections import activity
from detections.carried import Content
from detections.engine import Detections
from detections.settings import Settings
from schemas.action import Action

ENGINES = 64


def run_code(
    events: Iterable[tuple[Action, bool]], settings: Mapping[str, Any]
) -> tuple[frozenset[str], tuple[str, ...]]:
    """What detectors in code find at the last event, and what failed there; agents are kept apart.

    Args:
        events: actions, and whether each is denied.
        settings: of detectors by their names; what is not set has its default.
    """
    try:
        engine = _engine(json.dumps(settings, sort_keys=True))
    except ValidationError as error:
        return frozenset(), (f"the case's settings: {error.errors(include_url=False)[0]['msg']}",)
    cells: dict[bytes, dict[str, bytes]] = {}
    found, errors = frozenset[str](), tuple[str, ...]()
    for action, denied in events:
        own = cells.setdefault(action.agent, {})
        seen = engine.observe(action, own)
        settled = engine.settle(action, denied, own, seen)
        counted = activity.count_action(own.get(activity.CELL), action.received_at, denied, action.used())
        own.update({activity.CELL: counted, **seen.changes, **settled.changes})
        found = frozenset(finding.detector for finding in (*seen.findings, *settled.findings))
        errors = (*seen.failures, *settled.failures)
    return found, errors


@lru_cache(maxsize=ENGINES)
def _engine(settings: str) -> Detections:
    content = Content(Settings.read(json.loads(settings)))
    return Detections(content, content.names(), recalls=False)
