"""A bundle made ready to judge by."""

from dataclasses import dataclass, field

from detections.registry import DETECTORS as BUILDERS
from detections.single import Single
from judgement.facts import read_facts
from judgement.standing import NOTHING, Standing
from policies.bundle import Bundle, Rest, no_rest
from policies.index import Index
from policies.limits import Spent
from policies.types import CODED

SOURCE_BIT = len(CODED)
"""The first bit of what `detections.source` says of an action."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Compiled rules: compile beside the running ones, then put them in their place.

    Attributes:
        digest: the bundle's.
        index: the policies.
        detectors: in the order of the policies' detection bits; after them come those of `detections.source`.
        standing: the orders that stand over the policies.
        spent: what several agents spent together, as far as it was told: for limits that span agents.
    """

    digest: str
    index: Index
    detectors: tuple[Single, ...]
    standing: Standing = NOTHING
    spent: Spent = field(default_factory=dict)


def compile_rules(bundle: Bundle, rest: Rest = no_rest) -> Rules:
    """Compile a bundle; `rest` is called after each rule, so that other threads may have their turns.

    Raises:
        BadCondition: a condition of it does not compile under this version's CEL.
    """
    settings = bundle.content.detections.model_dump(by_alias=True)
    detectors = tuple(BUILDERS[name](settings[name]) for name in CODED)
    return Rules(bundle.digest, Index(bundle.content, read_facts, rest), detectors)
