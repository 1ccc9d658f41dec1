"""judge(): detect, decide, remember; pure, and never silent about what fails."""

import random
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detections.activity import Activity, read_activity
from detections.burst import ID
from detections.detector import LARGEST_CELL, Findings
from judgement.judge import Judgement, judge
from judgement.rules import Rules, compile_rules
from policies.bundle import build_bundle
from policies.model import DenialBurst, DetectionSettings
from schemas.action import Action
from schemas.verdict import Effect, Finding, Severity
from tests.policies.builders import make_action, make_policy, random_action, random_content

BURST_OF_3 = DetectionSettings(**{"denial-burst": DenialBurst(count=3, window_seconds=1)})

RULES = compile_rules(
    build_bundle(
        [
            make_policy(
                [
                    {"effect": "allow", "match": {"actions": ["read:*", "write:*"]}},
                    {"match": {"actions": ["write:*"], "detections": ["denial-burst"]}},
                ]
            )
        ],
        BURST_OF_3,
    )
)

Cells = dict[str, bytes]


def run(rules: Rules, actions: list[Action], cells: Cells) -> list[Judgement]:
    """Judge in order, keeping the cells as a worker would."""
    judged = []
    for action in actions:
        judgement = judge(action, cells, rules)
        judged.append(judgement)
        cells.update(judgement.changes)
    return judged


def test_event_n_is_denied_by_what_the_earlier_ones_revealed() -> None:
    kinds = ["write:file", "exec:shell", "exec:shell", "write:file", "exec:shell", "write:file", "read:file"]
    actions = [make_action(100 * i, i, action=kind) for i, kind in enumerate(kinds)]
    cells: Cells = {}
    judged = run(RULES, actions, cells)
    assert [j.verdict.effect.name for j in judged] == [
        "allow",
        "deny",
        "deny",
        "allow",
        "deny",
        "deny",
        "allow",
    ]
    assert [len(j.findings) for j in judged] == [0, 0, 0, 0, 1, 0, 0]
    assert judged[4].findings[0].evidence == tuple(actions[i].event_id for i in (1, 2, 4))
    assert judged[5].verdict.reasons[0].rule == "r1"
    assert read_activity(cells["activity"]) == Activity(7, 4, 0, 600)


def test_the_burst_passes_and_its_cell_with_it() -> None:
    cells: Cells = {}
    run(RULES, [make_action(i, i, action="exec:shell") for i in range(3)], cells)
    on = judge(make_action(999, action="write:file"), cells, RULES)
    assert on.verdict.reasons[0].rule == "r1"
    part = judge(make_action(1001, action="write:file"), cells, RULES)
    assert part.verdict.effect is Effect.allow
    assert ID not in part.changes
    late = judge(make_action(1002, action="write:file"), cells, RULES)
    assert late.verdict.effect is Effect.allow
    assert late.changes[ID] == b""


def test_only_what_changed_is_returned() -> None:
    calm = judge(make_action(5), {}, RULES)
    assert set(calm.changes) == {"activity"}
    assert calm.findings == ()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_is_a_function_of_its_arguments(seed: int) -> None:
    """Twice the same, also by other compiled rules whose memos saw other actions; nothing is changed."""
    rng = random.Random(seed)
    content = random_content(rng, 12)
    bundle = replace(build_bundle([]), content=content.model_copy(update={"detections": BURST_OF_3}))
    warm, cold = compile_rules(bundle), compile_rules(bundle)
    cells: Cells = {}
    at = 0
    for number in range(80):
        at += rng.choice((0, 1, 300, 1100))
        action = random_action(rng)
        action.received_at = at
        before = dict(cells)
        first = judge(action, MappingProxyType(cells), warm)
        assert cells == before
        for rules in (warm, cold) if number % 3 else (warm,):
            again = judge(action, MappingProxyType(cells), rules)
            assert same(again) == same(first)
        again = judge(action, cells, warm).verdict
        assert first.verdict is again or first.verdict.errors or again.is_own()
        cells.update(first.changes)
        assert all(len(cell) <= LARGEST_CELL for cell in cells.values())


def same(judgement: Judgement) -> object:
    verdict = judgement.verdict
    told = (
        verdict.effect,
        verdict.reasons,
        verdict.severity,
        verdict.tags,
        verdict.errors,
        verdict.policy_mode,
    )
    return told, judgement.changes, judgement.findings


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"activity": b"short"}, "activity: error: unpack requires a buffer of 32 bytes"),
        (
            {"source": b"\x09junk"},
            "source: ValueError: a cell of 5 bytes beginning 096a756e is none of version 1",
        ),
        ({ID: b"\x09junk"}, f"{ID}: ValueError: a cell of 5 bytes beginning 096a is none of version 1"),
    ],
)
def test_a_cell_that_is_not_ours_denies_and_stays(cells: Cells, told: str) -> None:
    judged = judge(numbered(0), cells, RULES)
    assert judged.verdict.effect is Effect.deny
    assert judged.verdict.errors == (told,)
    assert judged.verdict.severity is Severity.high
    assert judged.verdict.reasons[0].rule == "error"
    assert judged.verdict.reasons[1].effect is Effect.allow
    assert not set(cells) & set(judged.changes)


def test_the_other_cells_learn_a_denial_by_error() -> None:
    by_burst = judge(make_action(), {ID: b"\x09"}, RULES)
    assert read_activity(by_burst.changes["activity"]).denials == 1
    by_count = judge(make_action(), {"activity": b"\x09"}, RULES)
    assert by_count.changes[ID]


def test_a_rule_that_denies_stays_the_deciding_one() -> None:
    judged = judge(make_action(action="exec:shell"), {ID: b"\x09"}, RULES)
    assert [r.rule for r in judged.verdict.reasons] == ["default", "error"]


def test_a_rule_that_fails_denies_and_counts_as_denial() -> None:
    rules = compile_rules(
        build_bundle([make_policy([{"effect": "allow", "match": {"fields": {"cost_usd": {"lt": 9}}}}])])
    )
    judged = judge(make_action(cost_usd=float("nan")), {}, rules)
    assert judged.verdict.effect is Effect.deny
    assert judged.verdict.errors
    assert judged.changes[ID]


def numbered(seq: int, at: int = 0, **fields: object) -> Action:
    given = {"producer_id": "p", "producer_epoch": 3, "producer_seq": seq, **fields}
    return make_action(at, seq + 1, **given)


def test_a_repeated_number_is_marked_and_counts_again() -> None:
    cells: Cells = {}
    judged = run(RULES, [numbered(n, i) for i, n in enumerate((0, 1, 1, 2))], cells)
    assert [j.verdict.duplicate_of for j in judged] == [None, None, "p/3/1", None]
    assert {j.verdict.effect for j in judged} == {Effect.allow}
    assert judged[0].verdict is judged[1].verdict is judged[3].verdict
    assert read_activity(cells["activity"]).actions == 4
    assert not any(j.findings for j in judged)


def test_what_judgement_knows_of_producers_is_a_detection_for_rules() -> None:
    rules: list[dict[str, Any]] = [
        {"effect": "allow"},
        {"id": "missing", "match": {"detections": ["source-gap"], "actions": ["write:*"]}},
        {"id": "again", "match": {"detections": ["source-duplicate"], "actions": ["pay:*"]}},
        {"id": "old", "match": {"detections": ["source-regression"]}},
    ]
    compiled, cells = compile_rules(build_bundle([make_policy(rules)])), Cells()
    steps = [
        numbered(0, action="pay:invoice"),
        numbered(0, action="pay:invoice"),
        numbered(2, action="read:file"),
        numbered(3, action="write:file"),
        numbered(1, action="read:file"),
        numbered(4, action="write:file"),
        numbered(9, producer_epoch=2),
    ]
    judged = run(compiled, steps, cells)
    assert [j.verdict.reasons[0].rule for j in judged] == ["r0", "again", "r0", "missing", "r0", "r0", "old"]
    assert [[f.detector for f in j.findings] for j in judged] == [
        *([], [], ["source-gap"], [], ["source-filled"], [], ["source-regression"])
    ]


def test_an_agent_of_an_earlier_engine_begins_where_it_is() -> None:
    cells: Cells = {"activity": judge(make_action(), {}, RULES).changes["activity"]}
    judged = run(RULES, [numbered(70), numbered(71), numbered(73)], cells)
    assert [[f.detector for f in j.findings] for j in judged] == [[], [], ["source-gap"]]


class Probe:
    """A detector that reveals something at once and finds something after."""

    id = "probe"

    def __init__(self, fail: type[Exception] | None = None) -> None:
        self.fail = fail

    def observe(self, action: Action, cell: bytes | None) -> tuple[bytes | None, Findings, bool]:
        return (cell or b"") + b"o", (self.find("seen"),), True

    def settle(self, action: Action, denied: bool, cell: bytes | None) -> tuple[bytes | None, Findings]:
        if self.fail and not denied:
            raise self.fail("broken")
        return (cell or b"") + (b"d" if denied else b"a"), (self.find("done"),)

    def find(self, title: str) -> Finding:
        return Finding("probe", title, Severity.low, 1.0, (), 0, 0, (), "k", "m")


def test_a_detector_sees_the_action_first_and_the_decision_after() -> None:
    rules = replace(RULES, detectors=(Probe(),))
    read, write = (judge(make_action(action=a), {"probe": b"-"}, rules) for a in ("read:file", "write:file"))
    assert read.changes["probe"] == b"-oa"
    assert write.changes["probe"] == b"-od"  # what it revealed of this very action denied it
    assert [f.title for f in write.findings] == ["seen", "done"]


def test_a_detector_that_fails_after_the_decision_denies_for_all() -> None:
    rules = replace(RULES, detectors=(*RULES.detectors, Probe(LookupError)))
    judged = judge(make_action(action="read:file"), {}, rules)
    assert judged.verdict.errors == ("probe: LookupError: broken",)
    assert judged.verdict.effect is Effect.deny
    assert judged.changes[ID]
    assert read_activity(judged.changes["activity"]).denials == 1


def test_a_bug_is_not_hidden() -> None:
    rules = replace(RULES, detectors=(Probe(AttributeError),))
    with pytest.raises(AttributeError):
        judge(make_action(action="read:file"), {}, rules)
