"""What `praetor control` says to a person: mistakes, dry runs, the whole fleet, what workers say."""

import shlex
from pathlib import Path
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner

from cli.control.status import _row
from cli.main import app
from runtime.settings import Settings
from sinks.connection import connect
from sinks.migrate import migrate
from streams.workers import Seen, WorkerStatus, read_status
from tests.control.conftest import Control

REASON = ("--reason", "why")

MISTAKES = {
    "nobody": (("kill", *REASON), "whom? Name --tenant"),
    "everyone and one": (("kill", "--fleet", "--tenant", "t", *REASON), "--fleet is everyone"),
    "an agent of nobody": (("kill", "--agent", "a", *REASON), "name --tenant too"),
    "a session of nobody": (
        ("kill", "--tenant", "t", "--session", "s", *REASON),
        "name --tenant and --agent",
    ),
    "an agent's tool": (("kill", "--tenant", "t", "--agent", "a", "--tool", "x", *REASON), "agent or a tool"),
    "a server alone": (("kill", "--tenant", "t", "--tool-server", "s", *REASON), "with a --tool of it"),
    "two ends": (("kill", "--tool", "t", "--for", "1h", "--until", "2030-01-01", *REASON), "name one"),
    "no span": (("kill", "--tool", "t", "--for", "1 hour", *REASON), "no span such as 90s"),
    "no time": (("kill", "--tool", "t", "--until", "soon", *REASON), "no time such as"),
    "the past": (("kill", "--tool", "t", "--until", "2020-01-01", *REASON), "over at once"),
    "the whole fleet": (("kill", "--fleet", *REASON), "add --yes if that is meant"),
    "all in quarantine": (("quarantine", "--fleet", *REASON), "add --yes if that is meant"),
    "a grant for ever": (("grant", "--tenant", "t", "--agent", "a", *REASON), "a grant ends"),
    "a grant to a tenant": (
        ("grant", "--tenant", "t", "--for", "1h", *REASON),
        "an agent, a session or a tool",
    ),
    "a release of nothing": (("release", *REASON), "release what?"),
    "a release of both": (("release", "ab", "--kind", "kill", *REASON), "release what?"),
    "a release with more": (("release", "ab", "--tool", "x", *REASON), "an id says all"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_before_anything_is_asked(name: str) -> None:
    words, told = MISTAKES[name]
    result = CliRunner().invoke(app, ["control", *words], env={"PRAETOR_BOOTSTRAP": "nowhere.invalid:1"})
    assert result.exit_code == 1
    assert told in str(result.exception)


async def test_what_would_be_refused_is_not_published(control: Control) -> None:
    before = len(await control.json("list", "--all"))
    told = await control.run("release", "ffff", *REASON, code=1)
    assert "no order 'ffff' stands" in told
    told = await control.run("release", "--kind", "kill", "--tool", "x", *REASON, code=1)
    assert "where none stands. Nothing was published" in told
    told = await control.run(
        "grant", "--tenant", "t", "--agent", "a", "--action", "a**", "--for", "1h", *REASON, code=1
    )
    assert "write '*' once" in told
    told = await control.run("kill", "--tool", "x", "--reason", "two\nlines", code=1)
    assert "reason" in told and "Nothing was published" in told
    told = await control.run("kill", "--tool", "x", "--dry-run", *REASON)
    assert "nothing published. A kill of tool x until released would hit" in told
    assert "who, is not known: no running stack" in told
    assert len(await control.json("list", "--all")) == before


async def test_what_stands_is_listed_until_it_is_released(control: Control) -> None:
    reason = "[red]odd[/red]"
    await control.run("kill", "--tenant", "acme", "--agent", "a[1]", "--reason", reason, "--no-wait")
    words = ("--tenant", "acme", "--agent", "b", "--action", "read:*", "--for", "1s")
    await control.run("grant", *words, *REASON, "--no-wait")
    told = await control.run("list")
    assert reason in told and "agent acme/a[1]" in told and "agent acme/b, read:*" in told
    kill, grant = await control.json("list")
    assert (kill["kind"], kill["target"]["agent"], kill["over"]) == ("kill", "a[1]", False)
    assert grant["expires_at"] - grant["issued_at"] <= 1_000 and grant["actions"] == ["read:*"]
    while not grant["over"]:
        kill, grant = await control.json("list")
    assert "(over)" in await control.run("list")
    told = await control.run("release", kill["order"][:8], *REASON)
    assert "no worker is live; each reads the order before it judges" in told
    assert [order["kind"] for order in await control.json("list")] == ["grant"]
    assert "is no order that stands" not in await control.run("list", "--all")


STATUS = WorkerStatus(
    worker_id="host-1-abc",
    host="host",
    pid=1,
    started_at=1_000,
    told_at=60_000,
    engine="3",
    log_id="log",
    partitions=(0, 5),
    control_offset=41,
    applied_at=59_500,
    bundle="sha256:ab",
    bundle_offset=3,
    canary=None,
    refused=((7, "why"), (9, "why not")),
)


def test_a_worker_s_word_is_read_as_it_was_said() -> None:
    assert read_status(STATUS.to_bytes()) == STATUS
    nothing = WorkerStatus("w", "h", 1, 0, 0, "3", "l", (), -1, 0, None, None, None, ())
    assert read_status(nothing.to_bytes()) == nothing


@pytest.mark.parametrize(
    ("now", "newest", "state", "lag"),
    [(115_000, 41, "current", 0), (115_001, 41, "silent", 0), (71_000, 43, "behind", 2)],
)
def test_who_has_said_nothing_for_45_seconds_is_silent(now: int, newest: int, state: str, lag: int) -> None:
    row = _row(Seen(STATUS, 70_000), newest, now)
    assert (row["state"], row["lag"]) == (state, lag)
    # its clock is ten seconds behind the broker's: ages are by the broker's
    assert (row["applied_age_ms"], row["said_age_ms"]) == (now - 69_500, now - 70_000)


async def test_a_dry_run_says_who_would_be_hit(control: Control, clickhouse: str) -> None:
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"impact_{uuid4().hex}")
    migrate(settings)
    client = connect(settings)
    try:
        client.command(
            "INSERT INTO decisions (tenant, agent_id, tool, effect, received_at) SELECT 'acme',"
            " ['a0', 'a1', 'it''s'][number % 3 + 1], if(number < 3, NULL, 'rm'),"
            " if(number % 2, 'allow', 'deny'), now() - 60 * number FROM numbers(100)"
        )
    finally:
        client.close()
    env = {
        "PRAETOR_CLICKHOUSE_URL": clickhouse,
        "PRAETOR_CLICKHOUSE_DATABASE": settings.clickhouse_database,
    }
    words = ("kill", "--tool", "rm", "--tenant", "acme", *REASON, "--dry-run")
    told = await control.json(*words, env=env)
    # an hour holds 60 minutes; the first three used no tool
    assert sum(agent["actions"] for agent in told["agents"]) in (56, 57)
    assert {agent["agent"] for agent in told["agents"]} == {"a0", "a1", "it's"}
    assert all(0 < agent["allowed"] < agent["actions"] for agent in told["agents"])
    assert (told["dry_run"], told["control_offset"], told["unknown"]) == (True, None, None)
    shown = await control.run("kill", "--tenant", "acme", "--agent", "it's", *REASON, "--dry-run", env=env)
    assert "A kill of agent acme/it's until released would hit" in shown and "1 agent, with " in shown
    assert await control.json("list") == []


def test_the_page_s_commands_are_command_lines() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policies" / "orders.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("praetor control ")]
    commands = typer.main.get_command(app).commands["control"].commands
    assert len(lines) >= 6
    for line in lines:
        words = shlex.split(line)[2:]
        commands[words[0]].make_context(words[0], words[1:])
