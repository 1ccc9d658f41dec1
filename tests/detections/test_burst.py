"""The burst of denials against its definition, told over the whole history at once."""

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detections.burst import ID, MOST, DenialBurst, DenialBurstSettings, read_cell, write_cell
from detections.detector import LARGEST_CELL, NOTHING, Findings
from schemas.action import Action
from schemas.verdict import Severity
from tests.policies.builders import make_action

WINDOW = 2000

STEPS = st.lists(
    st.lists(
        st.tuples(st.sampled_from((0, 1, 90, 200, 1999, 2000, 2001)), st.booleans()), min_size=1, max_size=60
    ),
    min_size=10,
    max_size=10,
)


class Kept:
    """A detector beside the one cell that it keeps."""

    def __init__(self, count: int = 3, cell: bytes | None = None) -> None:
        self.detector = DenialBurst(DenialBurstSettings(count=count, window_seconds=WINDOW // 1000))
        self.cell = cell

    def observe(self, action: Action) -> bool:
        """Whether a burst is on."""
        said = self.detector.observe(action, self.cells())
        self.cell = said.changes.get(ID, self.cell)
        assert said.findings == ()
        return ID in said.on

    def settle(self, action: Action, denied: bool = True) -> Findings:
        """What the decision completes."""
        said = self.detector.settle(action, denied, self.cells())
        self.cell = said.changes.get(ID, self.cell)
        return said.findings

    def cells(self) -> dict[str, bytes]:
        return {} if self.cell is None else {ID: self.cell}


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
        kept = Kept(count, cell)
        assert kept.observe(action) == (len(live) >= count)
        assert kept.cell == (cell if live or not cell else b"")
        kept = Kept(count, kept.cell)
        findings = kept.settle(action, denied)
        cell = kept.cell
        denials += [(now, action.event_id)] * denied
        live += [(now, action.event_id)] * denied
        assert [(d.at, str(uuid.UUID(bytes=d.event))) for d in read_cell(cell)][-1:] == live[-1:]
        assert bool(findings) == (denied and len(live) == count)
        for found in findings:
            assert found.evidence == tuple(event for _, event in live)
            assert (found.first_at, found.last_at) == (live[0][0], now)


def burst_of(count: int, step: int = 1) -> tuple[bytes | None, list[str]]:
    """The cell after so many denials, and the dedup keys raised."""
    kept = Kept()
    keys = [f.dedup_key for i in range(count) for f in kept.settle(make_action(i * step, i))]
    return kept.cell, keys


def test_one_finding_a_burst_and_another_after_a_pause() -> None:
    assert burst_of(50)[1] == [f"{ID}/acme/a1/0-2"]
    kept = Kept(cell=burst_of(50)[0])
    keys = [f.dedup_key for i in range(5) for f in kept.settle(make_action(9000 + i, i))]
    assert keys == [f"{ID}/acme/a1/9000-9002"]


def test_slow_denials_are_no_burst() -> None:
    assert burst_of(50, step=WINDOW // 2)[1] == []


def test_the_finding_says_what_happened() -> None:
    kept = Kept()
    (finding,) = (f for i in range(3) for f in kept.settle(make_action(i * 100, i, agent_id="a/b")))
    assert finding.message == "3 actions of this agent were denied within 0.2 s (threshold: 3 within 2 s)"
    assert finding.dedup_key == f"{ID}/acme/a%2Fb/0-200"
    assert finding.severity is Severity.high
    assert "ASI10" in finding.tags
    assert finding.runbook


def test_the_largest_cell_stays_within_its_limit() -> None:
    kept = Kept(MOST)
    for i in range(3 * MOST):
        kept.settle(make_action(i, i))
    assert len(kept.cell or b"") <= LARGEST_CELL
    assert len(read_cell(kept.cell)) == MOST


def test_thresholds_may_change_between_two_actions() -> None:
    cell, _ = burst_of(3)
    assert Kept(2, cell).observe(make_action(3))
    assert not Kept(4, cell).observe(make_action(3))
    shorter = Kept(2, cell)
    assert shorter.settle(make_action(3, 9)) == ()
    assert len(read_cell(shorter.cell)) == 2


def test_the_cell_is_not_written_without_need() -> None:
    cell, _ = burst_of(3)
    detector = DenialBurst(DenialBurstSettings(count=3))
    assert detector.observe(make_action(3), {ID: cell or b""}).changes == {}
    assert detector.settle(make_action(3), False, {ID: cell or b""}) is NOTHING
    assert detector.observe(make_action(3), {}) is NOTHING


@pytest.mark.parametrize(
    "cell", [b"\x01", b"\x02\x01" + bytes(24), b"\x01\x00", b"\x01\x02" + bytes(24), b"\x01\x29" + bytes(984)]
)
def test_a_foreign_cell_is_an_error(cell: bytes) -> None:
    with pytest.raises(ValueError, match="a cell of"):
        Kept(cell=cell).observe(make_action())
    with pytest.raises(ValueError, match="a cell of"):
        Kept(cell=cell).settle(make_action())


def test_cells_survive() -> None:
    cell, _ = burst_of(3)
    assert write_cell(read_cell(cell)) == cell
    assert write_cell([]) == b""


@pytest.mark.parametrize(("count", "window"), [(1, 10), (MOST + 1, 10), (5, 0)])
def test_senseless_thresholds_are_refused(count: int, window: int) -> None:
    with pytest.raises(ValueError, match="should be"):
        DenialBurstSettings(count=count, window_seconds=window)
