"""`praetor policy backtest` on what a fleet did in three days, by the command, from both stores."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.policy.app import policy_app
from judgement.judge import judge
from judgement.rules import compile_rules
from runtime.errors import PraetorError
from schemas.action import read_action
from schemas.codec import decode
from sinks.connection import connect
from streams.cells import Cells
from streams.snapshots import DAY_MS
from tests.backtest.world import DETECTIONS, World, bundle_of, candidate, live

STORES = ("clickhouse", "kafka")


def praetor(world: World, *words: object, **env: str) -> Result:
    return CliRunner().invoke(policy_app, ["backtest", *map(str, words)], env=world.env(**env))


def report(world: World, *words: object) -> dict[str, Any]:
    found = praetor(world, *words, "--json", "--workers", 1)
    assert found.exit_code == 0, found.exception
    told: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return told


def time_of(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    assert not rest
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def routed(world: World) -> int:
    return sum(r.key != b"wrong" for records in world.inputs.values() for r in records)


@pytest.mark.parametrize("store", STORES)
def test_the_live_bundle_says_what_was_recorded(world: World, store: str):
    window = ("--from", time_of(world.begin), "--source", store)
    found = report(world, "active", *window, "--verify")
    assert found["verified"] == {"decisions": routed(world), "equal": routed(world), "differing": []}
    assert found["changed"] == found["reworded"]["count"] == found["without_snapshot"] == 0
    assert found["actions"] == routed(world) and found["misrouted"] > 0
    # nothing of it is vacuous
    fired = found["fired"]
    assert {"live/daily", "live/session", "live/burst", "live/worn", "live/clamp", "control/kill"} <= set(
        fired
    )
    assert found["rules"]["never_fired"] == ["live/never"]


@pytest.mark.parametrize("store", STORES)
def test_what_was_remembered_comes_from_snapshots(world: World, store: str):
    """From the middle of a day: snapshots of its beginning, then the recorded course up to the window."""
    since = world.begin + DAY_MS + DAY_MS // 3
    found = report(world, "active", "--from", time_of(since), "--source", store, "--verify")
    records = [r for of in world.inputs.values() for r in of if r.timestamp >= since and r.key != b"wrong"]
    assert found["verified"]["equal"] == found["verified"]["decisions"] == found["actions"] == len(records)
    assert found["warm_up_actions"] > 100 and found["without_snapshot"] == 0


def folded(world: World, since: int) -> list[tuple[Any, Any, Any]]:
    """What two bundles say from a time on, each going on from the cells of that time: done by hand."""
    old, new = (compile_rules(bundle_of(of)) for of in (live(calls=25), candidate()))
    came = []
    for records in world.inputs.values():
        sides: list[dict[bytes, Cells]] = [dict(world.moments[since]), dict(world.moments[since])]
        for record in records:
            if record.timestamp < since or record.key in (b"wrong", None):
                continue
            assert record.key is not None
            action = read_action(record.value, record.timestamp)
            view = max((v for at, v in world.views if at <= record.timestamp), key=lambda v: v.offset)
            verdicts = []
            for rules, cells in zip((old, new), sides, strict=True):
                under = replace(rules, standing=view.orders.standing)
                verdict, changes, findings, *_ = judge(action, cells.get(record.key, {}), under)
                merged = {**cells.get(record.key, {}), **changes}
                cells[record.key] = {name: value for name, value in merged.items() if value}
                verdicts.append((verdict, findings))
            came.append((action, *verdicts))
    return came


@pytest.mark.parametrize("store", STORES)
def test_what_a_candidate_changes_is_what_judging_by_hand_says(world: World, tried: Path, store: str):
    since = world.begin + 2 * DAY_MS
    found = report(world, tried, "--from", time_of(since), "--source", store)
    came = folded(world, since)
    assert found["actions"] == len(came) and found["warm_up_actions"] == 0
    transitions = Counter(f"{old[0].effect.name} -> {new[0].effect.name}" for _, old, new in came)
    assert found["transitions"] == dict(transitions)
    rules: Counter[tuple[str, ...]] = Counter()
    agents: Counter[tuple[str, ...]] = Counter()
    tools: Counter[tuple[str, ...]] = Counter()
    names = {"deny": "denied", "require_approval": "approval", "allow": "allowed", "modify": "modified"}
    for action, (old, _), (new, _) in came:
        if old.effect is new.effect and old.modified_arguments == new.modified_arguments:
            continue
        kind = "arguments" if old.effect is new.effect else names.get(new.effect.name, "deferred")
        deciding = [f"{v.reasons[0].policy}/{v.reasons[0].rule}" for v in (old, new)]
        rules[kind, deciding[0], deciding[1]] += 1
        agents[kind, action.tenant, action.agent_id] += 1
        tools[kind, action.tool or action.action] += 1
    assert {(g["kind"], g["old_rule"], g["new_rule"]): g["count"] for g in found["by_rule"]} == rules
    assert {(g["kind"], g["tenant"], g["agent_id"]): g["count"] for g in found["by_agent"]} == agents
    assert {(g["kind"], g["tool"]): g["count"] for g in found["by_tool"]} == tools
    assert found["changed"] == sum(rules.values()) and {"denied", "allowed", "arguments"} <= {
        k[0] for k in rules
    }
    raised = sum(bool(set(new.errors) - set(old.errors)) for _, (old, _), (new, _) in came)
    assert found["errors"]["count"] == raised > 0
    for name, here, there in (("threats_found", 2, 1), ("threats_lost", 1, 2)):
        expected = sum(len(set(one[here][1]) - set(one[there][1])) for one in came)
        assert found[name]["count"] == expected
    assert found["threats_found"]["count"] + found["threats_lost"]["count"] > 0
    example = next(g for g in found["by_rule"] if g["kind"] == "arguments")["examples"][0]
    assert json.loads(example["old"]["modified_arguments"])["amount"] == 100
    assert json.loads(example["new"]["modified_arguments"])["amount"] == 50


def test_neither_workers_nor_the_store_make_a_difference(
    world: World, tried: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("cli.backtest.planning.CHUNK_LEAST", 100)
    window = ("--from", time_of(world.begin + DAY_MS), "--verify", "--json")
    told = []
    for words in (("--workers", 1), ("--workers", 2), ("--workers", 2, "--source", "kafka")):
        found = praetor(world, tried, *window, *words)
        assert found.exit_code == 0, found.exception
        one = json.loads(found.stdout.splitlines()[-1])
        told.append({k: v for k, v in one.items() if k not in ("seconds", "rate", "workers", "source")})
    assert told[0] == told[1]
    # examples are the first of each chunk, and partitions are other chunks than ranges of agents
    for one in told:
        for value in one.values():
            for group in (
                value
                if isinstance(value, list)
                else value.get("groups", [])
                if isinstance(value, dict)
                else []
            ):
                if isinstance(group, dict):
                    group.pop("examples", None)
    assert told[0] == told[2]


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        (("--max-newly-denied", "100000"), 0),
        (("--max-newly-denied", "100%", "--max-changed", "0"), 3),
        (("--max-errors", "0"), 3),
        (("--max-newly-allowed", "0.01%"), 3),
    ],
)
def test_thresholds_decide_the_exit_code(world: World, tried: Path, limit: tuple[str, ...], code: int):
    found = praetor(world, tried, "--from", time_of(world.begin + 2 * DAY_MS), *limit, "--workers", 1)
    assert found.exit_code == code
    assert (f"exceeded: {limit[-2]} {limit[-1]}: " in found.stderr) == bool(code)


def test_reports_are_written(world: World, tried: Path, tmp_path: Path):
    md, page = tmp_path / "report.md", tmp_path / "report.html"
    found = praetor(
        world, tried, "--from", time_of(world.begin), "--markdown", md, "--html", page, "--workers", 1
    )
    assert found.exit_code == 0
    assert "Newly denied, by agent" in found.stdout and "never fired" in found.stdout
    assert "live/daily" in md.read_text() and "| actions | was decided by |" in md.read_text()
    assert "<script" not in page.read_text() and "live/daily" in page.read_text()


def test_an_agent_that_left_no_snapshot_is_told_and_warmed_up(world: World, tried: Path):
    """As in a log of before snapshots were taken."""
    since = time_of(world.begin + 2 * DAY_MS)
    with connect(world.settings) as client:
        database = world.settings.clickhouse_database
        copy = f"{database}_bare"
        client.command(f"CREATE DATABASE {copy}")
        for table in ("decisions", "snapshots"):
            client.command(f"CREATE TABLE {copy}.{table} AS {database}.{table}")
        client.command(f"INSERT INTO {copy}.decisions SELECT * FROM {database}.decisions")
    env = {"PRAETOR_CLICKHOUSE_DATABASE": copy}
    words = ("active", "--from", since, "--verify", "--json", "--workers", 1)
    cold = json.loads(praetor(world, *words, **env).stdout.splitlines()[-1])
    assert cold["without_snapshot"] == cold["agents"] and "--warm-up" in cold["remarks"][0]
    assert cold["verified"]["different"] > 0 and cold["verified"]["differing"][0]["examples"]
    warm = json.loads(praetor(world, *words, "--warm-up", "30d", **env).stdout.splitlines()[-1])
    assert warm["without_snapshot"] == 0 and warm["verified"]["equal"] == warm["actions"]


def told(found: Result) -> str:
    assert isinstance(found.exception, PraetorError | SystemExit), found.exception
    return str(found.exception) + found.stderr


def test_what_cannot_be_tried_is_told(world: World, tried: Path, tmp_path: Path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(tried.read_text().replace("effect: modify", "effect: mend").replace("priority", "prio"))
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"action": 1}\nno json\n')
    window = ("--from", time_of(world.begin))
    for words, expected in (
        ((bad, *window), "bad.yaml:"),
        (("sha256:" + "0" * 64, *window), "names 0 of the bundles on agent.control"),
        ((tmp_path / "none", *window), "no such file or directory, nor a digest"),
        ((tried, "--from", "2020-01-01", "--to", "2020-01-02"), "holds no decision in this window; it holds"),
        ((tried,), "say which stored actions"),
        ((tried, "--since", "yesterday"), "no length of time"),
        ((tried, "--from", "2020-01-02", "--to", "2020-01-01"), "ends (--to) before it begins"),
        ((tried, lines, "--since", "7d"), "a file is tried whole"),
        ((tried, lines, "--verify"), "a file holds actions alone"),
        ((tried, lines), "2 bad lines"),
        ((tried, lines, "--format", "spool"), "is no spool file"),
        ((tried, *window, "--max-changed", "many"), "--max-changed 'many'"),
    ):
        assert expected in told(praetor(world, *words)), words
    away = {"PRAETOR_CLICKHOUSE_URL": "http://127.0.0.1:1"}
    assert "does not answer" in str(praetor(world, tried, *window, **away).exception)


def test_files_are_tried_whole_in_every_form(world: World, tried: Path, tmp_path: Path):
    """The same actions as lines and as what an SDK could not send come to the same; traces are calls too."""
    live_file = tmp_path / "live.yaml"
    live_file.write_text(yaml.safe_dump_all([live(calls=25), DETECTIONS]))
    values = [r.value or b"" for records in world.inputs.values() for r in records]
    spool, lines, trace = (tmp_path / name for name in ("spool", "lines.jsonl", "trace.jsonl"))
    spool.write_bytes(b"".join(len(value).to_bytes(4, "big") + value for value in values))
    with lines.open("w") as file:
        for value in values:
            record = {k: v for k, v in decode(value, "action_event").items() if v is not None}
            file.write(json.dumps(record | {"salt": record["salt"].hex()}) + "\n")
    call = {"suite": "bank", "user_prompt": "pay", "tool": "bash", "args": {"amount": 5}, "trace_id": "t"}
    trace.write_text("".join(json.dumps({**call, "step": step}) + "\n" for step in range(40)))
    told = []
    for words in ((lines,), (spool, "--format", "spool"), (trace, "--format", "trace")):
        found = praetor(world, tried, *words, "--against", live_file, "--json", "--workers", 1)
        assert found.exit_code == 0, found.exception
        told.append(json.loads(found.stdout.splitlines()[-1]))
    assert told[0]["actions"] == told[1]["actions"] == len(values)
    assert told[0]["by_rule"] == told[1]["by_rule"] and told[0]["changed"] > 100
    assert told[2]["actions"] == 81 and told[2]["agents"] == 1
