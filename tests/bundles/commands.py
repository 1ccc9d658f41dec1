"""`praetor policy …` as a person types it: a process of its own, against a log on a real broker."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord
from typer.testing import CliRunner

from cli.policy.app import policy_app
from cli.policy.signing import signature_file
from judgement.rules import Rules
from policies.bundle import Bundle
from runtime.errors import PraetorError
from schemas.codec import decode
from schemas.topics import ACTIONS, CONTROL
from streams.bundle_signature import sign_digest
from streams.canary import Canary
from streams.control_view import ControlView
from streams.keyring import read_policy_keys, read_signing_key, read_verify_keys
from streams.partition import Partition, Place
from streams.progress import Progress
from tests.streams.helpers import Log
from tests.streams.reading import Outputs, read_topics


@dataclass
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out.splitlines()[-1])


@dataclass
class Person:
    """Someone with a shell: the log's address, a folder of keys, settings in the environment."""

    log: Log
    keys: Path
    environment: dict[str, str] = field(default_factory=dict)

    async def policy(self, *arguments: object) -> Said:
        """Run a command; no worker may run in this process beside it, since both say what they do."""
        return await asyncio.to_thread(self._invoke, [str(one) for one in arguments])

    def _invoke(self, arguments: list[str]) -> Said:
        done = CliRunner().invoke(policy_app, arguments, env=self._settings())
        error = done.exception
        assert error is None or isinstance(error, PraetorError | SystemExit), done.exc_info
        return Said(
            done.exit_code, done.stdout, str(error) if isinstance(error, PraetorError) else done.stderr
        )

    def _settings(self) -> dict[str, str]:
        places = {"PRAETOR_BOOTSTRAP": self.log.bootstrap, "PRAETOR_KEYS_DIR": str(self.keys)}
        return {**places, **self.environment}

    async def types(self, *arguments: object) -> Said:
        """The same in a process of its own."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cli.main",
            "policy",
            *map(str, arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self._settings()},
        )
        out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode())

    async def publish(self, folder: Path, bundle: Bundle, *options: object) -> Any:
        """Write a bundle and its signature into files, publish it."""
        path = folder / "bundle.json"
        path.write_bytes(bundle.json)
        note = sign_digest(bundle.digest, read_signing_key(self.keys, "control"))
        signature_file(path).write_text(note)
        return (await self.types("publish", path, *options, "--json")).json()


async def control_records(log: Log) -> list[ConsumerRecord]:
    """All of agent.control."""
    return (await read_topics(log.options, [CONTROL.name], 1))[CONTROL.name][0]


async def moments(log: Log) -> dict[int, tuple[Rules | None, Canary | None]]:
    """By control offset, what actions were judged by: each record folded and settled in its turn."""
    control = read_verify_keys(log.keys, "control")
    view = ControlView(control, read_policy_keys(log.keys))
    found: dict[int, tuple[Rules | None, Canary | None]] = {}
    for record in await control_records(log):
        await view.apply(record.offset, record.value)
        found[record.offset] = (view.rules, view.canary)
    return found


async def rejudged(log: Log, outputs: Outputs, start: dict[int, int]) -> int:
    """Judge the log again, each action as of its decision's control offset: the bytes must be the same.

    `start` says where each partition's outputs begin. Every action must have its one decision or dead letter;
    returns how many actions there were.
    """
    actions = await log.records(ACTIONS)
    at = await moments(log)
    count = 0
    for p in range(log.partitions):
        progress = Progress(log.view.log_id, next_source_offset=start[p])
        partition = Partition(Place(log.view.log_id, p, log.partitions), progress, {})
        records = [r for r in actions[p] if r.offset >= start[p]]
        again: list[bytes | None] = []
        for offset, run in _runs(records, [decode(r.value, "decision") for r in outputs.decisions[p]]):
            rules, canary = at[offset]
            assert rules is not None
            partition.under(rules, offset, canary)
            batch = partition.judge(run)
            partition.commit(batch)
            again += [value for _, value in batch.decisions]
        assert again == [r.value for r in outputs.decisions[p]]
        assert len(again) + len(outputs.dead_letters[p]) == len(records)
        count += len(records)
    return count


def _runs(
    records: list[ConsumerRecord], decisions: list[dict[str, Any]]
) -> list[tuple[int, list[ConsumerRecord]]]:
    """The records under each control offset; those without a decision go with what came before them."""
    offsets = {d["source_offset"]: d["control_offset"] for d in decisions}
    runs: list[tuple[int, list[ConsumerRecord]]] = [(decisions[0]["control_offset"], [])] if decisions else []
    for record in records:
        offset = offsets.get(record.offset, runs[-1][0])
        if offset != runs[-1][0]:
            runs.append((offset, []))
        runs[-1][1].append(record)
    return runs
