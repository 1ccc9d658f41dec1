"""Rules as YAML and actions as values, for tests that enter by the front door."""

import json
from collections.abc import Iterable
from textwrap import dedent, indent
from typing import Any

from detections.loading import DetectionMistakes
from detections.sigma.compiled import CompiledRules
from detections.sigma.naive import match_all
from detections.sigma.reading.read import NO_LISTS, Document, Read, read_sigma
from detections.sigma.reading.values import Lists
from documents.node import Mistake
from documents.read import read_documents
from schemas.action import Action, read_action
from schemas.codec import encode

ID = "123e4567-e89b-12d3-a456-426614174000"
HEAD = "title: A rule\nname: a-rule\nlogsource: {product: ai_agent}\ndetection:\n"


def action(received_at: int = 0, **fields: Any) -> Action:
    """An action as a worker has it; `arguments` may be a mapping."""
    record = {"event_id": ID, "tenant": "t", "agent_id": "a", "phase": "call", "mode": "observe"}
    record |= {"occurred_at": 0, "action": "call:tool"} | fields
    if isinstance(record.get("arguments"), dict):
        record["arguments"] = json.dumps(record["arguments"])
    return read_action(encode("action_event", record), received_at)


def load_sigma(sources: Iterable[tuple[str, bytes]], lists: Lists = NO_LISTS) -> Read:
    """Read files, with what placeholders stand for.

    Raises:
        DetectionMistakes: something is wrong in any of them.
    """
    documents: list[Document] = []
    mistakes: list[Mistake] = []
    for source, data in sources:
        nodes, wrong = read_documents(source, data)
        mistakes += wrong
        documents += [(source, node) for node in nodes]
    said, wrong = read_sigma(documents, lists)
    if mistakes or wrong:
        raise DetectionMistakes(sorted({*mistakes, *wrong}))
    return said


def rule_text(detection: str) -> bytes:
    """A rule with this under `detection:`."""
    return (HEAD + indent(dedent(detection).strip("\n"), "  ") + "\n").encode()


def read(detection: str, lists: dict[str, list[str]] | None = None) -> Read:
    """Read a rule with this under `detection:`.

    Raises:
        DetectionMistakes: it is refused.
    """
    return load_sigma([("rule.yml", rule_text(detection))], lists or {})


def found(rules: Read, one: Action) -> bool:
    """Whether the only rule matches; both evaluators say the same, before and after JSON."""
    said = CompiledRules(rules.rules).match(one)
    assert (list(said.rules), list(said.untold)) == match_all(rules.rules, one)
    assert [type(r).model_validate(json.loads(json.dumps(r.to_json()))) for r in rules.rules] == list(
        rules.rules
    )
    return bool(said.rules)
