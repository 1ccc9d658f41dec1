"""The ledger's proofs before an independent verifier, written on Go's own transparency-log packages."""

import copy
import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.checkpoint import Checkpoint, origin, sign_checkpoint
from ledger.keys import SigningKey
from ledger.merkle import Frontier, leaf_hash
from ledger.proofs import prove
from ledger.tree import Tree

pytestmark = pytest.mark.interop

SOURCE = Path(__file__).parents[3] / "shared" / "tlogverify"
KEY = SigningKey("0b1f6e1e-log", bytes(range(32)))
ORIGIN = origin(KEY.name, 7)
Verify = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def verify(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    """Fails, not skips, where Go or the verifier's source is missing: without them nothing is shown."""
    program = tmp_path_factory.mktemp("go") / "tlogverify"
    subprocess.run(["go", "build", "-o", str(program), "."], cwd=SOURCE, check=True, timeout=200)

    def run(proof: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            [program, "-"], input=json.dumps(proof).encode(), capture_output=True, timeout=60
        )
        assert done.returncode in (0, 1), done.stderr
        return done.returncode, json.loads(done.stdout)

    return run


def a_proof(seed: int) -> dict[str, Any]:
    """Checkpoints signed as a worker does, from the frontier of each batch; proven from all the leaves."""
    dice = random.Random(seed)
    records = {
        seq: dice.randbytes(dice.randrange(60)) for seq in range(dice.choice((1, 2, 9, 65, 1000)) + seed)
    }
    leaves = [leaf_hash(record) for record in records.values()]
    frontier, notes = Frontier(), []
    while frontier.size < len(leaves):
        frontier = frontier.extend(leaves[frontier.size : frontier.size + dice.randint(1, len(leaves))])
        notes.append(sign_checkpoint(Checkpoint(ORIGIN, frontier.size, frontier.root()), KEY))
    indices = sorted({0, len(leaves) - 1, *(dice.randrange(len(leaves)) for _ in range(5))})
    return prove(ORIGIN, KEY.verify_key, notes, Tree(leaves), indices, records if seed % 2 else None)


@pytest.mark.parametrize("seed", range(40))
def test_proofs_of_random_sizes_are_accepted(verify: Verify, seed: int) -> None:
    proof = a_proof(seed)
    code, result = verify(proof)
    assert (code, result["ok"], result.get("unlinked")) == (0, True, None), result
    for part in ("checkpoints", "inclusion", "consistency"):
        assert result[part] == len(proof[part])


def flip(text: str) -> str:
    """Hex with one bit changed."""
    return f"{int(text[0], 16) ^ 1:x}{text[1:]}"


def proof_hash(proof: dict[str, Any]) -> None:
    one = next(one for one in proof["inclusion"] if one["proof"])
    one["proof"][0] = flip(one["proof"][0])


def proof_shorter(proof: dict[str, Any]) -> None:
    next(one for one in proof["inclusion"] if one["proof"])["proof"].pop()


def consistency_hash(proof: dict[str, Any]) -> None:
    proof["consistency"][0]["proof"][-1] = flip(proof["consistency"][0]["proof"][-1])


def leaf(proof: dict[str, Any]) -> None:
    proof["inclusion"][0]["record_hash"] = flip(proof["inclusion"][0]["record_hash"])


def root(proof: dict[str, Any]) -> None:
    proof["inclusion"][0]["root"] = flip(proof["inclusion"][0]["root"])


def index(proof: dict[str, Any]) -> None:
    proof["inclusion"][0]["index"] += 1


def record(proof: dict[str, Any]) -> None:
    proof["inclusion"][0]["record"] = "b3RoZXI="


def signed_size(proof: dict[str, Any]) -> None:
    name, size, rest = proof["checkpoints"][0].split("\n", 2)
    proof["checkpoints"][0] = f"{name}\n{int(size) + 1}\n{rest}"


def signer(proof: dict[str, Any]) -> None:
    proof["vkey"] = SigningKey(KEY.name, bytes(32)).verify_key.to_text()


def other_partition(proof: dict[str, Any]) -> None:
    proof["origin"] = origin(KEY.name, 8)


def fork(proof: dict[str, Any]) -> None:
    size = int(proof["checkpoints"][0].split("\n")[1])
    proof["checkpoints"].append(sign_checkpoint(Checkpoint(ORIGIN, size, bytes(32)), KEY))


@pytest.mark.parametrize(
    "tamper",
    [
        proof_hash,
        proof_shorter,
        consistency_hash,
        leaf,
        root,
        index,
        record,
        signed_size,
        signer,
        other_partition,
        fork,
    ],
)
@pytest.mark.parametrize("seed", [11, 27, 35])
def test_what_is_tampered_with_is_refused(
    verify: Verify, tamper: Callable[[dict[str, Any]], None], seed: int
) -> None:
    proof = a_proof(seed)
    assert verify(proof)[0] == 0
    tampered = copy.deepcopy(proof)
    tamper(tampered)
    assert tampered != proof
    code, result = verify(tampered)
    assert (code, result["ok"]) == (1, False)
    assert result["errors"]
