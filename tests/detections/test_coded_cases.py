"""The cases beside detectors in code, and what must hold of every one of them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.detection_files import coded_cases
from detections.cases import CasesDocument, DetectionCase
from tests.detections.coded import DETECTORS, run_decided

FILES = coded_cases()


def cases_of(path: Path) -> list[DetectionCase]:
    return CasesDocument.model_validate(yaml.safe_load(path.read_text())).cases


def detector_of(rule: str) -> Any:
    return next(d for d in DETECTORS.values() if rule in d.ids)


CASES = [pytest.param(case, id=f"{path.stem}: {case.name}") for path in FILES for case in cases_of(path)]


@pytest.mark.parametrize("case", CASES)
def test_case(case: DetectionCase) -> None:
    detector = detector_of(case.rule)
    last = run_decided(detector(detector.Settings(**case.settings)), case.decided())[-1]
    found = [f.detector for f in last.findings]
    assert (case.rule in found) == (case.expect == "found"), found


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=list(DETECTORS))
def test_each_kind_has_cases_of_both_sorts(detector: Any) -> None:
    told = [case for path in FILES for case in cases_of(path)]
    for kind in detector.ids:
        expected = [case.expect for case in told if case.rule == kind]
        assert min(expected.count("found"), expected.count("nothing")) >= 2, kind


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=list(DETECTORS))
def test_what_people_read_is_all_there(detector: Any) -> None:
    assert detector.ids == tuple(about.id for about in detector.abouts)
    for about in detector.abouts:
        assert about.title and not about.title.endswith(".")
        assert about.description.endswith(".") and about.runbook.endswith((".", "?"))
        assert about.false_positives and all(f.endswith(".") for f in about.false_positives)
        assert any(tag.startswith("ASI") for tag in about.tags), about.id
        assert any(tag.startswith("AML.T") for tag in about.tags), about.id
    for name, field in detector.Settings.model_fields.items():
        assert field.description and not field.is_required(), name
