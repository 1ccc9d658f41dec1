"""What docs/detections/correlations.md says in words, one by one."""

from detections.sigma.correlation.model import building_blocks
from tests.detections.correlations.making import START, Agent, act, correlation


def test_it_is_on_while_it_holds_and_fires_once() -> None:
    agent = Agent(correlation("event_count", threshold=3))
    told = [agent.sees(act(at), "one") for at in (0, 1, 2, 3, 20, 21, 22)]
    assert [on for on, _ in told] == [[], [], ["it"], ["it"], [], [], ["it"]]
    assert [bool(fires) for _, fires in told] == [False, False, True, False, False, False, True]


def test_the_beginning_of_a_window_is_outside() -> None:
    agent = Agent(correlation("event_count", threshold=2))
    assert agent.sees(act(0), "one")[0] == []
    assert agent.sees(act(10), "one")[0] == []
    assert agent.sees(act(19.999), "one")[0] == ["it"]


def test_a_late_event_is_placed_where_it_belongs() -> None:
    of = correlation("temporal_ordered", rules=["one", "two"], threshold=2, clock="occurred_at")
    agent = Agent(of)
    assert agent.sees(act(30, occurred_at=(START + 5_000) * 1000), "two") == ([], [])
    assert agent.sees(act(31, occurred_at=(START + 1_000) * 1000), "one") == (["it"], ["it"])


def test_what_is_claimed_beyond_the_skew_counts_as_at_its_edge() -> None:
    of = correlation("event_count", threshold=2, clock="occurred_at")
    agent = Agent(of, skew_ms=1_000)
    agent.sees(act(0, occurred_at=(START + 3_600_000) * 1000), "one")
    assert agent.sees(act(10.5, occurred_at=0), "one")[0] == ["it"]
    agent = Agent(of, skew_ms=0)
    agent.sees(act(0, occurred_at=(START + 3_600_000) * 1000), "one")
    assert agent.sees(act(10.5, occurred_at=0), "one")[0] == []


def test_one_event_stands_for_one_rule_of_an_order_only() -> None:
    agent = Agent(correlation("temporal_ordered", rules=["one", "two"], threshold=2))
    assert agent.sees(act(0), "one", "two") == ([], [])
    assert agent.sees(act(1), "two") == (["it"], ["it"])


def test_events_count_once_whichever_rules_matched() -> None:
    agent = Agent(correlation("event_count", rules=["one", "two"], threshold=2))
    assert agent.sees(act(0), "one", "two")[0] == []
    assert agent.sees(act(1), "two")[0] == ["it"]


def test_an_alias_names_the_field_by_rule() -> None:
    aliases = {"host": {"one": "args.from", "two": "args.to"}}
    of = correlation(
        "temporal", rules=["one", "two"], threshold=2, group_by=["agent_id", "host"], aliases=aliases
    )
    agent = Agent(of)
    agent.sees(act(0, {"from": "x", "to": "y"}), "one")
    assert agent.sees(act(1, {"from": "x", "to": "y"}), "two")[0] == []
    assert agent.sees(act(2, {"from": "z", "to": "x"}), "two")[0] == ["it"]


def test_chained_correlations_count_firings() -> None:
    inner = correlation("event_count", name="burst", threshold=2, timespan=2)
    outer = correlation("temporal_ordered", name="then", rules=["burst", "two"], threshold=2)
    again = correlation("event_count", name="again", rules=["burst"], threshold=2, timespan=60)
    agent = Agent(outer, inner, again)
    told = [agent.sees(act(at), "one")[1] for at in (0, 1, 1.5, 2, 30, 31)]
    assert told == [[], ["burst"], [], [], [], ["again", "burst"]] or told[-1] == ["burst", "again"]
    assert agent.sees(act(33), "two") == (["then"], ["then"])


def test_groups_that_span_agents_are_left_to_others() -> None:
    of = correlation("event_count", group_by=["resource"])
    assert of.scope == "agents"
    assert of.to_json()["scope"] == "agents"
    assert Agent(of).engine.ids == ()


def test_a_finding_says_what_and_which_events_but_shows_no_values_that_may_be_secret() -> None:
    of = correlation("event_count", threshold=2, group_by=["agent_id", "args.password", "tool"], level="high")
    agent = Agent(of)
    events = [act(at, {"password": "hunter2"}, tool="mail") for at in (0, 4)]
    for event in events:
        agent.sees(event, "one")
    found = agent.findings[0]
    assert found.evidence == tuple(event.event_id for event in events)
    assert (found.first_at, found.last_at) == (START, START + 4_000)
    assert found.severity.name == "high"
    assert "tool 'mail'" in found.message
    assert "2 events" in found.message
    assert "hunter2" not in repr(found)


def test_what_cannot_be_read_is_an_error_and_costs_others_nothing() -> None:
    by_host = correlation("event_count", name="host", threshold=2, group_by=["agent_id", "args.host"])
    agent = Agent(by_host, correlation("event_count", threshold=2))
    agent.sees(act(0, {"host": "x"}), "one")
    assert agent.sees(act(1, '{"host": "x", "host": "y"}'), "one") == (["it"], ["it"])
    assert "host: the arguments have a key twice" in agent.errors[0]
    costs = Agent(correlation("value_avg", fields=["cost_usd"], threshold=1))
    assert costs.sees(act(0, cost_usd=float("nan")), "one") == ([], [])
    assert "cannot be counted" in costs.errors[0]


def test_building_blocks_are_what_no_correlation_generates() -> None:
    quiet, loud = correlation("event_count"), correlation("event_count", rules=["two"], generate=True)
    assert building_blocks([quiet, loud]) == {"one"}
