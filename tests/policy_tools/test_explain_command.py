"""`praetor policy explain`, as a person runs it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.policy.app import policy_app
from runtime.errors import PraetorError
from tests.policies.test_load import GOOD


def explain(*args: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(policy_app, ["explain", *map(str, args)], input=stdin)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "files.yaml"
    path.write_text(GOOD)
    return path


def test_an_action_on_the_command_line(policy: Path) -> None:
    told = explain(policy, "--action", "read:file", "--field", "size_bytes=11").stdout
    assert told.startswith("denied by the default: no rule allows this action")
    assert "- fields.size_bytes is 11, not <= 10" in told
    assert "\x1b" not in told


def test_an_action_from_a_file_or_standard_input_and_a_case_say_the_same(
    policy: Path, tmp_path: Path
) -> None:
    file = tmp_path / "action.json"
    file.write_text('{"action": "read:file", "size_bytes": 30}')
    asked = (
        explain(policy, "--file", file, "--json"),
        explain(policy, "-f", "-", "--json", stdin=file.read_text()),
        explain(policy, "--case", "large", "--json"),
        explain(policy, "-f", file, "--field", "size_bytes=30", "--field", "labels.env=x", "--json"),
    )
    told = [json.loads(result.stdout) for result in asked]
    assert told[0] == told[1] == told[2] == told[3]
    assert told[0]["effect"] == "deny" and told[0]["decided_by"] == "bundle/default"
    assert told[0]["nearest"] == ["files/read"]
    assert told[0]["rules"][0]["steps"][1]["saw"] == "30"


def test_the_shipped_library_and_a_bundle(tmp_path: Path, policy: Path) -> None:
    assert "rules considered" in explain("--action", "read:file", "--resource", "/etc/passwd").stdout
    bundle = tmp_path / "bundle.json"
    CliRunner().invoke(policy_app, ["build", str(policy), "-o", str(bundle)])
    assert explain(bundle, "--action", "read:file").stdout.startswith("allowed by files/read")


def test_what_conditions_see_of_the_past(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    rule = "effect: allow\n    when: agent.actions > 3 && session.denials == 0 && time.getHours() < 6"
    path.write_text(GOOD.replace("effect: allow", rule))
    state = ("--action", "read:file", "--agent-state", "actions=4,session.denials=0")
    assert explain(path, *state, "--at", "2026-01-05T05:00:00Z").stdout.startswith("allowed by files/read")
    late = explain(path, *state, "--at", "2026-01-05T06:00:00").stdout
    assert "when does not hold, by time.getHours() < 6" in late


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ([], "which action? --action read:file, --file, --case or --event-id"),
        (["--action", "x", "--field", "tol=1"], "an action has no field 'tol'; did you mean tool?"),
        (["--action", "x", "--field", "tool"], "--field 'tool' is not NAME=VALUE"),
        (["--action", "x", "--field", "cost_usd=much"], "cost_usd is a number"),
        (["--action", "x", "--field", "phase=talk"], "the action: 'phase' must be 'prompt', 'call'"),
        (["--action", "x", "--field", "input_tokens=" + "9" * 30], "'input_tokens' should be less than"),
        (["--action", "x", "--field", "occurred_at=" + "9" * 30], "the action does not fit ActionEvent"),
        (["--action", "x", "--field", "event_id=7"], "the action does not fit ActionEvent"),
        (["--action", "x", "--agent-state", "actions=-1"], "write a whole number from 0 up"),
        (["--action", "x", "--agent-state", "foo=1"], "no such name; there are agent.actions"),
        (["--action", "x", "--detections", "denial"], "no detection 'denial'; did you mean denial-burst?"),
        (["--action", "x", "--at", "yesterday"], "--at 'yesterday' is no time; write 2026-01-05T12:00:00Z"),
        (["--case", "none"], "no case is called 'none'"),
        (["--case", "a", "--file", "b"], "one of --file, --case and --event-id"),
        (["--event-id", "7"], "--event-id '7' is no UUID"),
        (["--file", "/nowhere/a.json"], "/nowhere/a.json: No such file or directory"),
        (["bundle.json", "--action", "x"], "bundle.json: No such file or directory"),
    ],
)
def test_bad_input_is_told(args: list[str], told: str) -> None:
    found = explain(*args)
    assert isinstance(found.exception, PraetorError) and told in str(found.exception)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no JSON"),
        ("[1]", "an action is a JSON object"),
        ("[" * 100_000, "no JSON"),
        ('{"action": 5}', "'action' must be a text, not 5"),
        ('{"action": "x", "labels": {"a": 1}}', "must be a text, not 1"),
        ('{"action": "x", "resource": "\\ud800"}', "a lone surrogate is no character"),
    ],
)
def test_a_bad_file_is_told(text: str, told: str) -> None:
    found = explain("--file", "-", stdin=text)
    assert isinstance(found.exception, PraetorError) and told in str(found.exception)
