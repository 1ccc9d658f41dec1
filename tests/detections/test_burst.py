"""The burst of denials against its definition, told over the whole history at once."""

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detections.burst import ID, MOST, DenialBurst, read_cell, write_cell
from detections.detector import LARGEST_CELL
from schemas.verdict import Severity
from tests.policies.builders import make_action

WINDOW = 1000

STEPS = st.lists(
    st.lists(
        st.tuples(st.sampled_from((0, 1, 90, 200, 999, 1000, 1001)), st.booleans()), min_size=1, max_size=60
    ),
    min_size=10,
    max_size=10,
)


def make_detector(count: int = 3) -> DenialBurst:
    return DenialBurst(count, WINDOW, Severity.high)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(2, 6))
def test_equals_its_definition(streams: list[list[tuple[int, bool]]], count: int) -> None:
    for steps in streams:
        check_stream(steps, count)


def check_stream(steps: list[tuple[int, bool]], count: int) -> None:
    """A new detector at each step: nothing but the cell's bytes is carried on."""
    cell: bytes | None = None
    denials: list[tuple[int, str]] = []
    now = 5000
    for number, (pause, denied) in enumerate(steps):
        now += pause
        action = make_action(now, number)
        live = [d for d in denials if now - d[0] < WINDOW]
        observed, revealed, on = make_detector(count).observe(action, cell)
        assert on == (len(live) >= count)
        assert revealed == ()
        assert observed == (cell if live or not cell else b"")
        cell, findings = make_detector(count).settle(action, denied, observed)
        denials += [(now, action.event_id)] * denied
        live += [(now, action.event_id)] * denied
        assert [(d.at, str(uuid.UUID(bytes=d.event))) for d in read_cell(cell)][-1:] == live[-1:]
        assert bool(findings) == (denied and len(live) == count)
        for found in findings:
            assert found.evidence == tuple(event for _, event in live)
            assert (found.first_at, found.last_at) == (live[0][0], now)


def burst_of(count: int, step: int = 1) -> tuple[bytes | None, list[str]]:
    """The cell after so many denials, and the dedup keys raised."""
    detector, cell, keys = make_detector(), None, []
    for i in range(count):
        cell, found = detector.settle(make_action(i * step, i), True, cell)
        keys += [f.dedup_key for f in found]
    return cell, keys


def test_one_finding_a_burst_and_another_after_a_pause() -> None:
    assert burst_of(50)[1] == [f"{ID}/acme/a1/0-2"]
    cell, _ = burst_of(50)
    detector = make_detector()
    keys = []
    for i in range(5):
        cell, found = detector.settle(make_action(9000 + i, i), True, cell)
        keys += [f.dedup_key for f in found]
    assert keys == [f"{ID}/acme/a1/9000-9002"]


def test_slow_denials_are_no_burst() -> None:
    assert burst_of(50, step=WINDOW // 2)[1] == []


def test_the_finding_says_what_happened() -> None:
    detector, cell = make_detector(), None
    for i in range(3):
        cell, found = detector.settle(make_action(i * 100, i, agent_id="a/b"), True, cell)
    finding = found[0]
    assert finding.message == "3 actions of this agent were denied within 0.2 s (threshold: 3 within 1 s)"
    assert finding.dedup_key == f"{ID}/acme/a%2Fb/0-200"
    assert finding.severity is Severity.high
    assert "ASI10" in finding.tags


def test_the_largest_cell_stays_within_its_limit() -> None:
    detector, cell = DenialBurst(MOST, WINDOW, Severity.high), None
    for i in range(3 * MOST):
        cell, _ = detector.settle(make_action(i, i), True, cell)
    assert cell is not None
    assert len(cell) <= LARGEST_CELL
    assert len(read_cell(cell)) == MOST


def test_thresholds_may_change_between_two_actions() -> None:
    cell, _ = burst_of(3)
    assert make_detector(2).observe(make_action(3), cell)[2]
    assert not make_detector(4).observe(make_action(3), cell)[2]
    shorter, found = make_detector(2).settle(make_action(3, 9), True, cell)
    assert len(read_cell(shorter)) == 2
    assert found == ()


def test_the_cell_is_not_written_without_need() -> None:
    cell, _ = burst_of(3)
    detector = make_detector()
    assert detector.observe(make_action(3), cell)[0] is cell
    assert detector.settle(make_action(3), False, cell)[0] is cell
    assert detector.settle(make_action(3), False, None)[0] is None


@pytest.mark.parametrize(
    "cell", [b"\x01", b"\x02\x01" + bytes(24), b"\x01\x00", b"\x01\x02" + bytes(24), b"\x01\x29" + bytes(984)]
)
def test_a_foreign_cell_is_an_error(cell: bytes) -> None:
    with pytest.raises(ValueError, match="a cell of"):
        make_detector().observe(make_action(), cell)
    with pytest.raises(ValueError, match="a cell of"):
        make_detector().settle(make_action(), True, cell)


def test_cells_survive() -> None:
    cell, _ = burst_of(3)
    assert write_cell(read_cell(cell)) == cell
    assert write_cell([]) == b""


@pytest.mark.parametrize(("count", "window"), [(1, 10), (MOST + 1, 10), (5, 0)])
def test_senseless_thresholds_are_refused(count: int, window: int) -> None:
    with pytest.raises(ValueError, match="count must be"):
        DenialBurst(count, window, Severity.high)
