"""`praetor dead-letters redrive` on a real broker: what decodes after a mend is judged, each letter once."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest import mock

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from click.testing import Result
from typer.testing import CliRunner

from cli.dead_letters.app import dead_letters_app
from cli.dead_letters.redrive import moment
from runtime.embedded.process import spawn
from runtime.errors import Malformed, PraetorError
from schemas.action import Action, read_action
from schemas.codec import decode
from schemas.limits import MAX_RECORD_BYTES, MAX_VALUE_BYTES
from schemas.topics import ACTIONS, REDRIVEN, topic_name
from streams.redrive import Redriver
from tests.streams.exactly_once import violations
from tests.streams.fleet import Sent, action, framed, routed
from tests.streams.helpers import Log
from tests.streams.reading import Outputs

RNG = Random(11)
PARTITIONS = 3
SECONDS = 60
FUTURE = b"field of the future"
Run = Callable[..., Result]


def read_of_yesterday(value: bytes | None, received_at: int) -> Action:
    """A worker that does not know a part of the schema yet."""
    if value and FUTURE in value:
        raise Malformed("label of the future")
    return read_action(value, received_at)


@contextmanager
def unmended() -> Iterator[None]:
    with mock.patch("streams.partition.read_action", read_of_yesterday):
        yield


def future(n: int, **more: Any) -> Sent:
    labels = {FUTURE.decode(): "x"}
    sent = routed(action(RNG, f"agent-{n % 7}", labels=labels, **more), PARTITIONS)
    return sent._replace(headers=[("trace", bytes([n % 256])), ("none", None), ("empty", b"")])


@pytest.fixture
def prefix(log: Log, monkeypatch: pytest.MonkeyPatch) -> str:
    made = asyncio.run(log.outputs())
    monkeypatch.setenv("PRAETOR_BOOTSTRAP", log.bootstrap)
    monkeypatch.setenv("PRAETOR_TOPIC_PREFIX", made)
    return made


@pytest.fixture
def run(prefix: str) -> Run:
    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(dead_letters_app, [*map(str, arguments)], catch_exceptions=False)

    return invoke


async def judged(log: Log, prefix: str) -> Outputs:
    return await log.judge(prefix, await log.ends(ACTIONS.name))


def letters_made(log: Log, prefix: str, sent: list[Sent]) -> Outputs:
    async def work() -> Outputs:
        with unmended():
            return await log.judge(prefix, await log.send(sent))

    return asyncio.run(work())


def redriven(run: Run, *arguments: object) -> Any:
    return json.loads(run("redrive", *arguments, "--json").stdout)


def places(outcome: list[dict[str, Any]]) -> set[tuple[int, int]]:
    return {(one["partition"], one["offset"]) for one in outcome}


def test_after_a_mend_all_is_judged_once_as_it_was_sent(log: Log, prefix: str, run: Run) -> None:
    good = [routed(action(RNG, f"agent-{n}"), PARTITIONS) for n in range(10)]
    bad = [
        good[0]._replace(value=b"garbage"),
        good[1]._replace(value=None),
        good[2]._replace(key=None, value=b""),
    ]
    mended = [future(n) for n in range(12)] + [
        future(n)._replace(key=key) for n, key in enumerate([None, b""])
    ]
    before = letters_made(log, prefix, [*good, *bad, *mended])
    assert sum(map(len, before.dead_letters.values())) == len(bad) + len(mended)

    dry = redriven(run, "--all", "--dry-run")
    assert (len(dry["redriven"]), len(dry["refused"])) == (len(mended), len(bad))
    assert all("would not decode now either: " in one["reason"] for one in dry["refused"])
    ends = asyncio.run(log.ends(ACTIONS.name))
    first = redriven(run, "--all")
    assert places(first["redriven"]) == places(dry["redriven"])
    again = redriven(run, "--all")
    assert (again["redriven"], places(again["already"])) == ([], places(first["redriven"]))

    after = asyncio.run(judged(log, prefix))
    source = asyncio.run(log.records(ACTIONS.name))
    assert not violations(source, after)
    assert sum(map(len, after.dead_letters.values())) == len(bad) + len(mended)
    new = {(p, r.offset): r for p, records in source.items() for r in records if r.offset >= ends[p]}
    old = {(p, r.offset): r for p, records in source.items() for r in records}
    assert len(new) == len(mended)
    for one in first["redriven"]:
        was, came = old[one["partition"], one["offset"]], new[one["partition"], one["as"]]
        assert (came.key, came.value, came.headers[:3]) == (was.key, was.value, was.headers)
        assert dict(came.headers[3:]) == {
            "praetor.redrive.log": log.view.log_id.encode(),
            "praetor.redrive.partition": str(one["partition"]).encode(),
            "praetor.redrive.offset": str(one["offset"]).encode(),
            "praetor.redrive.attempt": b"1",
        }
    for p, records in after.decisions.items():
        sources = [decode(r.value, "decision")["source_offset"] for r in records]
        assert {offset for q, offset in new if q == p} <= set(sources)


def test_what_fails_again_is_a_letter_again_and_says_where_it_came_from(
    log: Log, prefix: str, run: Run
) -> None:
    outputs = letters_made(log, prefix, [future(1)])
    (letter,) = [decode(r.value, "dead_letter") for rs in outputs.dead_letters.values() for r in rs]
    where = [letter["partition"], letter["source_offset"]]
    for attempt in (1, 2):
        (one,) = redriven(run, where[0], where[1])["redriven"]
        assert one["attempt"] == attempt
        shown = run("show", where[0], where[1]).stdout
        assert f"redriven      as offset {one['as']}, attempt {attempt}, " in shown
        with unmended():
            asyncio.run(judged(log, prefix))
        where[1] = one["as"]
    text = run("show", *where).stdout
    assert f"origin        redriven from offset {letter['source_offset']}, attempt 2" in text
    assert text.count("praetor.redrive.") == 4
    assert f"header        praetor.redrive.offset = {letter['source_offset']}\n" in text
    shown = json.loads(run("show", *where, "--json").stdout)
    assert shown["origin"] == {"first_offset": letter["source_offset"], "attempt": 2}
    listed = {
        (x["partition"], x["source_offset"]): x["redriven_as"]
        for x in json.loads(run("list", "--json").stdout)
    }
    assert listed[letter["partition"], letter["source_offset"]] is not None
    assert listed[where[0], where[1]] is None


def test_what_cannot_be_whole_again_is_named_and_force_repeats_the_rest(
    log: Log, prefix: str, run: Run
) -> None:
    whole = routed(action(RNG), PARTITIONS)
    full = MAX_RECORD_BYTES - MAX_VALUE_BYTES - len(whole.key or b"") - 16
    bad = [
        whole._replace(value=b"x" * (MAX_VALUE_BYTES + 1)),
        whole._replace(value=b"x" * MAX_VALUE_BYTES, headers=[("", b"h" * full)]),
        whole._replace(value=b"x" * MAX_VALUE_BYTES),
        whole._replace(key=None, value=None),
    ]
    letters_made(log, prefix, bad)
    lines = run("redrive", "--all").stdout.splitlines()
    assert lines[:2] == ["0 dead letters redriven to agent.actions, 0 were before", "4 cannot be redriven:"]
    for line, why in zip(
        lines[2:], ["1048576 of 1048577 bytes", "with the marks", "either", "either"], strict=True
    ):
        assert why in line
    forced = redriven(run, "--all", "--force")
    assert (len(forced["redriven"]), len(forced["refused"])) == (2, 2)


def test_letters_are_chosen_by_class_and_time(log: Log, prefix: str, run: Run) -> None:
    letters_made(log, prefix, [future(1), future(2)])
    assert len(redriven(run, "--error-class", "Malformed", "--since", "1h", "--dry-run")["redriven"]) == 2
    for choice in (["--error-class", "Oversized"], ["--since", "2999-01-01"]):
        assert redriven(run, *choice) == {"dry_run": False, "redriven": [], "already": [], "refused": []}
    for usage in ([], ["1"], ["--all", "--since", "1h"], ["0", "0", "--all"], ["--since", "soon"]):
        assert run("redrive", *usage).exit_code == 2
    assert moment("2026-11-20", 0) == moment("2026-11-20T00:00+00:00", 0) == 1_795_132_800_000
    assert moment("90m", 10_000) == 10_000_000 - 5_400_000


def test_the_second_of_two_redrives_fences_the_first(log: Log, prefix: str) -> None:
    outputs = letters_made(log, prefix, [future(n) for n in range(30)])
    letters = [decode(r.value, "dead_letter") for rs in outputs.dead_letters.values() for r in rs]

    async def both() -> None:
        async with Redriver(log.options, prefix, log.view.log_id) as first:
            await first.publish(letters[:5])
            async with Redriver(log.options, prefix, log.view.log_id) as second:
                with pytest.raises(PraetorError, match="another redrive of this log has begun"):
                    await first.publish(letters[5:10])
                assert len(await second.publish(letters)) == 25

    asyncio.run(both())
    outputs = asyncio.run(judged(log, prefix))
    assert not violations(asyncio.run(log.records(ACTIONS.name)), outputs)
    assert sum(map(len, outputs.decisions.values())) == 30


def test_killed_in_the_middle_and_repeated_each_letter_is_published_once(
    log: Log, prefix: str, run: Run, tmp_path: Any
) -> None:
    count = 3_000
    letters_made(log, prefix, [future(n, content="x" * 900) for n in range(count)])
    argv = [sys.executable, "-m", "cli.main", "dead-letters", "redrive", "--all"]
    env = {"PRAETOR_BOOTSTRAP": log.bootstrap, "PRAETOR_TOPIC_PREFIX": prefix}
    killed = [kill_in_the_middle(log, prefix, argv, env, tmp_path / f"{n}.log") for n in range(3)]
    assert killed[-1] < count, "the redrive was through before it was killed"
    last = redriven(run, "--all")
    assert len(last["already"]) + len(last["redriven"]) == count
    assert len(last["already"]) >= killed[-1]
    source = asyncio.run(log.records(ACTIONS.name))
    came = [
        dict(r.headers)["praetor.redrive.offset"] for rs in source.values() for r in rs if len(r.headers) > 3
    ]
    assert len(came) == count
    assert (
        len(
            {
                (p, dict(r.headers).get("praetor.redrive.offset"))
                for p, rs in source.items()
                for r in rs
                if len(r.headers) > 3
            }
        )
        == count
    )
    outputs = asyncio.run(judged(log, prefix))
    assert not violations(source, outputs)
    assert sum(map(len, outputs.decisions.values())) == count


def kill_in_the_middle(log: Log, prefix: str, argv: list[str], env: dict[str, str], said: Any) -> int:
    """kill -9 a redrive once it has published something; how many redrives stand there now, committed."""

    async def published() -> int:
        return sum((await log.ends(ACTIONS.name)).values())

    before = asyncio.run(published())
    process: subprocess.Popen[bytes] = spawn(argv, said, env)
    deadline = time.monotonic() + SECONDS

    async def wait() -> None:
        tps = [TopicPartition(ACTIONS.name, p) for p in range(PARTITIONS)]
        async with log.asking() as ends:
            while sum([await ends.high_watermark(tp) for tp in tps]) == before:
                assert process.poll() is None and time.monotonic() < deadline, said.read_text()

    try:
        asyncio.run(wait())
    finally:
        process.kill()
        process.wait()
    return committed(log, prefix)


def committed(log: Log, prefix: str) -> int:
    async def count() -> int:
        async with Redriver(log.options, prefix, log.view.log_id) as redriver:
            return len(redriver.redrives._of)

    return asyncio.run(count())


def test_progress_passes_the_markers_of_a_redrive(log: Log, prefix: str, run: Run) -> None:
    outputs = letters_made(log, prefix, [future(1)])
    (partition,) = [p for p, letters in outputs.dead_letters.items() if letters]
    redriven(run, "--all")
    asyncio.run(log.settled(ACTIONS.name))
    ends = asyncio.run(log.ends(ACTIONS.name))
    assert asyncio.run(judged(log, prefix)).progress[partition].next_source_offset == ends[partition]
    asyncio.run(log.clear())
    asyncio.run(judged(log, prefix))


def test_a_foreign_record_among_the_redrives_is_said(log: Log, prefix: str, run: Run) -> None:
    letters_made(log, prefix, [future(1)])
    asyncio.run(write(log, topic_name(REDRIVEN, prefix), framed(action(RNG))))
    with pytest.raises(PraetorError, match="offset 0 is no record of a redrive, so another program writes"):
        run("redrive", "--all")


async def write(log: Log, topic: str, value: bytes | None) -> None:
    async with AIOKafkaProducer(**log.options) as producer:
        await producer.send_and_wait(topic, value, partition=0)
