"""Which rules the cases reach: those that matched, or failed, in some case, whatever decided."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from policies.cases import CaseResult
from policies.load import Loaded
from policies.model import Policy
from policies.resolve import inherit

Named = tuple[str, str]
"""A policy's name and a rule's id."""


class Coverage(NamedTuple):
    """What cases reach; rules are named by the policy that they are written in.

    Attributes:
        reached: the rules, each with the cases (policy, case) that it matched in.
        never: the rules that no case reaches.
    """

    reached: Mapping[Named, tuple[Named, ...]]
    never: tuple[Named, ...]

    @property
    def percent(self) -> float:
        """How many of a hundred rules are reached; 100 where there is none."""
        rules = len(self.reached) + len(self.never)
        return 100 * len(self.reached) / rules if rules else 100.0


def cover(loaded: Loaded, results: Sequence[CaseResult]) -> Coverage:
    """Count what the cases reached. An inherited rule is reached where it is inherited."""
    written = origins(loaded)
    found: dict[Named, list[Named]] = {origin: [] for origin in written.values()}
    for result in results:
        for name in result.matched:
            policy, _, rule = name.partition("/")
            origin = written.get((policy, rule))
            if origin is not None and (result.policy, result.case) not in found[origin]:
                found[origin].append((result.policy, result.case))
    return Coverage(
        {rule: tuple(cases) for rule, cases in found.items() if cases},
        tuple(rule for rule, cases in found.items() if not cases),
    )


def origins(loaded: Loaded) -> dict[Named, Named]:
    """Every rule that a policy has, own or inherited, with the place that it is written in."""
    by_name = {p.metadata.name: p for p in loaded.policies}
    return {
        (policy.metadata.name, rule.id): (_home(policy, rule.id, by_name), rule.id)
        for policy in loaded.policies
        for rule in inherit(policy, by_name)
    }


def _home(policy: Policy, rule: str, by_name: Mapping[str, Policy]) -> str:
    """The policy that a rule is written in: itself, or the one that it inherits it from."""
    return next(p.metadata.name for p in _line(policy, rule, by_name) if any(r.id == rule for r in p.rules))


def _line(policy: Policy, rule: str, by_name: Mapping[str, Policy]) -> Iterator[Policy]:
    yield policy
    for base in policy.extends or ():
        if any(r.id == rule for r in inherit(by_name[base], by_name)):
            yield from _line(by_name[base], rule, by_name)
