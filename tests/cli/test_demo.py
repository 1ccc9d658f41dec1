"""The guided tour, whole: it starts, judges, queries, proves and stops a stack of its own."""

import re
import subprocess
import sys
from pathlib import Path

from runtime.stack import read_stack


def test_the_demo_ends_with_its_summary_and_leaves_nothing_running(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "demo", "--data", tmp_path / "data", "--pause", "0"],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.search(
        r"22 actions, as many decisions: 11 allow, 11 deny\. Threats raised: (\d+)\.", done.stdout
    )
    # the burst of denials, and what the shipped detections see in the attack
    assert told is not None and int(told[1]) > 1, done.stdout
    assert "this file holds credentials" in done.stdout
    assert "OK: 12 partitions, 22 decisions" in done.stdout
    assert "What to try next" in done.stdout
    stack = read_stack(tmp_path / "data")
    assert stack is not None and not stack.running()
