"""A short seeded run of what `make chaos` does at length; and the schedule that both follow."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.faults import INFLICT
from tests.chaos.schedule import KINDS, schedule

# 12 faults in 4 steps: a zombie, a broker killed in a transaction, a full disk, lost answers, the supervisor
SEED, FAULTS = 8670, 12


def test_a_dozen_faults_leave_no_trace(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.chaos", "--seed", str(SEED), "--faults", str(FAULTS)]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=230,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert f"{FAULTS} faults in" in done.stdout and ": 0 violations" in done.stdout
    kinds = re.search(r"threats of (\d+) kinds", done.stdout)
    assert kinds and int(kinds[1]) >= 20, "the shipped detections were on, and found something"


def test_the_seed_is_the_schedule_and_every_kind_has_its_turn() -> None:
    faults = [fault for step in schedule(5, 2 * len(KINDS)) for fault in step]
    assert schedule(5, 2 * len(KINDS)) == schedule(5, 2 * len(KINDS)) != schedule(6, 2 * len(KINDS))
    assert sorted(fault.number for fault in faults) == list(range(2 * len(KINDS)))
    assert Counter(fault.kind.name for fault in faults) == dict.fromkeys(INFLICT, 2)


@pytest.mark.parametrize("seed", range(20))
def test_faults_that_come_together_hit_different_things(seed: int) -> None:
    for step in schedule(seed, 60):
        targets = [fault.kind.target for fault in step]
        assert len(set(targets)) == len(targets)
        assert "supervisor" not in targets or len(step) == 1
