"""What a checkpoint kept elsewhere adds: roll-backs, forks and vanished logs are found."""

import json
from pathlib import Path

import pytest

from cli.ledger.witness import read_witness
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.keys import VerifyKey
from runtime.errors import PraetorError
from streams.keyring import LEDGER, read_signing_key
from tests.ledger_cli.helpers import Judged


@pytest.fixture
def witness(judged: Judged, tmp_path: Path) -> Path:
    """What `praetor ledger show --notes > witness.txt` keeps."""
    kept = tmp_path / "witness.txt"
    kept.write_text(judged.run("show", "--notes").out)
    return kept


@pytest.mark.parametrize("place", ["kafka", "clickhouse"])
def test_a_log_that_goes_on_from_the_witness_is_verified(judged: Judged, witness: Path, place: str) -> None:
    answer = judged.run("verify", "--from", place, "--witness", str(witness), "--json")
    assert (answer.code, answer.findings()) == (0, [])
    for p in answer.json["partitions"]:
        count = len(judged.decisions[p["partition"]])
        assert sum(f"after size {count}, the witness's" in sentence for sentence in p["not_excluded"]) == 2
        assert not any("no witness" in sentence for sentence in p["not_excluded"])


def test_a_log_rolled_back_is_found_with_the_witness_alone(judged: Judged, witness: Path) -> None:
    size = judged.sizes(1)[0]["size"]
    short = judged.decisions | {1: judged.decisions[1][:size]}
    prefix = judged.tampered(short, judged.checkpoints | {1: judged.checkpoints[1][:1]})
    assert judged.run("verify", prefix=prefix).code == 0
    answer = judged.run("verify", "--witness", str(witness), "--json", prefix=prefix)
    assert answer.code == 1
    last = len(judged.decisions[1]) - 1
    assert ("rolled-back", f"{witness}, note 2") in answer.findings()
    assert ("truncated", f"{judged.log_id}/1 seq {size}-{last}") in answer.findings()
    assert {p["status"] for p in answer.json["partitions"] if p["partition"] != 1} == {"ok"}


def test_clickhouse_rolled_back_is_found_with_the_witness_alone(judged: Judged, witness: Path) -> None:
    database = judged.database()
    size = judged.sizes(1)[0]["size"]
    for table in ("decisions", "leaves"):
        judged.sql(database, f"DELETE FROM {table} WHERE partition = 1 AND seq >= {size}")
    judged.sql(database, f"DELETE FROM checkpoints WHERE partition = 1 AND size > {size}")
    verify = ("verify", "--from", "clickhouse", "--json")
    assert judged.run(*verify, database=database).code == 0
    answer = judged.run(*verify, "--witness", str(witness), database=database)
    assert answer.code == 1 and ("rolled-back", f"{witness}, note 2") in answer.findings()


def test_a_log_that_vanished_altogether_is_missed(judged: Judged, witness: Path) -> None:
    database = judged.database()
    for table in ("decisions", "leaves", "checkpoints"):
        judged.sql(database, f"DELETE FROM {table} WHERE partition = 1")
    verify = ("verify", "--from", "clickhouse", "--json")
    assert judged.run(*verify, database=database).code == 0
    answer = judged.run(*verify, "--witness", str(witness), database=database)
    assert {kind for kind, _ in answer.findings()} == {"rolled-back", "truncated"}


def test_another_history_shown_to_the_witness_is_found(judged: Judged, tmp_path: Path) -> None:
    key = read_signing_key(judged.log.keys, LEDGER)
    kept = tmp_path / "fork.txt"
    kept.write_text(sign_checkpoint(Checkpoint(f"{judged.log_id}/2", 5, bytes(32)), key))
    answer = judged.run("verify", "--witness", str(kept), "--json")
    assert (answer.code, answer.findings()) == (1, [("fork", f"{kept}, note 1")])


def test_a_witness_of_another_log_is_not_passed_over(judged: Judged, tmp_path: Path) -> None:
    key = read_signing_key(judged.log.keys, LEDGER)
    kept = tmp_path / "other.txt"
    kept.write_text(sign_checkpoint(Checkpoint("praetor-other/0", 5, bytes(32)), key))
    answer = judged.run("verify", "--witness", str(kept), "--json")
    assert ("truncated", "praetor-other/0 seq 0-4") in answer.findings()


def test_what_a_witness_file_may_hold(judged: Judged, witness: Path, tmp_path: Path) -> None:
    notes = [note for of in read_witness(witness).values() for note in of]
    texts = [note.text for note in notes]
    assert len(texts) == judged.log.partitions
    forms = {
        "text": "".join(texts),
        "spaced": "\n\n" + "\n\n".join(texts),
        "list": json.dumps(texts, indent=1),
        "lines": "\n".join(json.dumps(text) for text in texts),
        "rows": "\n".join(json.dumps({"size": 1, "note": text}) for text in texts) + "\n",
        "proof": json.dumps({"checkpoints": texts}),
        "show": judged.run("show", "--json", "--from", "clickhouse").out,
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        found = read_witness(tmp_path / name)
        assert [note.text for of in found.values() for note in of] == texts, name
        assert list(found) == [f"{judged.log_id}/{p}" for p in range(judged.log.partitions)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no signed note"),
        ("log/0\n5\n", "is no signed note"),
        ("log/0\n5\nabc\n\n", "is no signed note"),
        ('{"notes": 1}', "neither a note"),
        ("[1]", "neither a note"),
        ('{"note": ', "line 1 column"),
        ("log\n5\nabc\n\n\u2014 a b\n", "note of origin 'log'"),
    ],
)
def test_a_witness_file_that_is_none_is_said(judged: Judged, tmp_path: Path, text: str, message: str) -> None:
    kept = tmp_path / "w"
    kept.write_text(text)
    answer = judged.run("verify", "--witness", str(kept))
    assert answer.code == 1 and message in answer.error


def test_a_witness_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(PraetorError, match=r"witness file .*none: "):
        read_witness(tmp_path / "none")


def test_the_public_key_is_what_verifies(judged: Judged, tmp_path: Path) -> None:
    """Another key under the same name verifies nothing."""
    (tmp_path / "ledger.pub").write_text(VerifyKey(judged.log_id, bytes(31) + b"\x01").to_text())
    env = judged.env() | {"PRAETOR_KEYS_DIR": str(tmp_path)}
    answer = judged.run("verify", "--json", env=env)
    assert answer.code == 1
    assert {kind for kind, _ in answer.findings()} == {"bad-checkpoint", "unsigned"}
