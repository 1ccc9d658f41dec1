"""`praetor ledger show`, `prove` and `keys`."""

import base64
import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from judgement.decision import bound_bytes
from ledger.checkpoint import open_checkpoint
from ledger.keys import SigningKey, VerifyKey
from ledger.tree import verify_consistency, verify_inclusion
from schemas.codec import decode
from streams.keyring import LEDGER, read_signing_key, read_verify_keys
from tests.ledger_cli.helpers import Judged, in_a_process, run


@pytest.mark.parametrize("place", ["kafka", "clickhouse"])
def test_show_has_the_newest_checkpoint_of_each_partition(judged: Judged, place: str) -> None:
    rows = judged.run("show", "--from", place, "--json").json
    assert [row["partition"] for row in rows] == list(range(judged.log.partitions))
    for row in rows:
        newest = judged.sizes(row["partition"])[-1]
        assert (row["size"], row["root"]) == (newest["size"], newest["root"].hex())
        assert row["note"] == newest["note"] and row["log_id"] == judged.log_id
    words = judged.run("show", "--from", place).out
    assert all(row["root"] in words and row["received_at"] in words for row in rows)


def test_show_of_one_partition_prints_its_note_as_it_is(judged: Judged) -> None:
    assert judged.run("show", "--partition", "2", "--notes").out == judged.sizes(2)[-1]["note"]


def test_show_does_not_print_what_the_key_did_not_sign(judged: Judged, tmp_path: Path) -> None:
    (tmp_path / "ledger.pub").write_text(VerifyKey(judged.log_id, bytes(31) + b"\x01").to_text())
    answer = judged.run("show", "--notes", env=judged.env() | {"PRAETOR_KEYS_DIR": str(tmp_path)})
    assert (answer.code, answer.out) == (1, "") and "does not hold" in answer.error


def test_show_before_any_checkpoint(judged: Judged) -> None:
    prefix = judged.tampered(checkpoints={p: [] for p in judged.checkpoints})
    answer = judged.run("show", prefix=prefix)
    assert answer.code == 0 and "3 partitions have no checkpoint yet" in answer.out


@pytest.mark.parametrize("place", ["kafka", "clickhouse"])
def test_proofs_hold(judged: Judged, place: str) -> None:
    seqs = [0, 17, len(judged.decisions[0]) - 1]
    options = [option for seq in seqs for option in ("--seq", str(seq))]
    proof = judged.run("prove", "--partition", "0", "--from", place, "--record", *options).json
    key = VerifyKey.from_text(proof["vkey"])
    assert key in read_verify_keys(judged.log.keys, LEDGER)
    heads = {}
    for note in proof["checkpoints"]:
        one = open_checkpoint(note, [key], proof["origin"])
        heads[one.size] = one.root
    assert [one["index"] for one in proof["inclusion"]] == seqs
    for one in proof["inclusion"]:
        path = [bytes.fromhex(h) for h in one["proof"]]
        leaf = bytes.fromhex(one["record_hash"])
        assert verify_inclusion(leaf, one["index"], one["size"], path, heads[one["size"]])
        decision = decode(judged.decisions[0][one["index"]], "decision")
        assert leaf == decision["leaf"]
        assert base64.b64decode(one["record"]) == bound_bytes(decision)
    assert len(proof["consistency"]) == len(heads) - 1 >= 2
    for one in proof["consistency"]:
        old, new = one["old_size"], one["new_size"]
        path = [bytes.fromhex(h) for h in one["proof"]]
        assert verify_consistency(old, heads[old], new, heads[new], path)


def test_a_proof_leads_up_from_the_checkpoint_one_holds(judged: Judged, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text(judged.sizes(0)[0]["note"])
    prove = ("prove", "--partition", "0", "--seq", "1", "--checkpoints", "1")
    assert judged.run(*prove).json["consistency"] == []
    linked = judged.run(*prove, "--witness", str(tmp_path / "mine")).json["consistency"]
    assert [one["old_size"] for one in linked] == [judged.sizes(0)[0]["size"]]


def test_what_cannot_be_proven_is_said(judged: Judged) -> None:
    answer = judged.run("prove", "--partition", "0", "--seq", "99999")
    assert answer.code == 1 and "99999 is not under the newest checkpoint" in answer.error
    prefix = judged.edited(0, lambda values: values.pop(3))
    answer = judged.run("prove", "--partition", "0", "--seq", "1", prefix=prefix)
    assert answer.code == 1 and "only 3 are there" in answer.error


def test_keys_are_made_once_and_printed(tmp_path: Path) -> None:
    env = {"PRAETOR_KEYS_DIR": str(tmp_path / "keys")}
    assert "no public key" in run("keys", env=env).error
    made = in_a_process("keys", "new", "--name", "acme", env=env)
    assert made.code == 0, made.error
    secret = tmp_path / "keys" / "ledger.key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    public = read_signing_key(tmp_path / "keys", LEDGER).verify_key
    assert public.name == "acme" and public.to_text() in made.out
    assert secret.read_text().strip() not in made.out
    rows = json.loads(run("keys", "--json", env=env).out)
    assert [(row["role"], row["vkey"]) for row in rows] == [("ledger", public.to_text())]
    assert rows[0]["file"] == str(tmp_path / "keys" / "ledger.pub")
    again = in_a_process("keys", "new", env=env)
    assert again.code == 1 and "never overwritten" in again.error
    secret.unlink()
    assert "bring that back" in run("keys", "new", env=env).error
    assert public.to_text() in (tmp_path / "keys" / "ledger.pub").read_text()


def test_a_key_name_that_is_none_is_said(tmp_path: Path) -> None:
    env = {"PRAETOR_KEYS_DIR": str(tmp_path)}
    assert "key name 'a b'" in run("keys", "new", "--name", "a b", env=env).error
    assert not list(tmp_path.iterdir())


def test_a_public_key_kept_elsewhere_is_written_as_notes_do(tmp_path: Path) -> None:
    key = SigningKey("acme-ledger", b"k" * 32)
    pem = Ed25519PublicKey.from_public_bytes(key.verify_key.public).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "kms.pem").write_bytes(pem)
    printed = run("keys", "public", "acme-ledger", str(tmp_path / "kms.pem"), env={})
    assert printed.out.strip() == key.verify_key.to_text()
    (tmp_path / "none.pem").write_text("none")
    assert "no public key in PEM" in run("keys", "public", "a", str(tmp_path / "none.pem"), env={}).error
