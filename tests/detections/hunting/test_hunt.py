"""The command, and which actions it looks at."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from detections.sigma.rule import SigmaRule
from detections.sigma.sql.hunt import Hunted, hunt_sql
from detections.sigma.sql.text import quoted
from runtime.errors import PraetorError
from tests.detections.correlations.making import START, act, correlation
from tests.detections.hunting.stored import SCOPE, Stored

MAIL = SigmaRule.model_validate(
    {"name": "one", "title": "Mail", "condition": {"op": "is", "field": "tool", "value": "mail"}}
)
TO = SigmaRule.model_validate(
    {"name": "to", "title": "To", "condition": {"op": "contains", "field": "args.to", "value": "example"}}
)
RULES = """
title: Mail is sent
name: mail-sent
logsource: {product: ai_agent}
detection: {it: {tool: mail}, condition: it}
---
title: Much mail
name: much-mail
correlation:
  type: event_count
  rules: [mail-sent]
  group-by: [agent_id]
  timespan: 10s
  condition: {gte: 2}
"""


def test_time_tenant_and_misrouting_are_heeded(stored: Stored) -> None:
    stored.clear()
    own = [act(at, tool="mail") for at in (0, 1, 2)]
    stored.insert(own)
    stored.insert([act(1, tool="mail", tenant="other")])
    why = [("praetor", "misrouted", "deny", "wrong partition")]
    stored.insert([act(1, tool="mail")], reasons=why)
    of = Hunted({"one": MAIL}, {"it": correlation("event_count", threshold=3)})
    ids = [action.event_id for action in own]
    assert [e for e, _ in stored.hunt("one", of, SCOPE._replace(tenant="acme"))] == ids
    assert len(stored.hunt("one", of)) == 4
    within = SCOPE._replace(since=START + 1_000, until=START + 2_000, tenant="acme")
    assert [e for e, _ in stored.hunt("one", of, within)] == [ids[1]]
    # the window is filled from before
    late = SCOPE._replace(since=START + 2_000, tenant="acme")
    assert stored.hunt("it", of, late) == [(ids[2], 1)]


def test_a_hunt_follows_groups_that_span_agents_but_not_tenants(stored: Stored) -> None:
    stored.clear()
    seen = [act(n, tool="mail", resource="/x", agent_id=f"a{n}") for n in range(3)]
    stored.insert(seen)
    stored.insert([act(4, tool="mail", resource="/x", tenant="other")])
    of = Hunted({"one": MAIL}, {"it": correlation("event_count", threshold=3, group_by=["resource"])})
    assert stored.hunt("it", of) == [(seen[2].event_id, 1)]


def test_what_is_erased_or_unreadable_is_counted_and_is_no_match(stored: Stored) -> None:
    stored.clear()
    stored.insert(
        [act(0, {"to": "a@example"}, tool="mail"), act(1, '{"to": "example", "to": 1}', tool="mail")]
    )
    stored.insert([act(2, None, tool="mail")], arguments_digest=bytes(32))
    stored.insert([act(3, None, tool="mail")])
    of = Hunted({"to": TO, "one": MAIL}, {"it": correlation("event_count", group_by=["agent_id", "args.to"])})
    assert len(stored.hunt("to", of)) == 1
    assert stored.unread("to", of) == 2
    assert len(stored.hunt("it", of)) == 2
    assert stored.unread("it", of) == 2
    assert stored.unread("one", of) == 0


@pytest.mark.parametrize(
    "text", ["'", "\\", "\\'", "'; DROP TABLE decisions; --", "\0", "\n\r\t", "{a:String}", "%s", "日"]
)
def test_no_text_ends_its_literal(stored: Stored, text: str) -> None:
    assert stored.client.query(f"SELECT {quoted(text)}").result_rows[0][0] == text
    rule = MAIL.model_copy(
        update={"condition": MAIL.condition.model_copy(update={"value": text, "flags": "c"})}
    )
    stored.clear()
    stored.insert([act(0, tool=text), act(1, tool="x")])
    assert len(stored.hunt("one", Hunted({"one": rule}, {}))) == 1


def test_the_command(stored: Stored, tmp_path: Path) -> None:
    stored.clear()
    stored.insert([act(at, tool="mail") for at in (0, 1, 2)])
    file = tmp_path / "mail.yml"
    file.write_text(RULES)
    env = {
        "PRAETOR_CLICKHOUSE_URL": stored.settings.clickhouse_url,
        "PRAETOR_CLICKHOUSE_DATABASE": stored.settings.clickhouse_database,
    }
    when = ["--since", "2023-11-01", "--until", "2023-12-01"]

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["detect", "hunt", *words, str(file), *when], env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    lines = [json.loads(line) for line in run("much-mail", "--json").splitlines()]
    assert [line["fires"] for line in lines] == [True, False]
    assert {line["rule"] for line in lines} == {"much-mail"}
    assert len(run("mail-sent", "--json").splitlines()) == 3
    assert "3 actions from 2023-11-01" in run("mail-sent")
    assert run("mail-sent", "--sql").startswith("WITH")
    with pytest.raises(PraetorError, match="no rule is called 'nobody'"):
        run("nobody")


def test_the_sql_of_a_rule_is_one_statement_whatever_it_is_called() -> None:
    of = Hunted({"one": MAIL}, {})
    assert hunt_sql("one", of, SCOPE, 5).count(";") == 0
