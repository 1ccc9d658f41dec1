"""The documents of the policy language by their kind, and how their mistakes are told."""

from pydantic import BaseModel

from documents.case_action import CaseAction
from documents.wording import Parts, Wording
from policies.case import Case, CaseState
from policies.edits import Edit
from policies.model import (
    Conditions,
    Lists,
    Metadata,
    Policy,
)
from policies.rule import Comparisons, Fields, Limit, Match, Rule
from policies.types import ListRef

SHAPES: dict[str, type[BaseModel]] = {
    "Policy": Policy,
    "Lists": Lists,
    "Conditions": Conditions,
}

KINDS = (*SHAPES, "Detections")
"""All kinds of documents: those of policies, and of what is loaded beside them."""

_PARTS: Parts = {
    ("metadata",): Metadata,
    ("rules",): Rule,
    ("rules", "match"): Match,
    **{("rules", "match", key): ListRef for key in Match.model_fields},
    ("rules", "match", "fields"): Fields,
    **{("rules", "match", "fields", field): Comparisons for field in Fields.model_fields},
    ("rules", "limit"): Limit,
    ("rules", "modify"): Edit,
    ("cases",): Case,
    ("cases", "action"): CaseAction,
    ("cases", "agent"): CaseState,
    ("cases", "session"): CaseState,
}

_TOP = tuple(dict.fromkeys(name for shape in SHAPES.values() for name in shape.model_fields))

WORDING = Wording(_PARTS, _TOP)
