"""Which cases come out otherwise under another bundle."""

from collections.abc import Iterator
from typing import NamedTuple

from policies.bundle import Bundle
from policies.case import Case
from policies.cases import Trial
from policies.load import Loaded
from policies.model import Metadata, Policy
from policies.resolve import Vocabulary
from policies.signals import Detected


class CaseChange(NamedTuple):
    """A case, and what is decided of it under the old and the new rules.

    `expected` is what the case says; `of` which side it stands in: old, new or both.
    """

    policy: str
    case: str
    of: str
    expected: str
    old: str
    new: str


class _Side:
    """One side's rules, ready for cases; a policy that is not in force is tried as if it were."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._together = Trial(loaded)
        self._alone: dict[str, Trial] = {}

    def outcome(self, policy: str, case: Case) -> str:
        verdict, arguments = self._trial(policy).judge(case)
        by = verdict.reasons[0]
        told = f"{verdict.effect.name} by {by.policy}/{by.rule}"
        return told if arguments is None else f"{told} with {arguments}"

    def _trial(self, name: str) -> Trial:
        policy = next((p for p in self._loaded.policies if p.metadata.name == name), None)
        if policy is None or policy.mode == "enforce":
            return self._together
        if name not in self._alone:
            self._alone[name] = Trial(self._loaded, policy)
        return self._alone[name]


def case_changes(
    old: tuple[Bundle, Loaded | None], new: tuple[Bundle, Loaded | None]
) -> tuple[int, list[CaseChange]]:
    """How many cases the two have, and those that come out otherwise; a bundle without its files has none."""
    sides = [_Side(loaded or _unloaded(bundle)) for bundle, loaded in (old, new)]
    cases = list(_cases(old[1], new[1]))
    found = []
    for policy, case, of in cases:
        before, now = (side.outcome(policy, case) for side in sides)
        if before != now:
            found.append(CaseChange(policy, case.name, of, case.expect, before, now))
    return len(cases), found


def _cases(old: Loaded | None, new: Loaded | None) -> Iterator[tuple[str, Case, str]]:
    held = [
        {(p.metadata.name, c.name): c for p in side.policies for c in p.cases} if side else {}
        for side in (old, new)
    ]
    for key, case in held[0].items():
        yield key[0], case, "both" if held[1].get(key) == case else "old"
    for key, case in held[1].items():
        if held[0].get(key) != case:
            yield key[0], case, "new"


def _unloaded(bundle: Bundle) -> Loaded:
    """A bundle as if it had been read from files, without cases."""
    policies = tuple(
        Policy.model_construct(
            apiVersion="praetor/v1",
            kind="Policy",
            metadata=Metadata(name=policy.name, description=policy.name),
            mode=policy.mode,
            rules=policy.rules,
            cases=[],
        )
        for policy in bundle.content.policies
    )
    content = bundle.content
    detections = Detected(content.detections, None if content.detected is None else content.names)
    return Loaded(policies, detections, {}, Vocabulary(content.lists, {}, content.names))
