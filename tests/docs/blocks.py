"""Runs what a page shows: files are written, console lines run, in the page's order."""

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
NAMED = re.compile(r"# (\S+\.(?:yaml|yml|jsonl))\n")


def blocks(page: str) -> list[tuple[str, str]]:
    """The language and text of each block of a page."""
    return BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


def run_page(page: str, folder: Path) -> int:
    """Run a page in a folder, which is where one stands; how many commands ran."""
    ran = 0
    for language, text in blocks(page):
        named = NAMED.match(text)
        if named:
            path = folder / named[1]
            path.parent.mkdir(exist_ok=True)
            path.write_text(text[named.end() :])
        elif language == "console":
            for step in text.removeprefix("$ ").split("\n$ "):
                _run(step)
                ran += 1
    return ran


def _run(step: str) -> None:
    command, *shown = step.strip().splitlines()
    done = CliRunner().invoke(app, shlex.split(command)[1:])
    assert done.exit_code == 0, (command, done.output)
    said = [line.strip("│ ") for line in done.output.splitlines()]
    for line in shown:
        assert any(told.startswith(line.strip()) for told in said), (line, done.output)
