"""judge(): detect, decide, remember; pure, and never silent about what fails."""

import random
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detections.about import About
from detections.activity import Activity, read_activity
from detections.burst import ID, DenialBurst
from detections.carried import Content
from detections.detector import EVERY_PHASE, LARGEST_CELL, NOTHING, Cells, Observation
from detections.engine import Detections
from detections.settings import Settings
from documents.types import Model
from judgement.facts import read_facts
from judgement.judge import Judgement, judge
from judgement.loading import default_detections, set_detections
from judgement.rules import Rules, compile_rules
from policies.bundle import build_bundle
from policies.index import Index
from policies.signals import Detected
from schemas.action import Action
from schemas.verdict import Effect, Finding, Severity
from tests.policies.builders import make_action, make_policy, random_action, random_content

BURST_OF_3 = set_detections({"denial-burst": {"count": 3, "window_seconds": 1}})

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


def run(rules: Rules, actions: list[Action], cells: dict[str, bytes]) -> list[Judgement]:
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
    cells: dict[str, bytes] = {}
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
    cells: dict[str, bytes] = {}
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
    calm = judge(make_action(5, phase="approval"), {}, RULES)
    assert set(calm.changes) == {"activity"}
    assert calm.findings == ()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_is_a_function_of_its_arguments(seed: int) -> None:
    """Twice the same, also by other compiled rules whose memos saw other actions; nothing is changed."""
    rng = random.Random(seed)
    content = random_content(rng, 12)
    update = {"detections": BURST_OF_3.content, "detected": list(BURST_OF_3.names or ())}
    bundle = replace(build_bundle([]), content=content.model_copy(update=update))
    warm, cold = compile_rules(bundle), compile_rules(bundle)
    cells: dict[str, bytes] = {}
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
    assert told in judged.verdict.errors
    assert judged.verdict.severity is Severity.high
    assert judged.verdict.reasons[0].rule == "error"
    assert judged.verdict.reasons[-1].effect is Effect.allow
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
    cells: dict[str, bytes] = {}
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
    compiled, cells = compile_rules(build_bundle([make_policy(rules)], default_detections())), {}
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
    cells: dict[str, bytes] = {"activity": judge(make_action(), {}, RULES).changes["activity"]}
    judged = run(RULES, [numbered(70), numbered(71), numbered(73)], cells)
    assert [[f.detector for f in j.findings] for j in judged] == [[], [], ["source-gap"]]


class ProbeSettings(Model):
    """What is tried."""

    fail: str = ""


SEEN = About("seen", "Seen", Severity.low, (), "A probe.", (), "Look.")
DONE = About("done", "Done", Severity.low, (), "A probe.", (), "Look.")
RAISED = {"LookupError": LookupError, "AttributeError": AttributeError}


class Probe:
    """A detector that reveals something at once and finds something after."""

    name = "probe"
    abouts = (SEEN, DONE)
    Settings = ProbeSettings
    ids = ("seen", "done")
    cells = ("probe",)
    phases = EVERY_PHASE

    def __init__(self, settings: ProbeSettings | None = None) -> None:
        self.fail = (settings or ProbeSettings()).fail

    def observe(self, action: Action, cells: Cells) -> Observation:
        if action.action.startswith("close:"):
            return NOTHING
        cut = ("a half",) if action.action.startswith("cut:") else ()
        return Observation({"probe": cells.get("probe", b"") + b"o"}, (self.find(SEEN),), (), 0.7, cut)

    def settle(self, action: Action, denied: bool, cells: Cells) -> Observation:
        if self.fail and not denied:
            raise RAISED[self.fail]("broken")
        if action.action.startswith("close:"):
            return NOTHING
        after = cells["probe"] + (b"d" if denied else b"a")
        return Observation({"probe": after}, (self.find(DONE),))

    def find(self, about: About) -> Finding:
        return Finding(about.id, about.title, about.severity, 1.0, (), 0, 0, (), "k", "m")


NAMES = ("denial-burst", "detections-cut", "done", "seen")


def probing(rules: list[dict[str, Any]], settings: dict[str, Any] | None = None) -> Rules:
    """Rules that see a probe."""
    carried = Settings.read({"denial-burst": {}, "probe": {}, **(settings or {})}, (DenialBurst, Probe))
    bundle = build_bundle([make_policy(rules)], Detected({}, NAMES))
    return replace(
        RULES, index=Index(bundle.content, read_facts), detections=Detections(Content(carried), NAMES, True)
    )


ALLOW: dict[str, Any] = {"effect": "allow"}
STOP_SEEN = [ALLOW, {"id": "now", "match": {"detections": ["seen"], "actions": ["write:*"]}}]


def test_a_detector_sees_the_action_first_and_the_decision_after() -> None:
    rules = probing(STOP_SEEN)
    read, write = (judge(make_action(action=a), {"probe": b"-"}, rules) for a in ("read:file", "write:file"))
    assert read.changes["probe"] == b"-oa"
    assert write.changes["probe"] == b"-od"  # what it revealed of this very action denied it
    assert [f.title for f in write.findings] == ["Seen", "Done"]


def test_what_was_found_is_seen_by_the_session_s_next_actions_as_long_as_it_is_held() -> None:
    rules = probing([ALLOW, {"id": "lately", "match": {"recent_detections": ["done"], "phases": ["call"]}}])
    cells: dict[str, bytes] = {}
    quiet = {"action": "close:x", "phase": "call"}
    steps = [
        make_action(0, 0, session_id="s"),
        make_action(599_999, 1, session_id="s", **quiet),
        make_action(599_999, 2, session_id="t", **quiet),
        make_action(599_999, 3, session_id=None, **quiet),
        make_action(600_000, 4, session_id="s", **quiet),
    ]
    judged = run(rules, steps, cells)
    assert [j.verdict.reasons[0].rule for j in judged] == ["r0", "lately", "r0", "lately", "r0"]
    assert judged[-1].changes["found"] == b""


def test_a_finding_of_no_session_is_one_of_all() -> None:
    rules = probing([ALLOW, {"id": "lately", "when": "'seen' in recent_detections", "match": {}}])
    quiet = {"action": "close:x"}
    steps = [make_action(0, 0, session_id=None), make_action(1, 1, session_id="s", **quiet)]
    assert [j.verdict.reasons[0].rule for j in run(rules, steps, {})] == ["r0", "lately"]


def test_settings_say_how_bad_it_is_how_long_it_is_held_and_whether_it_is_looked_for() -> None:
    tuned = {"seen": {"severity": "critical", "hold_seconds": 0}, "done": {"enabled": False}}
    judged = judge(make_action(action="write:file"), {}, probing(STOP_SEEN, tuned))
    assert [(f.detector, f.severity) for f in judged.findings] == [("seen", Severity.critical)]
    assert judged.verdict.effect is Effect.deny
    assert "found" not in judged.changes
    off = judge(make_action(action="write:file"), {}, probing(STOP_SEEN, {"probe": {"enabled": False}}))
    assert (off.findings, off.verdict.effect) == ((), Effect.allow)


def test_what_was_cut_is_told_and_no_denial_unless_a_rule_says_so() -> None:
    told = judge(make_action(action="cut:x"), {}, probing([ALLOW])).verdict
    assert (told.effect, told.errors) == (Effect.allow, ("probe: a half",))
    careful = probing([ALLOW, {"id": "whole", "match": {"detections": ["detections-cut"]}}])
    assert judge(make_action(action="cut:x"), {}, careful).verdict.reasons[0].rule == "whole"


def test_the_risk_is_a_number_for_conditions() -> None:
    rules = probing([ALLOW, {"id": "risky", "when": "risk >= 0.7", "match": {}}])
    assert judge(make_action(), {}, rules).verdict.reasons[0].rule == "risky"
    assert judge(make_action(action="close:x"), {}, rules).verdict.reasons[0].rule == "r0"


def test_a_held_cell_that_is_not_ours_denies_and_stays() -> None:
    judged = judge(make_action(), {"found": b"\x09junk"}, probing([ALLOW]))
    assert judged.verdict.errors == ("found: ValueError: a cell of 5 bytes beginning 09 holds no findings",)
    assert judged.verdict.effect is Effect.deny
    assert "found" not in judged.changes


def test_a_detector_that_fails_after_the_decision_denies_for_all() -> None:
    judged = judge(make_action(action="read:file"), {}, probing([ALLOW], {"probe": {"fail": "LookupError"}}))
    assert judged.verdict.errors == ("probe: LookupError: broken",)
    assert judged.verdict.effect is Effect.deny
    assert judged.changes[ID]
    assert read_activity(judged.changes["activity"]).denials == 1


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(AttributeError):
        judge(make_action(action="read:file"), {}, probing([ALLOW], {"probe": {"fail": "AttributeError"}}))
