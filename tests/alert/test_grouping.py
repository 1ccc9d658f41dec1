"""What is told, when, and how often: no broker, no clock."""

import random
from collections import Counter
from datetime import datetime

import pytest

from consumers.alert.quiet import Mute, Quiet, mute
from tests.alert.making import T0, Clock, incident, rules, threat


def test_what_belongs_together_is_told_once_after_the_wait() -> None:
    clock = Clock(rules())
    clock.take(*(threat(n / 100, agent=f"a{n % 3}") for n in range(100)))
    assert clock.until(9) == []
    assert clock.until(20) == [(10, "trigger", "opened")]
    assert clock.last is not None
    assert (clock.last.group.count, clock.last.fresh, len(clock.last.group.agents)) == (100, 100, 3)


def test_more_of_it_is_told_after_the_interval_with_what_is_new() -> None:
    clock = Clock(rules())
    clock.take(threat())
    clock.until(10)
    clock.take(threat(11), threat(12))
    assert clock.until(309) == []
    assert clock.until(320) == [(310, "update", "grew")]
    assert clock.last is not None
    assert (clock.last.group.count, clock.last.fresh) == (3, 2)


def test_quiet_ends_a_group_and_what_comes_then_is_another() -> None:
    clock = Clock(rules())
    clock.take(threat())
    clock.until(10)
    first = clock.last.group.id if clock.last else ""
    assert clock.until(1000) == [(900, "resolve", "quiet")]
    assert len(clock.book) == 0
    clock.take(threat(1000))
    assert clock.until(1020) == [(1010, "trigger", "opened")]
    assert clock.last is not None
    assert clock.last.group.id != first


def test_causes_and_tenants_are_groups_of_their_own() -> None:
    clock = Clock(rules())
    for n in range(200):
        clock.take(threat(detector=f"d{n % 20}", tenants=(f"t{n % 2}",)))
    assert len(clock.until(30)) == 20  # n % 20 decides n % 2


def test_a_flood_of_few_causes_is_few_notifications_that_count_all() -> None:
    clock = Clock(rules())
    told: Counter[str] = Counter()
    for second in range(60):
        clock.take(*(threat(second, f"d{n % 20}", f"a{n % 97}") for n in range(200)))
        clock.until(second + 1)
    while len(clock.book):
        clock.until(clock.second + 1)
        if clock.last is not None:
            told[clock.last.group.id] = clock.last.group.count
    actions = Counter(action for _, action, _ in clock.told)
    assert (actions["trigger"], actions["update"], actions["resolve"]) == (20, 20, 20)
    assert actions["trigger"] + actions["update"] <= 40


def test_an_incident_is_told_by_its_id_through_its_whole_life() -> None:
    clock = Clock(rules())
    clock.take(incident())
    assert clock.until(15) == [(10, "trigger", "opened")]
    clock.take(incident(15, change="grew", count=9))
    assert clock.until(309) == []
    assert clock.until(311) == [(310, "update", "grew")]
    clock.take(incident(311, severity="critical", change="escalated", count=9))
    assert clock.until(320) == [(312, "update", "escalated")]
    clock.take(incident(320, severity="critical", status="acknowledged", count=9))
    assert clock.until(330) == [(321, "acknowledge", "acknowledged")]
    clock.take(incident(330, severity="critical", status="acknowledged", count=50))
    assert clock.until(40_000, step=10) == []  # somebody sees to it: no repetition
    clock.take(incident(40_000, severity="critical", status="resolved", by="alice"))
    assert [a for _, a, _ in clock.until(40_020)] == ["resolve"]
    assert clock.last is not None
    assert (clock.last.group.id, clock.last.group.by) == ("inc-1", "alice")


def test_what_stays_open_is_told_again() -> None:
    clock = Clock(rules({"name": "all", "receivers": ["pager"], "repeat": 600}))
    clock.take(incident())
    assert [s for s, _, _ in clock.until(1900)] == [10, 610, 1210, 1810]


def test_an_acknowledgement_of_the_store_stops_repetitions_whatever_correlate_says() -> None:
    clock = Clock(rules({"name": "all", "receivers": ["pager"], "repeat": 600}))
    clock.take(incident())
    clock.until(20)
    clock.quiet = Quiet(seen={"inc-1": "bob"})
    assert [a for _, a, _ in clock.until(700)] == ["acknowledge"]
    clock.take(incident(700, count=3))
    assert clock.until(2000) == []


def test_routes_by_severity_tag_tenant_and_who_was_told_already() -> None:
    known = rules(
        {"name": "bad", "match": {"severity": "critical"}, "receivers": ["pager", "chat"], "go_on": True},
        {"name": "asi", "match": {"tags": ["ASI0*"], "tenants": ["acme"]}, "receivers": ["asi"]},
        {"name": "rest", "receivers": ["chat"]},
    )

    def placed(**fields: object) -> list[tuple[str, tuple[str, ...]]]:
        return [(p.route.name, p.receivers) for p in known.place(threat(**fields), T0)]

    assert placed(severity="critical") == [("bad", ("pager", "chat"))]  # chat is not told a second time
    assert placed(severity="critical", tags=("ASI05",)) == [("bad", ("pager", "chat")), ("asi", ("asi",))]
    assert placed(severity="low", tags=("ASI05",), tenants=("other",)) == [("rest", ("chat",))]


@pytest.mark.parametrize(
    ("at", "night"),
    [
        ("2026-11-20T21:59:00+00:00", False),  # Friday, 22:59 in Berlin
        ("2026-11-20T22:00:00+00:00", True),
        ("2026-11-21T04:59:00+00:00", True),  # Saturday morning is still Friday's night
        ("2026-11-21T05:00:00+00:00", False),
        ("2026-11-21T22:30:00+00:00", False),  # Saturday's night is not named
    ],
)
def test_routes_by_time_of_day(at: str, night: bool) -> None:
    friday = {"name": "night", "days": ["fri"], "from": "23:00", "to": "06:00", "zone": "Europe/Berlin"}
    known = rules(
        {"name": "woken", "match": {"during": "night"}, "receivers": ["pager"]},
        {"name": "day", "match": {"outside": "night"}, "receivers": ["chat"]},
        times=[friday],
    )
    now = round(datetime.fromisoformat(at).timestamp() * 1000)
    assert [p.route.name for p in known.place(threat(), now)] == ["woken" if night else "day"]


def test_a_digest_is_told_once_in_a_while_and_names_all() -> None:
    clock = Clock(rules({"name": "low", "receivers": ["mail"], "digest": 3600}))
    for n in range(600):
        clock.take(threat(n, detector=f"d{n % 3}", severity="low"))
        clock.until(clock.second + 1)
    clock.take(incident(600, severity="low", count=4), incident(601, severity="low", count=7))
    assert clock.until(3700) == [(3600, "digest", "due")]
    assert clock.last is not None
    causes = {name: cause.count for name, cause in clock.last.group.causes.items()}
    assert causes == {"d0": 200, "d1": 200, "d2": 200, "inc-1": 7}
    assert len(clock.book) == 0


def test_a_silence_keeps_threats_out_and_holds_incidents_back_until_it_ends() -> None:
    silent = mute("s1", {"agent": ["a*"]}, T0, T0 + 100_000)
    clock = Clock(rules(), Quiet([silent]))
    clock.take(threat(agent="a1"), threat(agent="b1"), incident())
    assert clock.until(99) == [(10, "trigger", "opened")]
    assert clock.last is not None
    assert clock.last.group.agents == ["b1"]
    assert clock.book.counts["muted"] == 1
    assert [a for _, a, _ in clock.until(105)] == ["trigger"]
    assert clock.last.group.id == "inc-1"


def test_a_silence_of_one_agent_does_not_hide_another() -> None:
    silent = mute("s1", {"agent": ["a1"]}, T0, T0 + 100_000)
    clock = Clock(rules(), Quiet([silent]))
    clock.take(incident(agents=("a1", "a2")))
    assert clock.until(20) == [(10, "trigger", "opened")]


def test_an_incident_that_was_silent_all_its_life_is_told_to_nobody() -> None:
    clock = Clock(rules(), Quiet([mute("s1", {"subject": ["inc-1"]}, T0, T0 + 100_000)]))
    clock.take(incident())
    clock.until(20)
    clock.take(incident(20, status="resolved"))
    assert clock.until(200) == []
    assert len(clock.book) == 0


def test_windows_come_again_until_they_end() -> None:
    window = Mute("w", {}, T0, T0 + 3_600_000, every=86_400_000, until=T0 + 2 * 86_400_000)
    hours = [h for h in range(-1, 60) if window.on(T0 + h * 3_600_000)]
    assert hours == [0, 24]


INHIBIT = {
    "inhibit": [{"source": {"kinds": ["incident"]}, "target": {"kinds": ["threat"]}, "same": ["agent"]}]
}


def test_an_incident_keeps_its_agents_threats_from_being_told() -> None:
    clock = Clock(rules(**INHIBIT))
    clock.take(incident(), threat(agent="a1"), threat(agent="b1", detector="other"))
    told = clock.until(30)
    assert len(told) == 2
    clock.take(incident(30, status="resolved"))
    assert [a for _, a, _ in clock.until(40)] == [
        "resolve",
        "trigger",
    ]  # it is told after all, once nothing does


def test_a_group_that_was_held_back_for_as_long_as_it_lasted_ends_in_silence() -> None:
    clock = Clock(rules(**INHIBIT))
    clock.take(incident(), threat(agent="a1"))
    assert [a for _, a, _ in clock.until(2000)] == ["trigger"]
    assert len(clock.book) == 1  # the incident


def test_what_no_route_takes_is_counted() -> None:
    clock = Clock(rules({"name": "bad", "match": {"severity": "critical"}, "receivers": ["pager"]}))
    clock.take(threat())
    assert clock.until(20) == []
    assert clock.book.counts["unrouted"] == 1


def test_groups_are_bounded_and_what_is_beyond_is_one_group() -> None:
    clock = Clock(rules({"name": "all", "receivers": ["p"], "group_by": ["agent"]}), most=10)
    clock.take(*(threat(agent=f"a{n}") for n in range(500)))
    assert len(clock.book) == 11
    clock.until(20)
    assert len(clock.told) == 11
    last = [g for g in clock.book._groups.values() if g.count > 1]
    assert [g.count for g in last] == [490]


@pytest.mark.parametrize("seed", range(30))
def test_deaths_change_nothing_of_what_is_told(seed: int) -> None:
    """The same events with and without deaths: the same notifications, in the same seconds."""

    def run(deadly: bool) -> list[tuple[float, str, str]]:
        chance, fate = random.Random(seed), random.Random(seed + 1000)
        clock = Clock(rules({"name": "all", "receivers": ["p"], "repeat": 500, "quiet": 120}))
        for _ in range(300):
            clock.second += chance.choice((0.5, 3, 60))
            kind = chance.random()
            if kind < 0.7:
                detector, agent = f"d{chance.randrange(4)}", f"a{chance.randrange(30)}"
                clock.take(threat(clock.second, detector, agent))
            else:
                status = chance.choice(("open", "open", "acknowledged", "resolved"))
                severity = chance.choice(("low", "high", "critical"))
                name = f"inc-{chance.randrange(5)}"
                clock.take(incident(clock.second, name, status=status, severity=severity))
            clock.until(clock.second + 1)
            if deadly and fate.random() < 0.2:
                clock.die()
        return sorted(clock.told)

    assert run(deadly=True) == run(deadly=False)
