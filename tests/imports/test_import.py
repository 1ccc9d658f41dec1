"""`praetor policy import`, as a person runs it: what comes of a policy, and what is named as left out."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.policy.app import policy_app
from documents.case_action import CaseAction
from policies.case import Case
from policies.cases import Trial, run_cases
from policies.load import Loaded, load_policies
from runtime.errors import PraetorError

WHOLE = """\
apiVersion: governance.toolkit/v1
version: "1.0"
name: Desk Policy
description: What the help desk may do.
agents: [desk, "bot*"]
default_action: deny
rules:
  - name: read-tickets
    condition: "tool_name == 'read_ticket' or tool_name == 'list_tickets'"
    action: allow
    priority: 10
  - name: answer
    condition: "tool_name == 'answer_ticket' and customer.verified"
    action: allow
    limit: "3/minute"
  - name: large-refund
    description: A refund above 500 is never made.
    condition: "action.type == 'refund' and amount.value > 500"
    action: deny
    priority: 100
  - name: refund
    condition: "action.type == 'refund' and amount.value <= 500"
    action: require_approval
    priority: 90
"""
PARTIAL = """\
apiVersion: governance.toolkit/v1
name: partial
scope: tenant
extends: base.yaml
defaultAction: allow
rules:
  - name: shell
    condition: "tool_name == 'shell'"
    action: deny
    severity: high
  - name: all-tools
    condition: "tool_name != 'reboot'"
    action: allow
    priority: 50
  - name: sql
    condition: "sql.verb == 'DROP'"
    action: deny
  - name: everything
    condition: "true"
    action: log
  - name: watched
    condition: "tool_name == 'search'"
    action: warn
  - name: signed
    condition: "tool_name == 'sign'"
    action: require_approval
    approvers: [legal]
    limit: 2/day
  - name: spoken
    stage: pre_output
    condition: "response.contains_secrets"
    action: deny
"""


def run(tmp_path: Path, text: str, *options: str) -> Result:
    source = tmp_path / "theirs.yaml"
    source.write_text(text)
    arguments = ["import", str(source), "-o", str(tmp_path / "out"), *options]
    return CliRunner().invoke(policy_app, arguments)


def load(path: Path) -> Loaded:
    return load_policies([(path.name, path.read_bytes())])


def test_what_is_carried_whole_judges_alike(tmp_path: Path) -> None:
    done = run(tmp_path, WHOLE)
    assert done.exit_code == 0, done.output
    loaded = load(tmp_path / "out" / "desk-policy.yaml")
    assert all(r.passed for r in run_cases(loaded))

    def effect(after: int = 0, **action: object) -> str:
        case = Case(
            name="x",
            action=CaseAction(**{"agent_id": "bot*", "action": "call:tool", **action}),
            expect="deny",
            after=after,
        )
        return Trial(loaded).judge(case)[0].effect.name

    assert effect(tool="read_ticket") == "allow"
    assert effect(tool="delete_ticket") == "deny"
    assert effect(tool="read_ticket", agent_id="bot-1") == "deny"
    verified = {"tool": "answer_ticket", "arguments": {"customer": {"verified": True}}}
    assert effect(tool="answer_ticket") == "deny"
    assert effect(**verified) == effect(2, **verified) == "allow"
    assert effect(3, **verified) == "deny"
    assert effect(action="refund:order", arguments={"amount": 500}) == "require_approval"
    assert effect(action="refund:order", arguments={"amount": 500.01}) == "deny"
    assert effect(action="refund:order") == "require_approval"


def test_what_is_left_out_is_named_with_its_line_and_in_the_file(tmp_path: Path) -> None:
    done = run(tmp_path, PARTIAL, "--json")
    assert done.exit_code == 3
    told = json.loads(done.stdout)
    assert [(r["line"], r["what"]) for r in told["remarks"] if r["lost"]] == [
        (3, "scope"),
        (4, "extends"),
        (5, "key defaultAction"),
        (10, "rule shell, key severity"),
        (11, "rule all-tools, priority"),  # over shell
        (11, "rule all-tools, priority"),  # over signed
        (16, "rule sql"),
        (19, "rule everything"),
        (23, "rule watched, action warn"),
        (27, "rule signed, approvers"),
        (28, "rule signed, limit"),
        (31, "rule spoken"),
    ]
    written = (tmp_path / "out" / "partial.yaml").read_text()
    for remark in told["remarks"]:
        assert f"# - line {remark['line']}: {remark['what']}: " in written
    assert "did you mean default_action?" in written
    assert run_cases(load(tmp_path / "out" / "partial.yaml"))


def test_partial_says_that_this_is_known(tmp_path: Path) -> None:
    done = run(tmp_path, PARTIAL, "--partial")
    assert done.exit_code == 0
    assert "theirs.yaml:16: left out: rule sql: sql.verb is worked out by the toolkit" in done.output


def test_an_imported_policy_is_never_written_over_another(tmp_path: Path) -> None:
    assert run(tmp_path, WHOLE).exit_code == 0
    again = run(tmp_path, WHOLE)
    assert isinstance(again.exception, PraetorError) and "is there already" in str(again.exception)


def test_safe_ai_becomes_an_editable_policy(tmp_path: Path) -> None:
    done = run(tmp_path, "safe_mode: true\nautonomy_tier: alpha\n")
    assert done.exit_code == 0, done.output
    loaded = load(tmp_path / "out" / "safe-ai.yaml")
    assert all(r.passed for r in run_cases(loaded))
    assert loaded.policies == load_policies([("p", b"safe_mode: true\nautonomy_tier: alpha\n")]).policies


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("name: x\nrules: []\n", (), "1:1: neither governance.toolkit/v1 nor SAFE-AI"),
        ("apiVersion: governance.toolkit/v2\nrules: []\n", ("--from", "agt"), "1:1: apiVersion"),
        ("apiVersion: governance.toolkit/v1\n", (), "no policy of governance.toolkit/v1"),
        (
            "apiVersion: governance.toolkit/v1\nrules:\n- {name: a, condition: 'true'}\n",
            (),
            "nothing of it can",
        ),
        ("a: b\n", ("--from", "safe-ai"), "this is no policy.yaml of SAFE-AI"),
        ("autonomy_tier: delta\n", (), "1:16: unknown tier 'delta'"),
        ("", (), "the file holds no policy"),
        ("a: [", (), "not YAML"),
    ],
)
def test_what_is_no_policy_is_refused_and_nothing_written(
    tmp_path: Path, text: str, options: tuple[str, ...], told: str
) -> None:
    done = run(tmp_path, text, *options)
    assert isinstance(done.exception, PraetorError) and told in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_foreign_text_cannot_end_its_comment(tmp_path: Path) -> None:
    name = "x\\nrules: []\\u2028kind: Policy"
    text = WHOLE + f'  - name: "{name}"\n    condition: "true"\n'
    assert run(tmp_path, text).exit_code == 3
    assert len(load(tmp_path / "out" / "desk-policy.yaml").policies[0].rules) == 5
