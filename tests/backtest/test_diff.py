"""`praetor policy diff`, as a person runs it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.policy.app import policy_app
from tests.backtest.world import DETECTIONS, World, candidate, live, policy

PATHS = {"apiVersion": "praetor/v1", "kind": "Lists", "lists": {"secret": ["/etc/*", "*.pem"]}}


def praetor(*words: object, **env: str) -> Result:
    return CliRunner().invoke(policy_app, ["diff", *map(str, words)], env=env)


def rules(*wanted: dict[str, Any], name: str = "base", **more: Any) -> dict[str, Any]:
    return {**policy(name, wanted), **more}


READ = {"id": "read", "effect": "allow", "match": {"actions": ["read:*"]}}
SECRET = {"id": "secret", "effect": "deny", "match": {"resources": [{"list": "secret"}]}}
OFTEN = {"id": "often", "effect": "deny", "match": {}, "limit": {"calls": 10, "window": "1h"}}


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    cost = rules({"id": "cost", "effect": "deny", "match": {"fields": {"cost_usd": {"gt": 5}}}}, name="cost")
    old.write_text(yaml.safe_dump_all([rules(READ, SECRET, OFTEN), cost, PATHS]))
    asked = {**READ, "effect": "require_approval", "match": {"actions": ["read:*", "list:*"]}}
    rarer = {**OFTEN, "limit": {"calls": 5, "window": "1h"}}
    shell = {"id": "shell", "effect": "deny", "match": {"actions": ["exec:*"]}, "when": "agent.denials > 3"}
    longer = {**PATHS, "lists": {"secret": ["*.pem", "/root/*"]}}
    shadow = {**cost, "mode": "shadow"}
    written = [
        rules(asked, SECRET, shell),
        rules(rarer, name="limits"),
        shadow,
        longer,
        {**DETECTIONS, "library": True},
    ]
    for document in written[:2]:
        document["cases"] = [
            {"name": "yes", "action": {"action": "read:x"}, "expect": "require_approval"},
            {"name": "no", "action": {"action": "other:x"}, "expect": "deny"},
            {"name": "fine", "action": {"action": "other:y"}, "expect": "allow"},
        ]
    new.write_text(yaml.safe_dump_all(written))
    return old, new


def test_everything_that_differs_is_told_key_by_key(sides: tuple[Path, Path]):
    found = praetor(*sides, "--json")
    assert found.exit_code == 0, found.output
    told = {(d["kind"], d["name"]): d for d in json.loads(found.stdout)["differences"]}
    assert {key: d["what"] for key, d in told.items()} == {
        ("policy", "cost"): "changed",
        ("policy", "limits"): "added",
        ("rule", "base/often"): "removed",
        ("rule", "limits/often"): "added",
        ("rule", "base/read"): "changed",
        ("rule", "base/secret"): "changed",
        ("rule", "base/shell"): "added",
        ("detections", "denial-burst"): "changed",
    }
    assert told["rule", "base/read"]["effect"] == "allow -> require_approval"
    by_key = {c["key"]: c for c in told["rule", "base/read"]["changes"]}
    assert by_key["match.actions"]["added"] == ["list:*"] and by_key["match.actions"]["removed"] == []
    secret = told["rule", "base/secret"]["changes"][0]
    assert (secret["removed"], secret["added"]) == (["/etc/*"], ["/root/*"])
    assert told["policy", "cost"]["changes"][0] == {
        "key": "mode",
        "old": "enforce",
        "new": "shadow",
        "removed": [],
        "added": [],
    }
    words = praetor(*sides).stdout
    assert "~ rule base/read (allow -> require_approval)" in words
    assert 'match.resources: -"/etc/*", +"/root/*"' in words
    assert "    count: 5 -> 3" in words


def test_a_rule_that_only_moved_is_one_difference(tmp_path: Path):
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(yaml.safe_dump(rules(READ, OFTEN)))
    new.write_text(yaml.safe_dump_all([rules(READ), rules(OFTEN, name="limits")]))
    told = praetor(old, new).stdout
    assert "> rule base/often -> limits/often (deny)" in told and "- rule" not in told


def test_cases_that_come_out_otherwise_are_named(sides: tuple[Path, Path]):
    found = json.loads(praetor(*sides, "--cases", "--json").stdout)
    by_name = {(c["policy"], c["case"], c["of"]): c for c in found["cases"]}
    assert by_name["base", "yes", "old"]["expected"] == "allow"
    assert by_name["base", "yes", "new"]["new"] == "require_approval by base/read"
    assert by_name["base", "yes", "new"]["old"] == "allow by base/read"
    assert {case for _, case, _ in by_name} == {"yes"}
    same = praetor(sides[0], sides[0], "--cases")
    assert "4 cases tried, 0 come out otherwise" in same.stdout


def test_exit_codes_are_those_of_git(sides: tuple[Path, Path], tmp_path: Path):
    old, new = sides
    assert praetor(old, new).exit_code == 0
    assert praetor(old, new, "--exit-code").exit_code == 1
    assert praetor(old, old, "--exit-code").exit_code == 0
    none = praetor(old, tmp_path / "none", "--exit-code")
    assert none.exit_code == 2 and "no such file or directory" in none.stderr


def test_a_bundle_file_and_what_is_in_force_are_sides_too(world: World, tried: Path, tmp_path: Path):
    built = tmp_path / "bundle.json"
    assert CliRunner().invoke(policy_app, ["build", str(tried), "-o", str(built)]).exit_code == 0
    assert "no difference" in praetor(tried, built).stdout
    digests = sorted(json.loads(praetor("active", built, "--json", **world.env()).stdout.splitlines()[-1]))
    assert digests == ["differences", "new", "old", "same"]
    words = praetor("active", built, **world.env()).stdout
    assert "- rule live/worn (defer)" in words and "+ rule live/shell (allow)" in words
    assert "limit.calls: 25 -> 20" in words
    file = tmp_path / "live.yaml"
    file.write_text(yaml.safe_dump_all([live(calls=30), DETECTIONS]))
    first = json.loads(praetor(file, file, "--json").stdout)["old"]["digest"]
    assert "no difference" in praetor(first[:25], file, **world.env()).stdout
    assert candidate()["rules"] != live()["rules"]
