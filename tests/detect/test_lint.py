"""`praetor detect lint`: every mistake and remark at its place, in every format."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.detect.app import detect_app
from detections.linting.finding import CODES

RULE = """\
title: A rule
name: a-rule
description: Finds what is looked for here.
tags: [owasp.asi05]
logsource: {product: ai_agent, category: call}
detection:
  one:
    resource|contains: forbidden
  condition: one
falsepositives: [None known.]
runbook: Look at it.
"""
CASES = """\
cases:
  - {name: y, expect: found, action: {action: "read:file", resource: forbidden}}
  - {name: y2, expect: found, action: {action: "read:file", resource: a forbidden b}}
  - {name: n, expect: nothing, action: {action: "read:file", resource: allowed}}
  - {name: n2, expect: nothing, action: {action: "read:file"}}
"""
EXCEPTIONS = """\
apiVersion: praetor/v1
kind: Exceptions
exceptions:
  - id: e1
    detections: [a-rule]
    agents: ["b-*"]
    expires: EXPIRES
    author: ann
    reason: Ordinary work.
"""
VALID = EXCEPTIONS.replace("EXPIRES", "2200-01-01")
OF_A = CASES.replace("name: ", "rule: a-rule, name: ")
ACROSS = """\
---
title: Across agents
name: across
description: Counts over agents.
correlation: {type: event_count, rules: [a-rule], group-by: [tenant], timespan: 1m, condition: {gte: 3}}
"""


def lint(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(detect_app, ["lint", str(folder), *options])


def write(folder: Path, rule: str = RULE, cases: str = CASES, exceptions: str = "") -> Path:
    (folder / "a.yml").write_text(rule)
    if cases:
        (folder / "a.cases.yml").write_text(cases)
    if exceptions:
        (folder / "exceptions.yaml").write_text(exceptions)
    return folder


def test_nothing_is_said_of_what_is_right(tmp_path: Path) -> None:
    told = lint(write(tmp_path, exceptions=EXCEPTIONS.replace("EXPIRES", "2200-01-01")), "--ignore", "DL402")
    assert (told.exit_code, told.stdout) == (0, "1 rule, 0 correlations, 1 exception: no mistake found\n")


MISTAKES = [
    (
        "a.yml",
        RULE.replace("resource|contains", "resourse|contains"),
        CASES,
        "",
        "a.yml:8:24: there",
    ),
    ("a.yml", RULE.replace("product: ai_agent", "product: windows"), "", "", "a.yml:5:22: "),
    ("a.cases.yml", RULE, CASES.replace("expect: nothing", "expect: no"), "", "a.cases.yml:4:23: "),
    ("a.cases.yml", RULE, CASES.replace("resource: allowed", "resourze: x"), "", "did you mean 'resource'?"),
    ("a.cases.yml", RULE, CASES.replace("name: y,", "name: y, rule: other,"), "", "no detection 'other'"),
    ("exceptions.yaml", RULE, CASES, EXCEPTIONS, "write a day of the calendar"),
    ("exceptions.yaml", RULE, CASES, VALID.replace("[a-rule]", "[a-rul]"), "did you mean 'a-rule'?"),
    ("exceptions.yaml", RULE, CASES, VALID.replace('    agents: ["b-*"]\n', ""), "would mute all"),
    (
        "exceptions.yaml",
        RULE,
        CASES,
        VALID.replace('agents: ["b-*"]', "values: {argz.to: [a]}"),
        "an action has no",
    ),
    ("exceptions.yaml", RULE, CASES, VALID.replace("    author: ann\n", ""), "missing key 'author'"),
]


@pytest.mark.parametrize(("file", "rule", "cases", "exceptions", "said"), MISTAKES)
def test_a_mistake_is_told_at_its_place(
    tmp_path: Path, file: str, rule: str, cases: str, exceptions: str, said: str
) -> None:
    told = lint(write(tmp_path, rule, cases, exceptions))
    assert told.exit_code == 1
    assert any(f"{tmp_path}/{file}:" in line and said in line for line in told.stderr.splitlines()), (
        told.stderr
    )


def test_mistakes_of_all_files_are_told_together(tmp_path: Path) -> None:
    wrong = EXCEPTIONS.replace("reason", "reazon")
    told = lint(write(tmp_path, RULE.replace("condition: one", "condition: two"), CASES[:-5], wrong))
    assert {line.split(":")[0].rpartition("/")[2] for line in told.stderr.splitlines()[:-1]} == {
        "a.yml",
        "a.cases.yml",
        "exceptions.yaml",
    }


REMARKS = [
    ("DL101", RULE.replace("resource|contains: forbidden", "size_bytes|gt: 5"), CASES, ""),
    ("DL102", RULE.replace("name: a-rule", "id: 2f6f9a0e-6f0c-4f0a-9f65-0d7d3b1f6a11"), CASES, ""),
    ("DL103", RULE + ACROSS, CASES.replace("name: ", "rule: across, name: "), ""),
    ("DL104", RULE.replace("  one:\n    resource|contains: forbidden", "  one: [forbidden]"), CASES, ""),
    ("DL201", RULE, "", ""),
    ("DL202", RULE, "\n".join(CASES.splitlines()[:4]), ""),
    (
        "DL203",
        RULE + "---\n" + RULE.replace("a-rule", "b-rule"),
        CASES.replace("name: ", "rule: a-rule, name: "),
        "",
    ),
    ("DL301", RULE.replace("runbook: Look at it.\n", ""), CASES, ""),
    ("DL302", RULE.replace("falsepositives: [None known.]\n", ""), CASES, ""),
    ("DL303", RULE.replace("owasp.asi05", "attack.t1059"), CASES, ""),
    ("DL304", RULE.replace("owasp.asi05", "owasp.asi11"), CASES, ""),
    ("DL305", RULE.replace("description: Finds what is looked for here.\n", ""), CASES, ""),
    ("DL401", RULE, CASES, EXCEPTIONS.replace("EXPIRES", "2020-01-01")),
    ("DL402", RULE, CASES, EXCEPTIONS.replace("EXPIRES", "2200-01-01")),
    ("DL403", RULE, CASES, EXCEPTIONS.replace("EXPIRES", "2200-01-01").replace("b-*", "*")),
    (
        "DL404",
        RULE + ACROSS.replace("tenant", "agent_id"),
        CASES.replace("name: ", "rule: across, name: "),
        EXCEPTIONS.replace("EXPIRES", "2200-01-01"),
    ),
]


@pytest.mark.parametrize(("code", "rule", "cases", "exceptions"), REMARKS, ids=[r[0] for r in REMARKS])
def test_each_code_is_told_where_it_belongs(
    tmp_path: Path, code: str, rule: str, cases: str, exceptions: str
) -> None:
    told = json.loads(lint(write(tmp_path, rule, cases, exceptions), "--json").stdout)
    assert told["mistakes"] == []
    assert code in {finding["code"] for finding in told["findings"]}


def test_every_code_is_tried() -> None:
    assert [remark[0] for remark in REMARKS] == list(CODES)


def test_other_formats_say_the_same(tmp_path: Path) -> None:
    folder = write(tmp_path, RULE.replace("runbook: Look at it.\n", ""))
    assert "::warning file=" in lint(folder, "--format", "github").stdout
    run = json.loads(lint(folder, "--format", "sarif").stdout)["runs"][0]
    assert run["tool"]["driver"]["name"] == "praetor detect lint"
    assert [r["ruleId"] for r in run["results"]] == ["DL301"]
    assert lint(folder, "--strict").exit_code == 1 and lint(folder).exit_code == 0


def test_the_shipped_detections_have_no_warning() -> None:
    assert CliRunner().invoke(detect_app, ["lint", "--strict"]).exit_code == 0
