"""Our rates and those of the scorer beside the recorded traces: the same, on made-up traces."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from cli.detect.quality import Label, Stop, measure, threshold_for

pytestmark = pytest.mark.interop

SCORER = Path(__file__).parents[3] / "shared" / "traces" / "score.py"
CLASSES = ("attack_acted", "attack_resisted", "attack_unseen", "benign", "user_authorised")


@pytest.mark.parametrize("seed", range(5))
def test_both_say_the_same(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    labels, predictions = [], []
    for i in range(300):
        cls = draw.choice(CLASSES)
        did = sorted(draw.sample(range(1, 9), 2)) if cls == "attack_acted" else []
        exposed = draw.randrange(did[0]) if did else None
        labels.append(
            {"trace_id": str(i), "cls": cls, "cluster": str(i // 4), "security": True}
            | {"malicious_steps": did, "first_exposed_step": exposed}
        )
        predictions += [
            {"trace_id": str(i), "step": step, "phase": phase, "score": round(draw.random() ** 3, 2)}
            for step in range(10)
            for phase in ("call", "result")
            if draw.random() < 0.4
        ]
    for name, rows in (("labels", labels), ("predictions", predictions)):
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
    command = [sys.executable, SCORER, tmp_path / "predictions", "--labels", tmp_path / "labels"]
    theirs = json.loads(subprocess.run([*command, "--fpr", "0.05"], capture_output=True, check=True).stdout)
    known = [Label.model_validate(row) for row in labels]
    stops: dict[str, list[Stop]] = {}
    for p in predictions:
        at_call = p["phase"] == "call"
        stops.setdefault(p["trace_id"], []).append(Stop(p["step"] + (not at_call), at_call, p["score"]))
    ours = measure(known, stops, threshold_for(known, stops, 0.05))
    for rate in ("recall", "fpr", "authorised", "resisted", "early"):
        assert getattr(ours, rate) == theirs[rate], rate
    assert list(ours.recall_95 or ()) == theirs["recall_95"]
