"""The mutator's cases before an independent verifier on Go's own packages: where it can see, it agrees.

It sees checkpoints, leaves and proofs; no free texts, no order of publication. It is asked what an auditor
would ask: are the leaves of this copy, each in its place, under the checkpoint that I hold, and what of the
checkpoints that this copy has? Whoever proves has the honest tree: with another nothing can be proven at all.
"""

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.keys import SigningKey
from ledger.proofs import prove
from ledger.rollover import rollover_line
from ledger.tree import Tree
from tests.ledger.helpers import ORIGIN, some_leaves
from tests.tampering.attack import Change
from tests.tampering.clean import Held
from tests.tampering.formats import leaf, read
from tests.tampering.mutator import KINDS, Case, a_case, base

pytestmark = pytest.mark.interop

SOURCE = Path(__file__).parents[3] / "shared" / "tlogverify"
CASES = 1080
NOTHING = bytes(32)
"""Shown for a leaf that the copy does not have, has twice, or has otherwise in its two tables."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fails, not skips, where Go or the verifier's source is missing: without them nothing is shown."""
    made = tmp_path_factory.mktemp("go") / "tlogverify"
    subprocess.run(["go", "build", "-o", str(made), "."], cwd=SOURCE, check=True, timeout=200)
    return made


def accepts(program: Path, proof: dict[str, Any]) -> bool:
    done = subprocess.run([program, "-"], input=json.dumps(proof).encode(), capture_output=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return bool(json.loads(done.stdout)["ok"])


def leaves_of(held: Held, clickhouse: bool) -> list[bytes]:
    """The leaf of each place: by the record's own bytes, in Kafka by offset, in ClickHouse by number."""
    leaves = [(n, *leaf_and_number(value)) for n, value in enumerate(held.decisions)]
    if not clickhouse:
        return [computed for _, computed, _ in leaves]
    numbers = Counter(number for _, _, number in leaves) + Counter(number for number, _ in held.leaves or ())
    found, table = {number: computed for _, computed, number in leaves}, dict(held.leaves or ())
    whole = range(max([*found, *table], default=-1) + 1)
    return [found[n] if numbers[n] == 2 and found.get(n) == table.get(n) else NOTHING for n in whole]


def leaf_and_number(value: bytes) -> tuple[bytes, int]:
    try:
        row = read(value)
        computed = leaf(row, row["schema"])
    except Exception:  # noqa: BLE001 - whatever a broken record does to a reader, it has no leaf
        return NOTHING, -1
    return (computed if computed == row["leaf"] else NOTHING), row["seq"]


def notes_of(held: Held) -> list[str]:
    return [_note(value) for value in held.checkpoints]


def _note(value: bytes) -> str:
    try:
        return str(read(value)["note"])
    except Exception:  # noqa: BLE001 - as above
        return "this cannot be read\n"


def view(case: Case, p: int, held: Held) -> tuple[list[bytes], list[str]]:
    """What the verifier is shown of a partition: leaves under the newest honest checkpoint, and the notes."""
    newest = read(case.log.partitions[p].checkpoints[-1])["size"]
    leaves = leaves_of(held, case.clickhouse)[:newest]
    return leaves + [NOTHING] * (newest - len(leaves)), notes_of(held)


def question(case: Case, p: int) -> dict[str, Any]:
    """A proof for each leaf of the copy in its place, under the checkpoint that the auditor holds."""
    honest = case.log.partitions[p]
    kept, leaves = _note(honest.checkpoints[-1]), [read(value)["leaf"] for value in honest.decisions]
    shown, notes = view(case, p, case.copy[p])
    origin, key = f"{case.log.log_id}/{p}", case.log.key.verify_key
    proof = prove(origin, key, [kept], Tree(leaves), range(len(shown)))
    for one, found in zip(proof["inclusion"], shown, strict=True):
        one["record_hash"] = found.hex()
    return proof | {"checkpoints": list(dict.fromkeys([kept, *notes]))}


def differs(case: Case, p: int) -> bool:
    """Whether there is anything for it to see: another leaf, or a note that the log never had."""
    clean = case.log.copy(case.clickhouse)[p]
    (was, old), (now, notes) = view(case, p, clean), view(case, p, case.copy[p])
    return was != now or not set(notes) <= set(old)


def test_it_agrees_wherever_it_can_see(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused: Counter[str] = Counter()
    unseen: Counter[str] = Counter()
    wrong = []
    for seed in range(CASES):
        case = a_case(seed)
        touched = [p for p in case.change.touched if case.log.partitions[p].checkpoints]
        is_refused = not all(accepts(program, question(case, p)) for p in touched)
        (refused if is_refused else unseen)[case.kind] += 1
        if is_refused != any(differs(case, p) for p in touched):
            wrong.append(str(case))
    with capsys.disabled():
        print(f"\n{'tampering':<12}{'refused':>10}{'out of its sight':>19}")
        for kind in KINDS:
            print(f"{kind:<12}{refused[kind]:>10}{unseen[kind] or '-':>19}")
    assert not wrong, "\n".join(wrong[:20]) + f"\n{len(wrong)} in all"
    assert sum(refused.values()) > 0.75 * CASES


def test_it_accepts_the_honest_logs(program: Path) -> None:
    for seed in range(20):
        log = base(seed)
        for p, held in log.partitions.items():
            for clickhouse in (False, True):
                case = Case(seed, "none", log, log.copy(clickhouse), clickhouse, Change("nothing", {}))
                assert not held.checkpoints or accepts(program, question(case, p)), (seed, p)


OLD, NEW = SigningKey("old-key", b"o" * 32), SigningKey("new-key", b"n" * 32)


@pytest.mark.parametrize("key", [OLD, NEW], ids=["old", "new"])
def test_a_doubly_signed_checkpoint_is_accepted_by_either_key(program: Path, key: SigningKey) -> None:
    """An extension line and a second signature are none of its business; each key's signature is."""
    tree = Tree(some_leaves(40))
    line = (rollover_line(OLD.verify_key, NEW.verify_key),)
    overlap = [
        sign_checkpoint(Checkpoint(ORIGIN, size, tree.root(size), line), OLD, NEW) for size in (12, 20)
    ]
    alone = sign_checkpoint(
        Checkpoint(ORIGIN, *((5, tree.root(5)) if key is OLD else (40, tree.root(40)))), key
    )
    proof = prove(ORIGIN, key.verify_key, [*overlap, alone], tree, [0, 3])
    assert accepts(program, proof)
    broken = json.loads(json.dumps(proof))
    broken["checkpoints"][0] = broken["checkpoints"][0].replace(line[0], line[0].replace("old", "odd"))
    assert not accepts(program, broken), "the line that hands over is under the signature"
