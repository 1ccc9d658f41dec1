"""The detections that are shipped: each case as it says, each detection with what people need, none idle."""

from collections import Counter
from typing import Any

import pytest

from cli.detect.listing import OWASP, covered, rows_of
from cli.detection_files import load_files
from detections.sigma.tags import finding_tags
from detections.trying import CaseResult, Trial, only_finders, run_cases
from documents.case_action import build_action

LOADED = load_files(None)
RESULTS = run_cases(LOADED)
NAMES = [rule.name for rule in LOADED.detections]
TRIED = Counter((c.rule, c.case.expect) for c in LOADED.cases)


@pytest.mark.parametrize("result", RESULTS, ids=[f"{r.placed.rule}: {r.placed.case.name}" for r in RESULTS])
def test_case(result: CaseResult) -> None:
    assert result.passed, (result.told, result.errors)


@pytest.mark.parametrize("name", NAMES)
def test_a_detection_is_tried_both_ways_and_adds_something(name: str) -> None:
    """What it adds is found by no other rule, and by no detector in code."""
    assert TRIED[name, "found"] >= 2 and TRIED[name, "nothing"] >= 2
    assert name in only_finders(RESULTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_detection_says_what_people_need(name: str) -> None:
    rule = LOADED.placed[name].rule
    assert len(rule.description) > 40 and rule.falsepositives and len(rule.runbook) > 40
    assert any(tag in OWASP for tag in finding_tags(rule.tags))
    assert not rule.title.endswith(".")


def test_ordinary_work_beside_a_rule_is_found_by_none() -> None:
    ordinary = [r for r in RESULTS if r.placed.rule in NAMES and r.placed.case.expect == "nothing"]
    wrong = {(r.placed.rule, r.placed.case.name): r.found for r in ordinary}
    assert {case: found for case, found in wrong.items() if found} == {}


def test_every_category_of_owasp_is_covered_by_several() -> None:
    counts = covered(rows_of(LOADED))
    assert all(counts[tag] >= 5 for tag in OWASP), counts


def test_what_only_correlations_want_is_no_finding() -> None:
    quiet = {c.name for c in LOADED.rules if c.level == "informational"}
    assert quiet == LOADED.blocks


def tabbed(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(" ", "\t")
    if isinstance(value, dict):
        return {name: tabbed(part) for name, part in value.items()}
    return [tabbed(part) for part in value] if isinstance(value, list) else value


def test_a_tab_for_a_space_hides_nothing() -> None:
    trial, tried = Trial(LOADED), 0
    for placed in LOADED.cases:
        event = placed.case.action
        if placed.case.expect == "nothing" or event is None or placed.rule not in NAMES:
            continue
        changes = {name: tabbed(getattr(event, name)) for name in ("resource", "arguments", "content")}
        if "-----BEGIN" not in str(event.arguments):  # the armour of a key is written with spaces
            [(found, errors)] = trial.run([build_action(event.model_copy(update=changes), 0)])
            assert placed.rule in found and not errors, (placed.rule, placed.case.name)
            tried += 1
    assert tried > 150
