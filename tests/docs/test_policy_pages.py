"""The pages about policies: what they show is run as it stands, in their order; commands they name exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.main import app
from cli.policy_files import read_sources, shipped_detections
from judgement.loading import load_rules
from policies.cases import run_cases
from tests.docs.blocks import DOCS, run_page
from tests.docs.blocks import blocks as all_blocks

PAGES = DOCS / "policies"


def blocks(page: str) -> list[tuple[str, str]]:
    return all_blocks(f"policies/{page}")


def test_the_guide_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRAETOR_DATA_DIR", str(tmp_path / "none"))
    assert run_page("policies/guide.md", tmp_path) > 6


def test_policies_shown_in_the_pages_pass_their_cases() -> None:
    shown = [text.encode() for language, text in blocks("library.md") if language == "yaml"]
    ours = [(f"library.md {i}", text) for i, text in enumerate(shown)]
    loaded = load_rules([*read_sources(None), *ours], shipped_detections())
    results = run_cases(loaded)
    found = [r for r in results if r.policy.startswith("our-")]
    assert len(found) == 4
    assert [r for r in found if not r.passed] == []


def test_the_policy_of_safe_ai_shown_loads_as_it_stands() -> None:
    shown = next(text for _, text in blocks("imports.md") if "safe_mode" in text)
    assert all(r.passed for r in run_cases(load_rules([("policy.yaml", shown.encode())])))


def test_what_is_shown_for_ci_is_yaml() -> None:
    shown = [yaml.safe_load(text) for _, text in blocks("guide.md") if "praetor policy diff" in text]
    assert [sorted(map(str, document)) for document in shown] == [["True", "jobs", "name"], ["policies"]]


def commands() -> Iterator[str]:
    """Every `praetor ...` in a block of a page that is not run above: shell, CI files."""
    for page in sorted(PAGES.glob("*.md")):
        for language, text in blocks(page.name):
            if language != "console":
                found = re.findall(r"^\s*(?:- (?:run: )?)?(praetor .+?)(?:\s{2,}#.*)?$", text, re.MULTILINE)
                yield from (f"{page.name}: {command}" for command in found)


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_commands_and_options_that_are_named_exist(line: str) -> None:
    words = shlex.split(line.partition(": ")[2])[1:]
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known | {"-"}
