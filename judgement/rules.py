"""A bundle made ready to judge by."""

from dataclasses import dataclass, field

from detections.carried import read_content
from detections.engine import Detections
from judgement.facts import read_facts
from judgement.standing import NOTHING, Standing
from policies.bundle import Bundle
from policies.index import Index
from policies.limits import Spent
from policies.rest import Rest, no_rest
from runtime.errors import Newer


@dataclass(frozen=True, slots=True)
class Rules:
    """Compiled rules: compile beside the running ones, then put them in their place.

    Attributes:
        digest: the bundle's.
        index: the policies.
        detections: its detections.
        standing: the orders that stand over the policies.
        spent: what several agents spent together, as far as it was told: for limits that span agents.
    """

    digest: str
    index: Index
    detections: Detections
    standing: Standing = NOTHING
    spent: Spent = field(default_factory=dict)


def compile_rules(bundle: Bundle, rest: Rest = no_rest) -> Rules:
    """Compile a bundle; `rest` is called after each rule, so that other threads may have their turns.

    Raises:
        BadCondition: a condition of it does not compile under this version's CEL.
        Newer: its detections are none that this version knows.
    """
    content = bundle.content
    index = Index(content, read_facts, rest)
    carried, names = read_content(content.detections, content.detected)
    try:
        detections = Detections(carried, names, index.recalls, index.asks)
    except (ValueError, KeyError) as error:
        raise Newer(f"the bundle's detections do not fit together: {error}") from error
    return Rules(bundle.digest, index, detections)
