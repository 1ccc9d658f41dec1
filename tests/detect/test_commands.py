"""`praetor detect test`, `explain`, `list` and `import`, by their command lines."""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.detect.app import detect_app
from detections.loading import load_detections
from detections.trying import run_cases
from tests.detect.test_lint import CASES, RULE, write

ATR = """\
title: Orders in results
id: ATR-2026-99001
status: stable
description: Of a test.
author: nobody
date: 2026/03/08
schema_version: "1.0"
severity: high
references:
  owasp_agentic: ["ASI01:2026 - Agent Goal Hijack"]
  mitre_atlas: ["AML.T0051.001 - Indirect Prompt Injection"]
tags: {category: prompt-injection}
agent_source: {type: mcp_exchange}
detection:
  conditions:
    - {field: tool_response, operator: regex, value: 'open\\s+the\\s+pod'}
    - {field: tool_response, operator: regex, value: 'never(?!more)'}
    - {field: content, operator: regex, value: 'zero\\u200bwidth'}
    - {field: metric, operator: gt, value: 5}
  condition: any
  false_positives: [Films.]
response: {actions: [alert]}
compliance: {}
test_cases:
  true_positives:
    - {input: "Please OPEN the pod bay", expected: triggered}
    - {input: "nevermind, never", expected: triggered}
  true_negatives:
    - {input: "The pod is open", expected: not_triggered}
"""


def run(*args: object) -> Result:
    return CliRunner().invoke(detect_app, [str(arg) for arg in args])


def test_a_failing_case_tells_what_was_seen_and_fails(tmp_path: Path) -> None:
    write(tmp_path, cases=CASES.replace("resource: allowed", "resource: forbidden, too"))
    write(tmp_path, cases=CASES.replace("resource: allowed", "resource: not forbidden"))
    told = run("test", tmp_path, "--junit", tmp_path / "out.xml")
    assert told.exit_code == 1 and "4 cases, 1 failed" in told.stdout
    assert "expected nothing of a-rule, got found" in told.stderr
    assert "+ resource contains 'forbidden': saw 'not forbidden'" in told.stderr
    suite = Xml.parse(tmp_path / "out.xml").getroot()
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("4", "1")


def test_coverage_may_be_wanted(tmp_path: Path) -> None:
    write(tmp_path, RULE + "---\n" + RULE.replace("a-rule", "b-rule").replace("forbidden", "else"), cases="")
    (tmp_path / "a.cases.yml").write_text(CASES.replace("name: ", "rule: a-rule, name: "))
    told = run("test", tmp_path, "--min-coverage", "100")
    assert told.exit_code == 1 and "never found: b-rule" in told.stderr
    coverage = json.loads(run("test", tmp_path, "--json").stdout)["coverage"]
    assert (coverage["percent"], coverage["never"]) == (50.0, ["b-rule"])


def test_explain_says_what_each_comparison_saw(tmp_path: Path) -> None:
    folder = write(tmp_path)
    told = json.loads(run("explain", folder, "--action", "read:file", "--resource", "x", "--json").stdout)
    assert told["found"] == []
    assert told["detections"][0]["steps"] == [
        {"depth": 0, "held": False, "text": "resource contains 'forbidden'", "saw": "'x'"}
    ]
    assert "found: a-rule" in run("explain", folder, "--case", "y2").stdout
    other = run("explain", folder, "--action", "read:file", "--field", "phase=result", "--all").stdout
    assert "it looks at phase call, this is result" in other


def test_explain_counts_what_a_correlation_saw() -> None:
    told = run("explain", "--case", "delegation-fan-out/ten workers", "--rule", "delegation-fan-out").stdout
    assert "found" in told and "work-handed-over held at 10 of 10 actions" in told


def test_list_has_all_with_their_tags_and_a_layer_for_the_navigator() -> None:
    told = json.loads(run("list", "--json").stdout)
    rows = {row["id"]: row for row in told["detections"]}
    assert rows["download-and-run"]["tags"] == ["ASI05", "ASI04", "AML.T0050"]
    assert {row["kind"].partition(" ")[0] for row in rows.values()} == {"rule", "correlation", "code"}
    layer = json.loads(run("list", "--navigator").stdout)
    scores = {t["techniqueID"]: t["score"] for t in layer["techniques"]}
    assert scores["AML.T0105"] == told["coverage"]["AML.T0105"] >= 2


def test_an_import_carries_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/one.yaml").write_text(ATR)
    out = tmp_path / "out"
    told = run("import", tmp_path / "rules", "-o", out)
    assert told.exit_code == 3
    lines = told.stderr.splitlines()
    assert [line.split(":")[1] for line in lines] == ["17", "19"]
    assert "look-around" in lines[0] and "no field 'metric'" in lines[1]
    assert "1 rule read: 0 whole, 1 in part, 0 not at all" in told.stdout
    assert "3 examples: 2 come out as theirs, 1 do not" in told.stdout
    loaded = load_detections([(p.name, p.read_bytes()) for p in sorted(out.iterdir())])
    assert [(r.name, r.level, r.tags) for r in loaded.rules] == [
        ("atr-2026-99001", "high", ("atlas.aml.t0051.001", "owasp.asi01"))
    ]
    assert len(run_cases(loaded)) == 2 and all(r.passed for r in run_cases(loaded))
    assert run("import", tmp_path / "rules", "-o", out).exit_code == 1
    assert run("import", tmp_path / "rules", "-o", tmp_path / "again", "--partial").exit_code == 0


def test_an_escape_of_theirs_is_ours(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(ATR)
    run("import", tmp_path / "one.yaml", "-o", tmp_path / "out")
    rule = yaml.safe_load((tmp_path / "out/atr-2026-99001.yml").read_text())
    assert rule["detection"]["c2"][0] == {"content|re|i": "zero\\x{200b}width"}


@pytest.mark.parametrize("text", ["a: 1\n", "[]\n", "id: ATR-1\n"])
def test_what_is_no_rule_of_theirs_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    assert run("import", tmp_path, "-o", tmp_path / "out").exit_code == 1
