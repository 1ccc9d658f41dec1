"""The published JSON Schema: what lint accepts is valid by it, its words are complete."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from cli.policy.app import policy_app
from cli.policy.new import Template, begin
from cli.policy_files import read_sources
from cli.policy_reference import FUNCTION_WORDS, SECTIONS
from documents.read import read_documents
from judgement.loading import BESIDE
from policies.cel import FUNCTIONS
from policies.load import load_policies
from policies.schema import document_schema
from policies.schema_words import WORDS
from tests.policies.test_load import GOOD, TABLE

ROOT = Path(__file__).parents[2]
SCHEMA = document_schema(BESIDE)
VALIDATOR = Draft202012Validator(SCHEMA)


def documents(text: bytes | str, name: str = "f.yaml") -> list[Any]:
    nodes, mistakes = read_documents(name, text.encode() if isinstance(text, str) else text)
    assert not mistakes
    return [node.value for node in nodes]


def test_it_is_a_schema_and_the_committed_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    printed = CliRunner().invoke(policy_app, ["schema"]).stdout
    assert json.loads(printed) == SCHEMA
    assert (ROOT / "docs/policies/policy.schema.json").read_text(encoding="utf-8") == printed


def test_every_key_has_words_and_every_example_fits() -> None:
    properties = {
        (part, key): v for part, d in SCHEMA["$defs"].items() for key, v in d.get("properties", {}).items()
    }
    assert len(properties) > 90
    assert [k for k, value in properties.items() if not value["description"]] == []
    assert {(part, key) for part, keys in WORDS.items() for key in keys} <= properties.keys()
    for value in properties.values():
        for example in value.get("examples", ()):
            Draft202012Validator({**value, "$defs": SCHEMA["$defs"]}).validate(example)


def test_the_reference_has_every_part() -> None:
    assert set(SECTIONS) == set(SCHEMA["$defs"]) - {"JsonValue"}
    assert set(FUNCTION_WORDS) == set(FUNCTIONS)


def shipped() -> list[tuple[str, bytes]]:
    found = read_sources(None)
    found += [(f"template {t.value}", begin("mine", t).encode()) for t in Template]
    pages = (ROOT / "docs/policies").glob("*.md")
    for page in pages:
        for i, example in enumerate(
            re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        ):
            if "apiVersion" in example:
                found.append((f"{page.name} {i}", example.encode()))
    return found


@pytest.mark.parametrize(("name", "data"), shipped(), ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_shipped_and_shown_is_valid(name: str, data: bytes) -> None:
    for document in documents(data, name):
        VALIDATOR.validate(document)


@pytest.mark.parametrize(
    "rule",
    [
        "when: ['1 == 1', args.x > 2]",
        "limit: {calls: 3, per: 'label:team', window: 1h}",
        "on_error: defer\n    runbook: Ask.\n    tags: [ASI01]",
    ],
)
def test_what_lint_accepts_is_valid(rule: str) -> None:
    text = GOOD.replace("effect: allow", f"effect: deny\n    {rule}")
    text += '  - {name: more, expect: allow, action: {action: "x"}, at: "2026-01-05T12:00:00.5Z", after: 3}\n'
    assert load_policies([("f.yaml", text.encode())])
    for document in documents(text):
        VALIDATOR.validate(document)


ONLY_LINT = re.compile(
    r"\.nan|pattern|\*\*|'\['|empty set|negate|range|repeats|white space|not known|reserved|own name"
    r"|no comparison|stands here already|tag tag|merge keys|no rule|no case|stands already"
)


@pytest.mark.parametrize(("old", "new", "told"), [t for t in TABLE if not ONLY_LINT.search(t[1] + t[2])])
def test_what_lint_refuses_for_its_shape_is_not_valid(old: str, new: str, told: str) -> None:
    (document,) = documents(GOOD.replace(old, new, 1))
    assert not VALIDATOR.is_valid(document), told
