"""Cases explained: all that a case was judged by, as `policies.cases` tries it."""

from collections.abc import Mapping

from policies.bundle import build_bundle
from policies.case import Case
from policies.cases import case_action, signals_of
from policies.explaining.explain import Explainer, Explanation
from policies.load import Loaded
from policies.sight import Cells
from schemas.action import Action


class CaseExplainer:
    """The policies with one of them enforced, whatever its mode: what its cases are tried with."""

    def __init__(self, loaded: Loaded, policy: str) -> None:
        """Compile."""
        policies = [
            p.model_copy(update={"mode": "enforce"}) if p.metadata.name == policy else p
            for p in loaded.policies
        ]
        content = build_bundle(policies, loaded.detections, loaded.names).content
        self._facts: Mapping[str, int] = {}
        self._names = content.names
        self._explainer = Explainer(content, self._read)

    def _read(self, _action: Action, _cells: Cells) -> Mapping[str, int]:
        return self._facts

    def explain(self, case: Case) -> Explanation:
        """Say why the case is decided as it is, after what came before it."""
        self._facts = facts_of_case(case)
        action, signals = case_action(case), signals_of(case, self._names)
        return self._explainer.explain(action, signals, self._explainer.repeat(action, signals, case.after))


def facts_of_case(case: Case) -> dict[str, int]:
    """What conditions see of agent and session, by whole name."""
    holders = (("agent", case.agent), ("session", case.session))
    return {f"{holder}.{name}": number for holder, state in holders for name, number in state}
