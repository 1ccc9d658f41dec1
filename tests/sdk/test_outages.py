"""The broker goes away and comes back: nothing is lost, nothing doubled, the numbers stay in order."""

import threading
import time
from itertools import count

import pytest
from praetor import Praetor

from tests.sdk.helpers import Outage, whole

AGENTS = 5


class Talking:
    """A thread that has agents act, some 500 times a second, until it is told to stop."""

    def __init__(self, client: Praetor) -> None:
        self.taken = 0
        self._client = client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        for i in count():
            if self._stop.is_set():
                return
            self._client.action("read:file", str(i), agent_id=f"a{i % AGENTS}", content="x" * 200)
            self.taken += 1
            time.sleep(0.002)

    def __enter__(self) -> "Talking":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def go_on(self, more: int) -> None:
        wanted = self.taken + more
        while self.taken < wanted:
            assert self._thread.is_alive()
            time.sleep(0.01)


def survives(outage: Outage, begin: str, seconds: float, request_timeout: float = 1.0) -> None:
    with outage.client(request_timeout=request_timeout) as client:
        with Talking(client) as talking:
            talking.go_on(200)
            getattr(outage, begin)()
            time.sleep(seconds)
            talking.go_on(200)
            assert client.report.unsent > 0
            outage.end()
            talking.go_on(200)
        client.close(90)
    report = client.report
    assert report.complete and report.acknowledged == talking.taken + AGENTS, report
    assert report.error is None
    found = outage.read()
    for (_, agent), events in found.items():
        whole(events, report.agents[agent].acknowledged - 1)
    assert sum(map(len, found.values())) == report.acknowledged


@pytest.mark.parametrize("begin", ["freeze", "kill"])
def test_broker_away_longer_than_a_requests_timeout(outage: Outage, begin: str):
    survives(outage, begin, 4)


@pytest.mark.chaos
@pytest.mark.parametrize("begin", ["freeze", "kill"])
def test_broker_away_for_60_s(outage: Outage, begin: str):
    survives(outage, begin, 60, request_timeout=10.0)


def test_broker_away_at_the_start(outage: Outage):
    outage.freeze()
    with outage.client(request_timeout=1.0) as client:
        client.action("read:file")
        assert client.flush(2.0).unsent == 1
        outage.end()
    (events,) = outage.read().values()
    whole(events, 1)


def test_a_topic_that_comes_later_is_found(outage: Outage):
    later = Outage(outage.broker)
    with later.client(request_timeout=1.0) as client:
        client.action("read:file")
        report = client.flush(2.0)
        assert report.unsent == 1
        assert report.error is not None and f"no topic {later.name}: create it" in report.error
        later.create()
    assert client.report.complete, client.report
    (events,) = later.read().values()
    whole(events, 1)
