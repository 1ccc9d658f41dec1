"""A key that stays elsewhere: the command gets the bytes, and what it returns is checked."""

import sys
import time
from pathlib import Path

import pytest

from ledger.checkpoint import open_checkpoint
from ledger.keys import SigningKey
from runtime.errors import PraetorError
from runtime.settings import Settings
from schemas.codec import decode
from streams.command_key import CommandKey, SigningFailed, command_key
from streams.keyring import LEDGER, NEXT, create_key, read_signing_key
from streams.ledger_keys import LedgerKeys, keep_public, read_ledger_keys
from streams.partition import Place
from streams.signer import Signer
from tests.streams.test_signer import committed

KEY = SigningKey("kms", b"k" * 32)
KMS = """
import os, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
assert not [name for name in os.environ if name.startswith("PRAETOR_")], "no settings belong here"
key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(sys.argv[1]))
sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read()))
"""


@pytest.fixture
def kms(tmp_path: Path) -> Path:
    """A command that signs with the seed it is told, as a KMS's client would."""
    script = tmp_path / "kms.py"
    script.write_text(KMS)
    return script


def signing(kms: Path, key: SigningKey = KEY, public: SigningKey = KEY) -> CommandKey:
    return CommandKey(public.verify_key, (sys.executable, str(kms), key.seed.hex()))


def shell(script: str, timeout: float = 20) -> CommandKey:
    return CommandKey(KEY.verify_key, ("/bin/sh", "-c", script), timeout)


def test_the_command_signs(kms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_PASSWORD", "secret")
    message = bytes(range(256)) * 400
    assert signing(kms).sign(message) == KEY.sign(message)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no access to the key >&2; exit 3", "ended with 3: no access to the key"),
        ("kill -9 $$", "ended with -9: it said nothing"),
        ("exit 0", "wrote 0 bytes where a raw Ed25519 signature has 64"),
        ("head -c 64 /dev/zero | base64 -w0", "wrote 88 bytes"),
        ("head -c 64 /dev/zero", "not by the public key kms"),
    ],
)
def test_what_is_no_signature_is_said(script: str, message: str) -> None:
    with pytest.raises(SigningFailed, match="the signing command '/bin/sh' ") as failed:
        shell(script).sign(b"text\n")
    assert message in str(failed.value)


def test_a_signature_by_another_key_is_refused(kms: Path) -> None:
    with pytest.raises(SigningFailed, match=r"not by the public key kms\+"):
        signing(kms, key=SigningKey("kms", b"x" * 32)).sign(b"text\n")


def test_a_command_that_is_not_there_is_said() -> None:
    with pytest.raises(SigningFailed, match=r"'/nowhere/kms' cannot be started: No such file"):
        CommandKey(KEY.verify_key, ("/nowhere/kms",)).sign(b"")


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(SigningFailed, match=r"took longer than 0\.5 s"):
        shell(f"sleep 100 & echo $! > {pid}; wait", timeout=0.5).sign(b"")
    child = Path("/proc") / pid.read_text().strip() / "stat"
    give_up = time.monotonic() + 20
    while child.exists() and child.read_text().rsplit(")", 1)[1].split()[0] != "Z":
        assert time.monotonic() < give_up, "the command's child lives on"
        time.sleep(0.02)


def test_settings_say_which_keys(kms: Path, tmp_path: Path) -> None:
    old = create_key(tmp_path, LEDGER, "old")
    settings = Settings(keys_dir=tmp_path)
    assert read_ledger_keys(settings) == LedgerKeys(old)
    new = create_key(tmp_path, LEDGER, "new", NEXT)
    assert read_ledger_keys(settings) == LedgerKeys(old, new)
    command = f'["{sys.executable}", "{kms}", "{KEY.seed.hex()}"]'
    elsewhere = {"ledger_next_key_command": command, "ledger_next_key_public": KEY.verify_key.to_text()}
    keys = read_ledger_keys(settings.model_copy(update=elsewhere))
    assert keys.signers == (old, signing(kms)) and not keys.at_hand
    keys.check()
    keep_public(settings.model_copy(update=elsewhere))
    lines = (tmp_path / "ledger.pub").read_text().splitlines()
    assert lines == [key.verify_key.to_text() for key in (old, new, KEY)]


@pytest.mark.parametrize(
    ("command", "public", "message"),
    [
        ("[1]", "", "PRAETOR_LEDGER_KEY_COMMAND: not a list of words"),
        ('["kms"', "", "PRAETOR_LEDGER_KEY_COMMAND: Expecting"),
        ("kms 'open", "", "PRAETOR_LEDGER_KEY_COMMAND: No closing quotation"),
        ("kms sign --key 1", "", "PRAETOR_LEDGER_KEY_PUBLIC must be the command's public key"),
        ("kms", "PRIVATE+KEY+a+b+c", "a private key is given where a public key"),
    ],
)
def test_settings_that_are_none_are_said(command: str, public: str, message: str) -> None:
    with pytest.raises(PraetorError) as failed:
        command_key(command, public, "ledger_key_command")
    assert message in str(failed.value)


def test_words_are_split_as_a_shell_splits_them() -> None:
    key = command_key("kms sign --label 'two words'", KEY.verify_key.to_text(), "ledger_key_command")
    assert key.argv == ("kms", "sign", "--label", "two words")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    create_key(tmp_path, LEDGER, "log")
    (tmp_path / "ledger.key").chmod(mode)
    with pytest.raises(PraetorError, match=rf"mode {mode:04o}\): chmod 600 {tmp_path}"):
        read_signing_key(tmp_path, LEDGER)


async def test_the_signer_signs_beside_the_judging(kms: Path) -> None:
    signer = Signer(Place("log", 3, 12), signing(kms))
    assert not signer.is_due(committed(3)), "the command was only just started"
    await signer.settle(committed(3))
    assert signer.is_due(committed(5))
    record = decode(signer.sign(committed(5)), "checkpoint")
    assert open_checkpoint(record["note"], [KEY.verify_key], "log/3").size == record["size"] == 3
    assert signer.published() == 3


async def test_the_last_tree_is_signed_before_the_end(kms: Path) -> None:
    signer = Signer(Place("log", 3, 12), signing(kms))
    assert not signer.is_due(committed(3))
    await signer.settle(committed(5))
    assert decode(signer.sign(committed(5)), "checkpoint")["size"] == 5


async def test_a_command_that_fails_costs_no_more_than_the_checkpoint() -> None:
    signer = Signer(Place("log", 3, 12), shell("exit 1"))
    await signer.settle(committed(3))
    assert not signer.is_due(committed(3), now=True)
    assert signer._wait == 2
