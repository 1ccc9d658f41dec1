"""The activity cell counts."""

import math
import struct

import pytest

from detections.activity import Activity, count_action, read_activity, used_before
from schemas.usage import Used
from tests.policies.builders import make_action


def test_counts_actions_denials_and_times() -> None:
    cell = None
    for at, denied in ((10, False), (20, True), (20, True), (35, False)):
        cell = count_action(cell, at, denied)
        assert len(cell) == 32
    assert cell is not None
    assert read_activity(cell) == Activity(4, 2, 10, 35)


def test_counts_what_is_used_from_the_first_use_on() -> None:
    cell = count_action(None, 1, False)
    assert used_before(cell) == (0, 0)
    for number, used in enumerate(((5, 0), (0, 0), (7, 2_500_000_000))):
        cell = count_action(cell, 2 + number, False, Used(*used))
        assert len(cell) == 48
    assert used_before(cell) == (12, 2_500_000_000)
    assert read_activity(cell) == Activity(4, 0, 1, 4)
    assert used_before(count_action(cell, 9, False, Used(2**64, 2**64))) == (2**63, 2**63)


@pytest.mark.parametrize(
    ("fields", "used"),
    [
        ({}, (0, 0)),
        ({"input_tokens": 3, "output_tokens": 4, "cost_usd": 0.25}, (7, 250_000_000)),
        ({"input_tokens": -3, "output_tokens": 4, "cost_usd": -1.0}, (4, 0)),
        ({"cost_usd": math.nan}, (0, 0)),
        ({"cost_usd": math.inf}, (0, 0)),
        ({"cost_usd": 1e300}, (0, 2**63)),
    ],
)
def test_what_is_no_amount_counts_as_none(fields: dict[str, float], used: tuple[int, int]) -> None:
    assert make_action(**fields).used()[:2] == used


def test_empty_is_new() -> None:
    assert count_action(b"", 7, True) == count_action(None, 7, True)


def test_another_cell_is_an_error() -> None:
    with pytest.raises(struct.error):
        count_action(b"x", 1, False)
