"""Bundles on a real broker, through the commands: signed, published, rolled back, refused."""

import json
import sys
from pathlib import Path

from ledger.keys import SigningKey
from streams.bundle_signature import check_signature
from streams.keyring import read_policy_keys
from tests.bundles.commands import Person, control_records
from tests.bundles.making import many_rules

POLICY_FILE = """\
apiVersion: praetor/v1
kind: Policy
metadata: {name: files, description: files}
rules:
  - id: read
    effect: allow
    match: {actions: ["read:*"]}
    message: reading is fine
cases:
  - {name: reads, action: {action: "read:file"}, expect: allow}
  - {name: writes, action: {action: "write:file"}, expect: deny}
"""


async def in_force(person: Person) -> str:
    told = (await person.policy("active", "--json")).json()
    return str(told["digest"])


async def test_a_bundle_goes_from_files_to_workers_and_back(person: Person, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "files.yaml").write_text(POLICY_FILE)
    old = await in_force(person)
    first = (await person.policy("publish", folder, "--reason", "the first", "--json")).json()
    assert (first["serial"], first["slot"], first["policies"]) == (1, "stable", 1)
    path = tmp_path / "b.json"
    built = (await person.policy("build", folder, "-o", path, "--json")).json()
    assert built["digest"] == first["digest"]
    told = (await person.policy("active", "--rules", "--json")).json()
    assert told["stable"]["rules"] == ["files/read"]
    assert (told["stable"]["serial"], told["stable"]["reason"]) == (1, "the first")
    assert told["stable"]["since_offset"] == first["control_offset"]
    (key,) = told["stable"]["signed_by"]
    assert key.startswith("praetor-")

    back = (await person.policy("rollback", "--json")).json()
    assert (back["digest"], back["serial"]) == (old, 2)  # a bundle of before there were serials
    assert await in_force(person) == old
    again = (await person.policy("rollback", "--to", first["digest"][7:17], "--json")).json()
    assert (again["digest"], again["serial"]) == (first["digest"], 3)
    nothing = await person.policy("publish", "--if-none")
    assert "nothing published" in nothing.out
    for share in ("0", "101", "0.001"):
        assert "--canary is a percentage" in (await person.policy("publish", folder, "--canary", share)).err
    endless = await person.policy("publish", folder, "--reason", "x" * 20_000)
    assert "its reason is too long" in endless.err and "nothing was published" in endless.err
    lost = await person.policy("rollback", "--to", "sha256:ffffffff")
    assert lost.code == 1 and "names 0 of the last 16 bundles" in lost.err
    text = await person.policy("active")
    assert (
        f"all agents: {first['digest']}" in text.out
        and "can be gone back to:" in text.out
        and old[7:19] in text.out
    )
    assert "serial 3" in text.out


async def test_what_is_not_signed_by_a_policy_key_is_not_published(person: Person, tmp_path: Path) -> None:
    before, path = await in_force(person), tmp_path / "bundle.json"
    path.write_bytes(many_rules(1, 5).json)
    unsigned = await person.policy("publish", path)
    assert unsigned.code == 1 and f"sign it: praetor policy sign {path}" in unsigned.err
    assert (await person.policy("sign", path)).code == 0
    note = Path(f"{path}.sig").read_text()
    path.write_bytes(many_rules(2, 5).json)
    other = await person.policy("publish", path)
    assert other.code == 1 and "the signature is of something else" in other.err
    Path(f"{path}.sig").write_text("no note")
    assert "is not believed: note: " in (await person.policy("publish", path)).err
    path.write_bytes(many_rules(1, 5).json)
    Path(f"{path}.sig").write_text(note.replace("praetor-bundle-v1", "praetor-bundle-v2"))
    assert (await person.policy("publish", path)).code == 1
    path.write_bytes(many_rules(1, 5).json + b" ")
    assert "not canonical" in (await person.policy("publish", path)).err
    assert await in_force(person) == before
    assert len(await control_records(person.log)) == person.log.view.offset + 2


async def test_a_policy_key_of_its_own(person: Person, tmp_path: Path) -> None:
    author = Person(person.log, tmp_path / "author")
    path = tmp_path / "bundle.json"
    path.write_bytes(many_rules(1, 5).json)
    assert (await author.policy("keys", "new", "--name", "reviewers")).code == 0
    signed = (await author.policy("sign", path, "--json")).json()
    assert signed["key"].startswith("reviewers+")
    refused = await person.policy("publish", path)
    assert refused.code == 1 and "signed by none of the keys given, only by reviewers+" in refused.err
    control = (person.keys / "control.pub").read_text()
    (person.keys / "policy.pub").write_text(control + (author.keys / "policy.pub").read_text())
    missing = await person.policy("publish")
    assert missing.code == 1 and "policy.key is not there" in missing.err
    published = (await person.policy("publish", path, "--json")).json()
    told = (await person.policy("active", "--json")).json()
    assert told["stable"]["signed_by"] == [signed["key"]]
    (person.keys / "policy.pub").write_text((author.keys / "policy.pub").read_text())
    assert await in_force(person) == published["digest"]  # what control keys signed is needed no more
    assert (await author.policy("keys", "new")).code == 1


SIGNER = """\
import sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
sys.stdout.buffer.write(Ed25519PrivateKey.from_private_bytes(b"k" * 32).sign(sys.stdin.buffer.read()))
"""


async def test_a_policy_key_that_stays_in_a_command(person: Person, tmp_path: Path) -> None:
    script, path = tmp_path / "sign.py", tmp_path / "bundle.json"
    script.write_text(SIGNER)
    path.write_bytes(many_rules(1, 5).json)
    public = SigningKey("kms", b"k" * 32).verify_key
    command = json.dumps([sys.executable, str(script)])
    author = Person(
        person.log,
        tmp_path / "author",
        {"PRAETOR_POLICY_KEY_COMMAND": command, "PRAETOR_POLICY_KEY_PUBLIC": public.to_text()},
    )
    assert (await author.policy("sign", path, "--json")).json()["key"] == public.id
    assert (await author.policy("keys", "new")).code == 0
    assert not (author.keys / "policy.key").exists()
    assert check_signature(
        Path(f"{path}.sig").read_text(), many_rules(1, 5).digest, read_policy_keys(author.keys)
    ) == (public.id,)
