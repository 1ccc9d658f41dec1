"""Queries by name give the answers of a small world; what cannot be asked is said."""

import json
import shlex
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from cli.main import app
from runtime.errors import PraetorError
from runtime.settings import Settings
from sinks.migrate import migrate
from sinks.named import QUERIES
from tests.queries.world import event, fill

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def _world(clickhouse: str) -> Iterator[None]:
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"queries_{uuid4().hex[:8]}")
    migrate(settings)
    fill(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRAETOR_CLICKHOUSE_URL", clickhouse)
        patch.setenv("PRAETOR_CLICKHOUSE_DATABASE", settings.clickhouse_database)
        yield


def ask(name: str, *given: str) -> Rows:
    result = CliRunner().invoke(app, ["query", "--json", "--named", name, *given])
    assert result.exception is None, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["query", *arguments])
    assert isinstance(result.exception, PraetorError), result.output
    return str(result.exception)


def test_what_an_agent_did() -> None:
    rows = ask("agent-actions", "tenant=acme", "agent=reader")
    assert [row["event_id"] for row in rows] == [event(n) for n in range(10, 1, -1)], "the last 24 hours"
    assert rows[5]["rule"] == "no-mail" and rows[5]["effect"] == "deny"
    assert len(ask("agent-actions", "tenant=acme", "agent=reader", "since=7d")) == 10
    assert len(ask("agent-actions", "tenant=acme", "agent=reader", "limit=2")) == 2
    assert ask("agent-actions", "tenant=bolt", "agent=reader") != rows, "another tenant's are its own"


def test_why_something_was_denied() -> None:
    [row] = ask("why-denied", "tenant=acme", f"event={event(5)}")
    assert (row["policy"], row["rule"], row["message"]) == ("guard", "no-mail", "no mail to strangers")
    assert ask("why-denied", "tenant=acme", f"event={event(4)}") == []
    assert ask("why-denied", "tenant=acme", "agent=talker") == []
    [row] = ask("denials", "tenant=acme")
    assert (row["agent_id"], row["rule"], row["times"]) == ("reader", "no-mail", 1)


def test_who_touched_a_resource_and_what_is_below_it() -> None:
    [row] = ask("resource-touched", "tenant=acme", "resource=/srv/payroll", "since=30d")
    assert (row["agent_id"], row["times"], row["resources"], row["last_event"]) == ("reader", 2, 2, event(4))
    assert ask("resource-touched", "tenant=acme", "resource=/srv/pay", "since=30d") == []


def test_words_are_found_whatever_their_case_in_all_three_texts() -> None:
    assert [row["event_id"] for row in ask("search", "tenant=acme", "text=payroll ignore")] == [event(3)]
    assert [row["event_id"] for row in ask("search", "tenant=acme", "text=EVE mail", "limit=1")] == [event(3)]
    assert [row["event_id"] for row in ask("search", "tenant=acme", "text=2026.csv")] == [event(4)]
    assert ask("search", "tenant=acme", "text=pay") == [], "whole words"


def test_what_a_rule_in_shadow_would_have_stopped() -> None:
    [row] = ask("rule-stops", "tenant=acme", "rule=no-web")
    assert (row["agent_id"], row["times"], row["shadow"], row["decided"]) == ("reader", 1, 1, "allow")
    assert ask("rule-stops", "tenant=acme", "rule=no-web", "policy=other") == []
    assert ask("rule-stops", "tenant=acme", "rule=no-mail") == [], "it stopped what it matched"


def test_which_rules_are_idle() -> None:
    assert [(row["rule"], row["matched_ever"]) for row in ask("idle-rules", "tenant=acme")] == [("unused", 1)]
    known = ask("idle-rules", "tenant=acme", "known=guard/no-mail,guard/never")
    assert [(row["policy"], row["rule"], row["last"]) for row in known] == [("guard", "never", None)]


@pytest.mark.parametrize(
    ("by", "costs"),
    [
        ("model", {"m1": 0.5, "m2": 0.25}),
        ("agent", {"talker": 0.75}),
        ("team", {"blue": 0.5, "red": 0.25}),
    ],
)
def test_what_it_cost(by: str, costs: dict[str, float]) -> None:
    assert {row["what"]: row["cost_usd"] for row in ask("cost", "tenant=acme", f"by={by}")} == costs


def test_what_days_cost_and_how_much_was_done() -> None:
    assert sum(row["cost_usd"] for row in ask("cost", "tenant=acme", "by=day", "since=30d")) == 0.75
    for step in ("minute", "hour", "day"):
        rows = ask("activity", "tenant=acme", f"step={step}", "by=agent", "since=30d")
        assert sum(row["actions"] for row in rows) == 12, step
        assert sum(row["denied"] for row in rows) == 1, step
    [row] = ask("delays", "tenant=bolt", "by=agent")
    assert row["p50_ms"] == pytest.approx(250, rel=0.02)


def test_a_session_s_timeline() -> None:
    rows = ask("session-timeline", "tenant=acme", "session=s-attack")
    assert [row["kind"] for row in rows] == [
        "call", "result", "call", "call", "threat", "incident", "result", "result", "call", "result",
        "result", "incident",
    ]  # fmt: skip
    assert rows[3]["why"] == "no mail to strangers" and rows[4]["what"] == "tainted-call"
    assert rows[-1]["what"] == "grew"
    assert ask("session-timeline", "tenant=bolt", "session=none") == []


def test_incidents_and_what_their_agents_touched() -> None:
    [row] = ask("incidents", "tenant=acme", "status=open")
    assert (row["incident_id"], row["story"]) == ("i-7", "One threat and one denial.")
    assert ask("incidents", "tenant=acme", "status=resolved") == []
    [row] = ask("threats", "tenant=acme")
    assert row["detector"] == "tainted-call"
    touched = ask("blast-radius", "tenant=acme", "incident=i-7")
    found = {(row["kind"], row["name"]): row["actions"] for row in touched}
    assert found["resource", "/srv/payroll/2026.csv"] == 1 and found["agent", "reader"] == 9
    assert found["user", "ann"] == 9 and ("resource", "/srv/payroll") not in found
    assert ask("blast-radius", "tenant=acme", "incident=none") == []


def test_what_went_past_the_decision() -> None:
    rows = ask("bypass", "tenant=acme")
    assert [(row["finding"], row["result_event"]) for row in rows] == [
        ("other arguments", event(9)),
        ("no decision", event(7)),
        ("denied, executed", event(6)),
    ]
    assert ask("bypass", "tenant=acme", "agent=talker") == []


def test_what_destinations_took() -> None:
    [row] = ask("receipts")
    assert (row["destination"], row["delivered"], row["left_out"], row["to_offset"]) == ("siem", 12, 2, 13)
    assert ask("receipts", "destination=other") == []


def test_what_cannot_be_asked_is_said() -> None:
    assert "there is no query 'nope'; there are agent-actions" in refused("--named", "nope")
    said = refused("--named", "agent-actions", "agent=a", "x=1", "limit=0", "since=soon", "agent=b")
    for part in (
        "'x=1' is not KEY=VALUE with a key of tenant, agent, since, until, limit",
        "agent is given twice",
        "tenant is missing",
        "since: 'soon' is no time",
        "limit: '0' is no number",
        "Example: praetor query --named agent-actions tenant=acme agent=coder-1",
    ):
        assert part in said
    assert "'x' is none of model, agent, team, day, tool" in refused("--named", "cost", "tenant=a", "by=x")
    assert "no event id" in refused("--named", "why-denied", "tenant=a", "event=7")
    assert "no letter and no digit" in refused("--named", "search", "tenant=a", "text=//")
    assert "since is not before until" in refused("--named", "cost", "tenant=a", "until=2d")
    assert "one statement is needed, in quotes; 0 arguments" in refused()
    assert "2 arguments were given" in refused("SELECT", "1")


def test_a_value_is_data_whatever_it_says() -> None:
    assert ask("agent-actions", "tenant=acme", "agent=reader' OR 1 = 1 --") == []


def test_the_list_explains_every_query() -> None:
    listed = json.loads(CliRunner().invoke(app, ["query", "--list", "--json"]).stdout)
    assert [one["name"] for one in listed] == [query.name for query in QUERIES]
    shown = CliRunner().invoke(app, ["query", "--list"]).stdout
    for one in listed:
        assert one["name"] in shown and one["question"] in shown and one["example"] in shown
    assert "FROM decisions" in CliRunner().invoke(app, ["query", "--named", "bypass", "--sql"]).stdout


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_every_example_is_understood(query: Any) -> None:
    ask(query.name, *shlex.split(query.example))
