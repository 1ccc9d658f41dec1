"""Which rules some detections bring in: a rule that names detections speaks of an action where one is on."""

from collections.abc import Sequence

from policies.bitset import bits
from policies.rest import Rest, no_rest, resting


class Members:
    """One key of `match` that lists detections, over all rules.

    Attributes:
        watched: the bits of the detections that some rule names: no others are worth telling apart.
    """

    def __init__(
        self, wanted: Sequence[Sequence[str] | None], names: Sequence[str], rest: Rest = no_rest
    ) -> None:
        """Take what each rule names, None where it does not care, and the bundle's names."""
        self._regardless = bits(i for i, entries in enumerate(wanted) if entries is None)
        place = {name: i for i, name in enumerate(names)}
        naming: dict[int, list[int]] = {}
        for i, entries in resting(enumerate(wanted), rest):
            for name in entries or ():
                naming.setdefault(place[name], []).append(i)
        self._rules = {bit: bits(rules) for bit, rules in naming.items()}
        self.watched = bits(self._rules)

    def rules_of(self, on: int) -> int:
        """The rules that speak of an action at which these are on."""
        found = self._regardless
        if on:
            for bit, rules in self._rules.items():
                if on >> bit & 1:
                    found |= rules
        return found
