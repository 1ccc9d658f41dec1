"""The pages on destinations: every example loads, every type has a page, every field a place."""

import re
from pathlib import Path

import pytest

from cli.destination_mapping import mapping
from schemas.catalogue import newest
from sinks.load import load_destinations
from sinks.registry import SINKS

FOLDER = Path(__file__).parents[2] / "docs" / "destinations"
EXAMPLES = [
    pytest.param(page.name, text, id=f"{page.name}-{number}")
    for page in sorted(FOLDER.glob("*.md"))
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL))
]


@pytest.mark.parametrize(("page", "text"), EXAMPLES)
def test_an_example_is_a_destination(page: str, text: str) -> None:
    (found,) = load_destinations([(page, text.encode())])
    named = page.removesuffix(".md")
    assert named == "README" or found.document.to["type"] == named


def test_every_type_has_a_page_with_an_example() -> None:
    assert {param.values[0] for param in EXAMPLES} == {"README.md", *(f"{name}.md" for name in SINKS)}


@pytest.mark.parametrize("name", ["ecs", "ocsf", "cef", "leef"])
def test_what_decides_has_a_place_in_every_format(name: str) -> None:
    found = mapping(name)
    for kind, fields in {
        "decision": ("tenant", "agent_id", "session_id", "action", "effect", "reasons", "severity", "tags"),
        "threat": ("tenant", "agent_id", "detector", "title", "severity", "score", "message", "tags"),
        "incident": ("tenant", "title", "story", "severity", "status", "agents", "responses", "group_key"),
    }.items():
        assert [field for field in fields if not found[kind].get(field)] == []  # type: ignore[index]
    assert not found["decision"].get("salt")


def test_a_mapping_says_what_the_format_does() -> None:
    found = mapping("cef")
    assert found["decision"]["agent_id"] == ["suser", "suid"]
    assert found["decision"]["tenant"] == ["suid", "cs1 (tenant)"]
    assert found["threat"]["title"] == ["header: name"]
    assert "header: severity" in found["incident"]["severity"]
    assert set(found["decision"]) <= {f["name"] for f in newest("decision").definition["fields"]}
