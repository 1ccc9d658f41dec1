"""The pages about detections: what they show is run, and each page is of a detection."""

from pathlib import Path

import pytest

from cli.reference import PAGES
from tests.docs.blocks import DOCS, run_page


def test_the_guide_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page("detections/guide.md", tmp_path) == 6


@pytest.mark.parametrize(("page", "commands"), [("correlations", 1), ("hunting", 2)])
def test_other_pages_run(page: str, commands: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page(f"detections/{page}.md", tmp_path) == commands


def test_no_page_is_left_of_a_detection_that_is_gone() -> None:
    there = {str(path.relative_to(DOCS)) for path in (DOCS / "detections/catalogue").iterdir()}
    assert there == {name for name in PAGES if name.startswith("detections/catalogue/")}
