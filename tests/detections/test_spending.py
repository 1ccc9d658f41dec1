"""Spending counts by what judgement counts, and keeps only where the hour began."""

import struct

from detections import activity
from detections.behaviour.spending import CELL, Spending
from tests.detections.coded import run
from tests.policies.builders import make_action

HOUR = 3_600_000


def test_the_cell_is_written_once_an_hour() -> None:
    used = {"action": "chat:model", "cost_usd": 0.1, "input_tokens": 1000}
    actions = [make_action(10 * HOUR + minute * 60_000, minute, **used) for minute in range(120)]
    said = run(Spending(), actions)
    assert [i for i, one in enumerate(said) if CELL in one.changes] == [1, 60]


def test_what_an_hour_costs_is_exact_to_a_billionth() -> None:
    """A tenth has no exact double: ten thousand of them are a thousand dollars all the same, and not more."""
    actions = [make_action(0, i, action="chat:model", cost_usd=0.1) for i in range(10_001)]
    limit = Spending.Settings(most_usd=1000.0)
    said = run(Spending(limit), actions)
    assert [i for i, one in enumerate(said) if one.findings] == [10_000]


def test_a_cell_of_the_version_before_is_begun_anew() -> None:
    used = {"action": "chat:model", "cost_usd": 0.1, "input_tokens": 1000}
    before = struct.pack("<BBBxIdQ12f12f", 1, 0, 0, 9, 150.0, 7, *[0.0] * 24)
    cells = {CELL: before, activity.CELL: activity.count_action(None, 9 * HOUR, denied=False)}
    said = Spending().observe(make_action(10 * HOUR, 1, **used), cells)
    assert not said.findings
    assert said.changes[CELL][0] == 2
