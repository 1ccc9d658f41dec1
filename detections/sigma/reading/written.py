"""What a rule's document says beside its condition, as our rule has it."""

from typing import Any

from sigma.rule import SigmaRule as Parsed

from detections.sigma.fields import PRODUCT
from detections.sigma.reading.mistakes import Told
from detections.sigma.rule import PHASES

KEYS = {"condition": "detection", "uuid": "id", "phase": "logsource"}
"""Where the document has what the rule calls otherwise."""


def check_logsource(told: Told) -> None:
    """A rule is about actions, of one phase or of all; what else its logsource says is a mistake."""
    source = told.node.value.get("logsource")
    if not isinstance(source, dict):
        return  # pySigma tells
    if source.get("product") != PRODUCT:
        told.at(("logsource", "product"), f"rules on actions have 'product: {PRODUCT}'")
    if source.get("service") is not None:
        told.at(("logsource", "service"), "there are no services; compare the field tool_server instead")
    category = source.get("category")
    if category is not None and category not in PHASES:
        phases = ", ".join(PHASES)
        told.at(
            ("logsource", "category"), f"a category is the phase of an action: {phases}; or none, for all"
        )


def rule_values(parsed: Parsed, condition: Any) -> dict[str, Any]:
    """A rule as ours has it."""
    return {
        "name": parsed.name or str(parsed.id),
        "uuid": None if parsed.id is None else str(parsed.id),
        "title": parsed.title,
        "level": "medium" if parsed.level is None else str(parsed.level),
        "status": None if parsed.status is None else str(parsed.status),
        "description": parsed.description or "",
        "tags": [str(tag) for tag in parsed.tags],
        "falsepositives": parsed.falsepositives,
        "runbook": parsed.custom_attributes.get("runbook", ""),
        "phase": parsed.logsource.category,
        "condition": condition,
    }
