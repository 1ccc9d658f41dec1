"""The seeded fleet: the same seed gives the same bytes, and its agents are what they are said to be."""

from collections import Counter, defaultdict
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.action import read_action
from schemas.keys import agent_key
from schemas.model import ActionEvent
from streams.simulation import SESSION_EVENTS, Fleet, generate, generate_encoded

SOME = {"seed": 7, "agents": 40, "count": 4_000, "hostile": 0.2}


@settings(max_examples=20)
@given(st.integers(), st.integers(1, 300), st.floats(0, 1))
def test_the_same_seed_gives_the_same_bytes(seed, agents, hostile):
    first = list(generate_encoded(seed, agents, 100, hostile))
    assert list(generate_encoded(seed, agents, 100, hostile)) == first
    assert list(islice(generate_encoded(seed, agents, None, hostile), 100)) == first
    assert list(generate_encoded(seed + 1, agents, 100, hostile)) != first


def test_both_forms_are_the_same_events():
    events = [ActionEvent(**record).to_record() for record in generate(**SOME)]
    actions = [read_action(value, 0) for _, value in generate_encoded(**SOME)]
    assert [{name: action.get(name) for name in events[0]} for action in actions] == events
    assert len({event["event_id"] for event in events}) == SOME["count"]
    assert len({event["salt"] for event in events}) == SOME["count"]


def test_an_agents_life_is_sessions_of_a_prompt_then_calls_with_their_results():
    lives = defaultdict(list)
    for event in generate(**SOME):
        lives[event["agent_id"]].append(event)
    assert len(lives) == SOME["agents"]
    for life in lives.values():
        assert [event["producer_seq"] for event in life] == list(range(len(life)))
        assert len({event["tenant"] for event in life}) == 1
        for i, event in enumerate(life):
            place = i % SESSION_EVENTS
            assert event["phase"] == ("prompt" if place == 0 else "call" if place % 2 else "result")
            if event["phase"] == "result":
                assert event["parent_event_id"] == life[i - 1]["event_id"]
                assert event["resource"] == life[i - 1]["resource"]
                assert event["session_id"] == life[i - 1]["session_id"]


@pytest.mark.parametrize(
    ("agents", "hostile", "expected"), [(50, 0.02, 1), (100, 0.5, 50), (7, 0, 0), (7, 1, 7)]
)
def test_the_share_of_hostile_agents_is_kept(agents, hostile, expected):
    ordinary = {"coding", "support", "finance", "data"}
    kinds = Counter(Fleet(1, agents, hostile).profile(i).name for i in range(agents))
    assert sum(count for kind, count in kinds.items() if kind not in ordinary) == expected


def test_only_misrouting_agents_use_a_key_that_is_not_theirs():
    wrong = Counter()
    for key, value in generate_encoded(**SOME):
        action = read_action(value, 0)
        if key != agent_key(action.tenant, action.agent_id):
            wrong[action.agent_id.split("-")[0]] += 1
    assert set(wrong) == {"misrouted"}


@pytest.mark.parametrize(("agents", "hostile"), [(0, 0.1), (1, -0.1), (1, 1.1)])
def test_an_impossible_fleet_is_refused(agents, hostile):
    with pytest.raises(ValueError, match="at least 1, and 0 to 1"):
        next(generate(1, agents, 1, hostile))
