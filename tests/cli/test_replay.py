"""`praetor replay` and `simulate` by their commands, on a broker of their own and a real ClickHouse."""

import asyncio
import gzip
import json
import secrets
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.progress import Progress
from typer.testing import CliRunner

from cli.replay import replay
from cli.simulate import simulate
from cli.waiting import Arrivals, wait_for_decisions
from runtime.embedded.services import Broker
from runtime.errors import PraetorError, Unavailable
from runtime.kafka import common_options
from runtime.settings import load_settings
from schemas.action import read_action
from schemas.keys import agent_key, partition_of
from schemas.topics import ACTIONS
from sinks.connection import connect
from sinks.migrate import migrate
from streams.producing import Published
from streams.simulation import generate_encoded
from streams.topics import Wanted, create_topics

PARTITIONS = 4

app = typer.Typer()
app.command()(replay)
app.command()(simulate)

ACTION = {"tenant": "acme", "agent_id": "a", "action": "read:file"}
CALL = {"suite": "banking", "user_prompt": "Pay the bill", "tool": "send_money"}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A broker with all topics; its only writers are these tests."""
    with Broker(tmp_path_factory.mktemp("replay")) as running:
        settings = load_settings(bootstrap=running.bootstrap)
        asyncio.run(create_topics(common_options(settings), Wanted(PARTITIONS)))
        yield running.bootstrap


@pytest.fixture
def database(clickhouse, monkeypatch):
    """A migrated database that the commands find."""
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_URL", clickhouse)
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_DATABASE", f"replay_{secrets.token_hex(4)}")
    settings = load_settings()
    migrate(settings)
    return settings


@pytest.fixture
def run(log, monkeypatch):
    monkeypatch.setenv("PRAETOR_BOOTSTRAP", log)

    def invoke(*arguments, stdin=None):
        return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)

    return invoke


@pytest.fixture
def appended(log):
    """Returns what was appended to agent.actions since the last call: records, in each partition's order."""
    every = [TopicPartition(ACTIONS.name, p) for p in range(PARTITIONS)]
    seen = {}

    async def read():
        found = []
        async with AIOKafkaConsumer(bootstrap_servers=log) as consumer:
            ends = await consumer.end_offsets(every)
            consumer.assign(every)
            for tp in every:
                consumer.seek(tp, seen.get(tp, ends[tp]))
            while any([await consumer.position(tp) < ends[tp] for tp in every]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
            seen.update(ends)
        return found

    asyncio.run(read())
    return lambda: asyncio.run(read())


def actions(records):
    for record in records:
        action = read_action(record.value, record.timestamp)
        assert record.key == agent_key(action.tenant, action.agent_id)
        assert record.partition == partition_of(record.key, PARTITIONS)
        yield action


def write(path, lines, pack=False):
    raw = "".join(json.dumps(line) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(raw) if pack else raw)
    return str(path)


def trace(trace_id, steps):
    for step in range(steps):
        yield {
            **CALL,
            "trace_id": trace_id,
            "step": step,
            "args": {"recipient": f"R{step}"},
            "result": f"ok {step}",
        }


@pytest.mark.parametrize("pack", [False, True])
def test_traces_become_prompts_calls_and_results(run, appended, tmp_path, pack):
    steps = [*trace("t1", 2), *trace("t2", 1)]
    steps[1] |= {"result": None, "error": "no funds"}
    file = write(tmp_path / "traces", steps, pack)
    summary = json.loads(run("replay", file, "--format", "trace", "--json").stdout)
    assert summary["published"] == 8
    events = list(actions(appended()))
    assert {(e.tenant, e.agent_id, e.session_id) for e in events} == {
        ("banking", "banking-t1", "t1"),
        ("banking", "banking-t2", "t2"),
    }
    first = [e for e in events if e.session_id == "t1"]
    assert [e.get("phase") for e in first] == ["prompt", "call", "result", "call", "result"]
    prompt, call, result, other_call, failed = first
    assert (prompt.action, prompt.content) == ("chat:model", "Pay the bill")
    assert (call.action, call.tool, call.resource) == ("call:tool", "send_money", "R0")
    assert json.loads(call.arguments) == {"recipient": "R0"}
    assert (result.get("parent_event_id"), result.get("outcome"), result.content) == (
        call.event_id,
        "ok",
        "ok 0",
    )
    assert failed.get("parent_event_id") == other_call.event_id
    assert (failed.get("outcome"), failed.content) == ("error", "no funds")
    start = prompt.get("occurred_at")
    assert [e.get("occurred_at") - start for e in first] == [0, 1, 2, 1_000_001, 1_000_002]
    assert len({e.salt for e in events}) == len(events)
    run("replay", file, "--format", "trace")
    again = list(actions(appended()))
    assert sorted(e.event_id for e in again) == sorted(e.event_id for e in events)
    assert not {e.salt for e in again} & {e.salt for e in events}


def test_actions_are_published_as_they_stand(run, appended):
    lines = [
        {**ACTION, "event_id": "123E4567-E89B-12D3-A456-426614174000", "occurred_at": "2026-01-31T09:30:00Z"},
        {**ACTION, "occurred_at": 5, "content": "secret", "salt": "00ff"},
        {**ACTION, "occurred_at": 6, "content": "secret"},
        {**ACTION},
    ]
    stdin = "\n\n".join(json.dumps(line) for line in lines)
    assert "published 4 actions to 1 partitions" in run("replay", "-", stdin=stdin).stdout
    events = list(actions(appended()))
    assert events[0].event_id == "123e4567-e89b-12d3-a456-426614174000"
    assert [e.get("occurred_at") for e in events[:3]] == [1769851800000000, 5, 6]
    assert [e.salt for e in events[:2]] == [None, b"\x00\xff"]
    assert len(events[2].salt) == 16
    assert events[3].salt is None
    run("replay", "-", stdin=stdin)
    assert [e.event_id for e in actions(appended())] == [e.event_id for e in events]


def test_a_file_with_bad_lines_publishes_nothing_and_names_them_all(run, appended, tmp_path):
    bad = [{**ACTION, "actoin": 1}, {"tenant": "t"}, {**ACTION, "content": "x" * (1 << 20)}]
    file = write(tmp_path / "bad.jsonl", [ACTION, *bad, ACTION])
    with pytest.raises(PraetorError) as refused:
        run("replay", file)
    said = str(refused.value).splitlines()
    assert said[0] == f"{file}: 3 bad lines, nothing was published"
    assert said[1] == "line 2: unknown key 'actoin'"
    assert said[2] == "line 3: 'agent_id' is missing; 'action' is missing"
    assert said[3].startswith("line 4: a value of 1048")
    assert appended() == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([*trace("t1", 1), *trace("t2", 1), *trace("t1", 1)], "line 3: trace t1 goes on after another began"),
        ([*trace("t1", 2), *trace("t1", 1)], "line 3: step 0 of trace t1 comes after step 1"),
        ([{**CALL, "trace_id": "t", "step": -1}], "line 1: step: Input should be greater than"),
        ([{**CALL, "trace_id": "t", "step": 0, "arg": {}}], "line 1: unknown key 'arg'"),
    ],
)
def test_mistakes_of_traces_are_named(run, appended, tmp_path, lines, said):
    with pytest.raises(PraetorError) as refused:
        run("replay", write(tmp_path / "t", lines), "--format", "trace")
    assert said in str(refused.value)
    assert appended() == []


def test_a_file_that_cannot_be_read_is_said(run, tmp_path):
    with pytest.raises(PraetorError, match="cannot read nowhere: No such file or directory"):
        run("replay", "nowhere")
    whole = gzip.compress(b"{}\n" * 10_000)
    (tmp_path / "cut.gz").write_bytes(whole[:-20])
    with pytest.raises(PraetorError, match=r"cut.gz is broken gzip: .*; nothing was published"):
        run("replay", str(tmp_path / "cut.gz"))
    (tmp_path / "text").write_text("no json\n")
    with pytest.raises(PraetorError, match="line 1: no JSON: Expecting value"):
        run("replay", str(tmp_path / "text"))


def test_simulate_publishes_the_seeded_events(run, appended):
    arguments = ["simulate", "--agents", "30", "--seed", "9", "--hostile", "0.1", "--count", "500", "--json"]
    assert json.loads(run(*arguments).stdout)["published"] == 500
    expected = list(generate_encoded(9, 30, 500, 0.1))
    assert Counter((r.key, r.value) for r in appended()) == Counter(expected)


def test_simulate_stops_after_seconds_and_keeps_its_rate(run, appended):
    summary = json.loads(run("simulate", "--seconds", "1", "--rate", "100", "--json").stdout)
    assert 1 <= summary["published"] <= summary["seconds"] * 100 + 1
    assert len(appended()) == summary["published"]


def store(settings, table, rows):
    client = connect(settings)
    names = ["log_id", "partition", "source_offset", "received_at"]
    values = [["l", p, o, datetime.fromtimestamp(ms / 1000, UTC)] for p, o, ms in rows]
    client.insert(table, values, column_names=names)
    client.close()


NOW = int(time.time() * 1000)
LATER = NOW + 3_600_000


def test_wait_ends_once_all_are_stored(run, appended, database):
    run("simulate", "--count", "40")
    last = {r.partition: r.offset for r in appended()}
    rows = [(p, o, LATER) for p in range(PARTITIONS) for o in range(last.get(p, 0), last.get(p, 0) + 200)]
    store(database, "decisions", rows[:-1] + rows[:50])
    store(database, "dead_letters", rows[-1:])
    summary = json.loads(run("simulate", "--count", "40", "--wait", "--timeout", "5", "--json").stdout)
    assert summary["decisions"] + summary["dead_letters"] == 40


def test_wait_says_which_part_is_behind(run, database):
    with pytest.raises(PraetorError) as refused:
        run("simulate", "--count", "20", "--wait", "--timeout", "0.3")
    assert "nothing arrived in ClickHouse for 0.3 s: 20 of 20 actions are not there, in partitions" in str(
        refused.value
    )
    assert "govern is behind: in partition" in str(refused.value)
    assert "Does `praetor govern` run?" in str(refused.value)


async def test_wait_blames_the_archive_where_govern_has_judged(log, database, monkeypatch):
    published = Published()
    published.add(0, -5, 3, None)  # before any progress record's next offset
    settings = load_settings(bootstrap=log)
    with pytest.raises(PraetorError, match="govern has judged them all, so the archive is behind"):
        await wait_for_decisions(settings, published, 0.3, Progress(disable=True))


def test_wait_needs_a_clickhouse_before_it_publishes(run, appended, database, monkeypatch, unused_tcp_port):
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_DATABASE", "never_migrated")
    with pytest.raises(PraetorError, match="praetor db migrate"):
        run("simulate", "--count", "1", "--wait")
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_URL", f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(Unavailable, match="does not answer"):
        run("simulate", "--count", "1", "--wait")
    assert appended() == []


def test_arrivals_count_offsets_of_ours_only(database):
    published = Published()
    for first in range(0, 1_000, 2):  # every other offset is another producer's
        published.add(0, first, 1, NOW)
    published.add(1, 5, 10, NOW)
    store(database, "decisions", [(0, o, LATER) for o in range(600)] + [(0, 998, NOW - 1), (2, 5, LATER)])
    client = connect(database)
    arrivals = Arrivals(client, published)
    assert arrivals.poll() == 300
    assert arrivals.missing() == {0: 200, 1: 10}
    assert arrivals.last_offsets() == {0: 998, 1: 14}
    store(
        database,
        "decisions",
        [(0, o, LATER) for o in range(590, 1_000)] + [(1, o, LATER) for o in range(5, 14)],
    )
    assert arrivals.poll() == 509
    assert arrivals.missing() == {1: 1}
    store(database, "dead_letters", [(1, 14, LATER)])
    assert arrivals.poll() == 510
    assert arrivals.missing() == {}
    client.close()
