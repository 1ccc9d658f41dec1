"""The activity cell counts."""

import struct

import pytest

from detections.activity import Activity, count_action, read_activity


def test_counts_actions_denials_and_times() -> None:
    cell = None
    for at, denied in ((10, False), (20, True), (20, True), (35, False)):
        cell = count_action(cell, at, denied)
        assert len(cell) == 32
    assert cell is not None
    assert read_activity(cell) == Activity(4, 2, 10, 35)


def test_empty_is_new() -> None:
    assert count_action(b"", 7, True) == count_action(None, 7, True)


def test_another_cell_is_an_error() -> None:
    with pytest.raises(struct.error):
        count_action(b"x", 1, False)
