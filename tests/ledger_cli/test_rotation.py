"""A key hands over to the next on a log that govern makes: rotate, restart, retire."""

import asyncio
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from ledger.keys import SigningKey, VerifyKey
from runtime.embedded.services import Broker
from runtime.settings import Settings
from streams.govern import Keys, Worker
from streams.keyring import CONTROL, LEDGER, create_key, read_signing_key, read_verify_keys
from streams.ledger_keys import read_ledger_keys
from tests.ledger_cli.helpers import Judged, run
from tests.streams.fleet import action, routed
from tests.streams.helpers import Log
from tests.streams.test_command_key import KMS

PARTITIONS = 3
EMPTY = 2


class Rotating(Log):
    """Its workers take the keys as `praetor govern` does, at each start anew, by settings of a test."""

    def __init__(self, bootstrap: str, keys: Path, partitions: int) -> None:
        super().__init__(bootstrap, keys, partitions)
        self.settings: dict[str, str] = {}

    def worker(self, prefix: str, trusted: int = 2) -> Worker:
        control = read_verify_keys(self.keys, CONTROL)[:trusted]
        settings = Settings(keys_dir=self.keys, **self.settings)
        return Worker(self.options, prefix, Keys(read_ledger_keys(settings), control))


@pytest.fixture(scope="module")
def broker_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rotating]:
    folder = tmp_path_factory.mktemp("rotation")
    with Broker(folder / "kafka") as running:
        yield Rotating(running.bootstrap, folder / "keys", PARTITIONS)


async def some(log: Log, seed: int, only: int | None = None) -> dict[int, int]:
    """Send actions to all partitions but the empty one, or to one; where the partitions end."""
    dice = Random(seed)
    sent = (routed(action(dice, f"agent-{n}"), PARTITIONS) for n in range(200))
    return await log.send(
        one for one in sent if one.partition not in (EMPTY,) and only in (None, one.partition)
    )


def test_a_log_is_verified_by_either_key_across_a_roll_over(broker_log: Rotating, tmp_path: Path) -> None:
    log = broker_log
    asyncio.run(log.mint())
    prefix = asyncio.run(log.outputs())
    judged = Judged(log, prefix, Settings(clickhouse_database=f"none_{uuid4().hex[:6]}"))
    asyncio.run(_judge(log, prefix, seed=1))
    old = read_signing_key(log.keys, LEDGER).verify_key

    assert "no roll-over is under way" in judged.run("keys", "retire").error
    begun = judged.run("keys", "rotate", "--name", "second")
    assert begun.code == 0, begun.error
    assert stat.S_IMODE((log.keys / "ledger.next.key").stat().st_mode) == 0o600
    assert "is under way" in judged.run("keys", "rotate").error
    assert "partitions 0, 1, 2 is not signed by both" in judged.run("keys", "retire").error
    assert read_signing_key(log.keys, LEDGER).verify_key == old, "nothing was retired"

    asyncio.run(
        _judge(log, prefix, seed=2, only=0)
    )  # partition 1 stands still, 2 is empty: they hand over too
    ended = judged.run("keys", "retire")
    assert ended.code == 0, ended.error
    assert not (log.keys / "ledger.next.key").exists()
    new = read_signing_key(log.keys, LEDGER).verify_key
    assert new.name == "second" and read_verify_keys(log.keys, LEDGER) == [old, new]
    asyncio.run(_judge(log, prefix, seed=3))

    _check(judged, old, new, tmp_path)
    _to_a_kms(log, judged, old, tmp_path)


def _to_a_kms(log: Rotating, judged: Judged, first: VerifyKey, folder: Path) -> None:
    """The file's key hands over to a command; whoever trusts the very first key follows."""
    kms = SigningKey("kms", b"k" * 32)
    script = folder / "kms.py"
    script.write_text(KMS)
    command = f'["{sys.executable}", "{script}", "{kms.seed.hex()}"]'
    public = kms.verify_key.to_text()
    log.settings = {"ledger_next_key_command": command, "ledger_next_key_public": public}
    env = judged.env() | {f"PRAETOR_{name.upper()}": value for name, value in log.settings.items()}
    assert "ledger.pub knows the next key" in run("keys", "rotate", env=env).out
    asyncio.run(_judge(log, judged.prefix, seed=4))
    ended = run("keys", "retire", env=env)
    assert ended.code == 0 and "Set PRAETOR_LEDGER_KEY_" in ended.out, ended.error
    assert not (log.keys / "ledger.key").exists(), "the retired secret is gone"
    log.settings = {"ledger_key_command": command, "ledger_key_public": public}
    asyncio.run(_judge(log, judged.prefix, seed=5))
    answer = judged.run("verify", "--json", "--key", first.to_text())
    assert (answer.code, answer.findings()) == (0, [])
    for part in answer.json["partitions"][:EMPTY]:
        assert part["signed_by"][-1]["keys"] == [kms.verify_key.id]
        assert part["tree_size"] == part["decisions"]


def _check(judged: Judged, old: VerifyKey, new: VerifyKey, folder: Path) -> None:
    mallory = SigningKey("mallory", b"m" * 32).verify_key
    for options in ((), ("--key", old.to_text()), ("--key", new.to_text())):
        answer = judged.run("verify", "--json", *options)
        assert (answer.code, answer.findings()) == (0, []), options
        for part in answer.json["partitions"][:EMPTY]:
            signers = [one["keys"] for one in part["signed_by"]]
            assert signers == [[old.id], sorted([old.id, new.id]), [new.id]]
            assert part["tree_size"] == part["decisions"] > 0
    words = judged.run("verify", "--key", old.to_text())
    assert "Signed by several keys:" in words.out and f"by {new.id}" in words.out
    answer = judged.run("verify", "--json", "--key", mallory.to_text())
    assert answer.code == 1 and {kind for kind, _ in answer.findings()} == {"bad-checkpoint", "unsigned"}
    kept = folder / "mine.pub"
    kept.write_text(old.to_text() + "\n")
    assert judged.run("verify", "--key", str(kept)).code == 0
    assert "--key x+y+z: public key" in judged.run("verify", "--key", "x+y+z").error


async def _judge(log: Log, prefix: str, seed: int, only: int | None = None) -> None:
    ends = await some(log, seed, only)
    await log.judge(prefix, ends)


def test_a_key_is_not_made_where_a_command_signs(tmp_path: Path) -> None:
    kms = SigningKey("kms", b"k" * 32).verify_key
    create_key(tmp_path, LEDGER, "log")
    env = {
        "PRAETOR_KEYS_DIR": str(tmp_path),
        "PRAETOR_LEDGER_NEXT_KEY_COMMAND": "kms sign",
        "PRAETOR_LEDGER_NEXT_KEY_PUBLIC": kms.to_text(),
    }
    assert "ledger.pub knows the next key" in run("keys", "rotate", env=env).out
    assert not (tmp_path / "ledger.next.key").exists()
    assert kms in read_verify_keys(tmp_path, LEDGER)
