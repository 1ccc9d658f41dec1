"""Every command's help has an example, and the example is a command line that the command takes."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.main import app


def commands(command: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something by itself."""
    children = getattr(command, "commands", {})
    if not children or getattr(command, "invoke_without_command", False):
        yield name, command
    for word, child in children.items():
        yield from commands(child, (*name, word))


# where it is another thing: the demo has a folder of its own; of query, JSON is one of three formats
OWN = ("demo", "query")
ALL = [(name, command) for name, command in commands(typer.main.get_command(app)) if name]


@pytest.mark.parametrize(("name", "command"), ALL, ids=[" ".join(name) for name, _ in ALL])
def test_the_example_in_the_help_is_a_command_line(name: tuple[str, ...], command: Any) -> None:
    lines = re.findall(r"^ *(?:Examples?: )?((?:PRAETOR_\w+=\S+ )*praetor .*)$", command.help, re.MULTILINE)
    assert "Example" in command.help and lines
    for line in lines:
        words = [w for w in shlex.split(re.split(r" [|>] ", line)[0]) if not w.startswith("PRAETOR_")]
        assert words[1 : len(name) + 1] == list(name)
        command.make_context(" ".join(name), words[len(name) + 1 :])


@pytest.mark.parametrize("option", ["--data", "--json", "--topic-prefix"])
def test_an_option_means_the_same_everywhere(option: str) -> None:
    taking = [(name, p.help) for name, c in ALL for p in c.params if option in p.opts and name[0] not in OWN]
    assert len(taking) > 5 and len({text for _, text in taking}) == 1, taking
