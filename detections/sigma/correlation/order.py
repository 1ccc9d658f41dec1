"""The order in which correlations are followed: each behind what it looks at."""

from collections.abc import Collection, Sequence
from graphlib import CycleError, TopologicalSorter

from detections.sigma.correlation.model import Correlation


def ordered(correlations: Sequence[Correlation], rules: Collection[str]) -> list[Correlation]:
    """Correlations, each behind those that it looks at; otherwise by id.

    Args:
        correlations: in any order.
        rules: the ids of single rules that there are.

    Raises:
        ValueError: two have one id, one looks at what there is not, or at itself by some way.
    """
    known = {c.name: c for c in correlations}
    if len(known) != len(correlations):
        raise ValueError("two correlations have the same id")
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in sorted(known):
        for rule in known[name].rules:
            if rule not in known and rule not in rules:
                raise ValueError(f"correlation {name} looks at {rule!r}, which there is not")
        sorter.add(name, *(rule for rule in known[name].rules if rule in known))
    try:
        return [known[name] for name in sorter.static_order()]
    except CycleError as error:
        raise ValueError(
            f"correlations look at each other in a circle: {' -> '.join(error.args[1])}"
        ) from error
