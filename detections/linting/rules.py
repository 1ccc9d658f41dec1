"""Lints of rules and correlations as they are written."""

import re
from collections.abc import Iterator

from detections.loading import Loaded, PlacedRule
from detections.sigma.correlation.model import Correlation
from detections.sigma.fields import KEYWORDS
from detections.sigma.gates import is_gated
from detections.sigma.rule import SigmaRule, atoms
from documents.lints import Remark

_OWASP = re.compile(r"owasp\.asi(0[1-9]|10)\Z")
_ATLAS = re.compile(r"atlas\.aml\.(t|ta|m|cs)\d{4}(\.\d{3})?\Z")


def find_in_rules(loaded: Loaded) -> Iterator[Remark]:
    """What is worth another look in each rule."""
    for name, placed in loaded.placed.items():
        rule = placed.rule
        if "name" not in placed.node.value:
            yield remark(placed, "DL102", f"the rule is called by its UUID, {name}; give it a name")
        if isinstance(rule, Correlation):
            if rule.scope != "agent":
                yield remark(
                    placed, "DL103", "group-by has no agent_id: its groups span agents", "correlation"
                )
        else:
            yield from _single(placed, rule)
        yield from _words(placed, name in loaded.blocks)


def _single(placed: PlacedRule, rule: SigmaRule) -> Iterator[Remark]:
    if not is_gated(rule.condition):
        told = "no literal text stands in all that it matches: it is evaluated on every action"
        yield remark(placed, "DL101", told, "detection")
    if any(atom.field == KEYWORDS for atom in atoms(rule.condition)):
        yield remark(placed, "DL104", "a value without a field is searched in every text", "detection")


def _words(placed: PlacedRule, block: bool) -> Iterator[Remark]:
    rule = placed.rule
    for i, tag in enumerate(rule.tags):
        wrong = (tag.startswith("owasp.") and not _OWASP.match(tag)) or (
            tag.startswith("atlas.") and not _ATLAS.match(tag)
        )
        if wrong:
            yield remark(placed, "DL304", f"there is no {tag}", "tags", i)
    if not rule.description.strip():
        yield remark(placed, "DL305", "say what it finds, and why that matters")
    if block:
        return
    if not rule.runbook.strip():
        yield remark(placed, "DL301", "say what to do about a finding: 'runbook:'")
    if not rule.falsepositives:
        yield remark(placed, "DL302", "say when ordinary work looks like this: 'falsepositives:'")
    if not any(_OWASP.match(tag) for tag in rule.tags):
        yield remark(placed, "DL303", "no tag of OWASP's agentic top ten, as owasp.asi05")


def remark(placed: PlacedRule, code: str, message: str, *path: str | int) -> Remark:
    """A remark at a place of a rule's document."""
    if len(path) == 1 and str(path[0]) in placed.node.keys:
        line, column = placed.node.keys[str(path[0])]
        return Remark(placed.source, line, column, code, message)
    node = placed.node.find(path)
    return Remark(placed.source, node.line, node.column, code, message)
