"""A log of two partitions for the tests of this package, under a bundle that also asks for approvals."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from policies.bundle import Bundle, build_bundle
from policies.model import Policy
from runtime.embedded.services import Broker
from schemas.codec import decode
from tests.streams.fleet import Sent, action, routed
from tests.streams.helpers import Log

PARTITIONS = 2
NOTHING_MORE: Mapping[str, str] = MappingProxyType({})


def asking() -> Bundle:
    """Reading is allowed, paying needs an approval, what is large is denied, all else is by default."""
    rules = [
        {"id": "reading", "effect": "allow", "match": {"actions": ["read:*"]}, "message": "fine"},
        {"id": "paying", "effect": "require_approval", "match": {"actions": ["pay:*"]}, "message": "ask"},
        {
            "id": "large",
            "effect": "deny",
            "match": {"fields": {"size_bytes": {"gt": 1000}}},
            "message": "too large",
        },
    ]
    policy = {
        "apiVersion": "praetor/v1",
        "kind": "Policy",
        "metadata": {"name": "asking", "description": "asking"},
        "rules": rules,
        "cases": [
            {"name": "yes", "action": {"action": "read:x"}, "expect": "allow"},
            {"name": "no", "action": {"action": "other:x"}, "expect": "deny"},
        ],
    }
    return build_bundle([Policy.model_validate(policy)])


class Control:
    """A log, and `praetor control` on it."""

    def __init__(self, log: Log, folder: Path) -> None:
        self.log = log
        self._folder = folder
        self._rng = Random(7)

    async def run(
        self, *words: str, prefix: str = "", code: int = 0, env: Mapping[str, str] = NOTHING_MORE
    ) -> str:
        """Run a command; what it printed, or what a person would be told."""
        env = {
            **env,
            "PRAETOR_BOOTSTRAP": self.log.bootstrap,
            "PRAETOR_KEYS_DIR": str(self.log.keys),
            "PRAETOR_TOPIC_PREFIX": prefix,
            "PRAETOR_DATA": str(self._folder),
        }
        result = await asyncio.to_thread(CliRunner().invoke, app, ["control", *words], env=env)
        said = result.output + (str(result.exception) if result.exception else "")
        assert result.exit_code == code, said
        return said

    async def json(self, *words: str, prefix: str = "", env: Mapping[str, str] = NOTHING_MORE) -> Any:
        """Run a command with --json."""
        return json.loads((await self.run(*words, "--json", prefix=prefix, env=env)).splitlines()[-1])

    def sent(self, **fields: Any) -> tuple[str, Sent]:
        """An action, read:file by acme's agent a0 unless said otherwise; its event id."""
        whole = action(self._rng, **{"agent_id": "a0", "session_id": None, **fields})
        return whole["event_id"], routed(whole, self.log.partitions)

    async def judged(self, prefix: str) -> dict[str, dict[str, Any]]:
        """All decisions, by event id."""
        outputs = await self.log.read(prefix)
        found = [decode(r.value, "decision") for records in outputs.decisions.values() for r in records]
        return {decision["event_id"]: decision for decision in found}

    async def judge(
        self, prefix: str, following: Any, probes: Sequence[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Send actions, wait until workers have judged them, and return their decisions in order."""
        made = [self.sent(**probe) for probe in probes]
        await following.reach(await self.log.send([sent for _, sent in made]))
        judged = await self.judged(prefix)
        return [judged[event] for event, _ in made]


@pytest.fixture(scope="package")
def small_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    folder = tmp_path_factory.mktemp("control")
    with Broker(folder / "kafka") as running:
        log = asyncio.run(Log(running.bootstrap, folder / "keys", PARTITIONS).mint())
        asyncio.run(log.publish(asking()))
        yield log


@pytest.fixture
async def control(small_log: Log, tmp_path: Path) -> Control:
    """The shared log with no actions in it and nothing that stands. A test makes outputs of its own."""
    await small_log.clear()
    found = Control(small_log, tmp_path)
    for order in await found.json("list"):
        await found.run("release", order["order"], "--reason", "another test's", "--no-wait")
    return found
