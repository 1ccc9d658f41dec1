"""Each finding, of rules and of detectors in code, changes the verdict of its action and that of the next."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cli.detection_files import load_files
from detections.abouts import ABOUTS
from detections.beside import PlacedCase
from detections.carried import Content, write_content
from detections.settings import Settings
from detections.sigma.correlation.model import Correlation
from detections.sigma.rule import SigmaRule
from detections.trying import OWNERS
from judgement.judge import Judgement, judge
from judgement.rules import Rules, compile_rules
from policies.bundle import build_bundle
from policies.signals import Detected
from schemas.verdict import Effect
from tests.policies.builders import make_action, make_policy

LOADED = load_files(None)
EVERY = [*(about.id for about in ABOUTS), *(rule.name for rule in LOADED.detections)]
FIRST: dict[str, PlacedCase] = {}
for placed in LOADED.cases:
    if placed.case.expect == "found":
        FIRST.setdefault(placed.rule, placed)


def parts(name: str) -> Iterator[SigmaRule | Correlation]:
    """The rule or correlation of that name, and all that it looks at."""
    rule = LOADED.placed[name].rule
    yield rule
    for other in rule.rules if isinstance(rule, Correlation) else ():
        yield from parts(other)


def rules_for(name: str, denying: bool) -> Rules:
    """Detectors in code as they are shipped or set by the case, this detection; policies that ask for it."""
    found = [] if name in OWNERS else [*parts(name)]
    content = Content(
        Settings.read({OWNERS[name]: FIRST[name].case.settings} if name in OWNERS else {}),
        tuple(rule for rule in found if isinstance(rule, SigmaRule)),
        tuple(rule for rule in found if isinstance(rule, Correlation)),
    )
    asking = [
        {"id": "now", "match": {"detections": [name]}},
        {"id": "later", "match": {"recent_detections": [name]}},
    ]
    policy = make_policy([{"id": "all", "effect": "allow", "match": {}}, *(asking if denying else ())])
    return compile_rules(build_bundle([policy], Detected(write_content(content), content.names())))


def judged(name: str, denying: bool) -> list[Judgement]:
    """Its case's events, and an action soon after that is nothing by itself."""
    events = list(FIRST[name].case.decided())
    last = events[-1][0]
    who = {"tenant": last.tenant, "agent_id": last.agent_id, "session_id": last.session_id}
    after = make_action(last.received_at + 20_000, 9999, phase="call", action="note:nothing", **who)
    rules, refusing = rules_for(name, denying), compile_rules(build_bundle([]))
    cells: dict[bytes, dict[str, bytes]] = {}
    said = []
    for action, denied in (*events, (after, False)):
        own = cells.setdefault(action.agent, {})
        # what a case calls denied is denied by another bundle, whose detectors learn it likewise
        said.append(judge(action, own, _denying(rules, refusing) if denied else rules))
        own.update(said[-1].changes)
    return said


def _denying(rules: Rules, refusing: Rules) -> Rules:
    return replace(rules, index=refusing.index)


def denied_by(judgement: Judgement) -> list[str]:
    return [r.rule for r in judgement.verdict.reasons if r.effect is Effect.deny]


@pytest.mark.parametrize("name", EVERY)
def test_a_finding_changes_the_verdict_of_its_action_and_of_the_next(name: str) -> None:
    *_, last, after = judged(name, denying=True)
    *_, before_last, before_after = judged(name, denying=False)
    assert name in {finding.detector for finding in last.findings}
    assert "later" in denied_by(after) and before_after.verdict.effect is Effect.allow
    if name == "denial-burst":  # known as its last denial is told, after that decision: the next one knows
        assert "now" in denied_by(after)
    else:
        assert denied_by(last) == ["now"] and before_last.verdict.effect is Effect.allow


def test_all_that_can_be_found_has_a_case_beside_it() -> None:
    assert set(EVERY) == FIRST.keys()
