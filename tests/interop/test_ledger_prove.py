"""What `praetor ledger prove` prints before an independent verifier, on a log that govern made."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from runtime.embedded.services import Broker
from runtime.settings import Settings
from tests.ledger_cli.helpers import Judged, judge_and_archive
from tests.streams.helpers import Log

pytestmark = pytest.mark.interop

SOURCE = Path(__file__).parents[3] / "shared" / "tlogverify"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, clickhouse: str) -> Iterator[Judged]:
    folder = tmp_path_factory.mktemp("ledger")
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"prove_{uuid4().hex[:8]}")
    with Broker(folder / "kafka") as running:
        log = Log(running.bootstrap, folder / "keys", 3)
        yield asyncio.run(judge_and_archive(log, settings, rounds=3, actions=300))


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fails, not skips, where Go or the verifier's source is missing: without them nothing is shown."""
    program = tmp_path_factory.mktemp("go") / "tlogverify"
    subprocess.run(["go", "build", "-o", str(program), "."], cwd=SOURCE, check=True, timeout=200)
    return program


def verified(verifier: Path, proof: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run([verifier, "-"], input=proof.encode(), capture_output=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("place", ["kafka", "clickhouse"])
@pytest.mark.parametrize("partition", [0, 1, 2])
@pytest.mark.parametrize("options", [(), ("--record",), ("--checkpoints", "0"), ("--checkpoints", "1")])
def test_proofs_are_accepted(
    judged: Judged, verifier: Path, place: str, partition: int, options: tuple[str, ...]
) -> None:
    seqs = (0, 1, 40, len(judged.decisions[partition]) - 1)
    wanted = [option for seq in seqs for option in ("--seq", str(seq))]
    proof = judged.run("prove", "--partition", str(partition), "--from", place, *wanted, *options).out
    code, result = verified(verifier, proof)
    assert (code, result["ok"], result.get("unlinked")) == (0, True, None), result
    assert result["inclusion"] == len(seqs)
    assert result["checkpoints"] == (1 if "1" in options else len(json.loads(proof)["checkpoints"]))
    assert result["consistency"] == result["checkpoints"] - 1


def test_a_checkpoint_kept_elsewhere_is_linked(judged: Judged, verifier: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text(judged.sizes(1)[0]["note"])
    prove = ("prove", "--partition", "1", "--seq", "5", "--checkpoints", "1")
    code, result = verified(verifier, judged.run(*prove, "--witness", str(tmp_path / "mine")).out)
    assert (code, result["checkpoints"], result["consistency"]) == (0, 2, 1), result


def test_a_proof_for_another_decision_is_refused(judged: Judged, verifier: Path) -> None:
    proof = judged.run("prove", "--partition", "1", "--seq", "5", "--record").json
    other = judged.run("prove", "--partition", "1", "--seq", "6", "--record").json
    proof["inclusion"][0]["record"] = other["inclusion"][0]["record"]
    code, result = verified(verifier, json.dumps(proof))
    assert (code, result["ok"]) == (1, False) and result["errors"]
