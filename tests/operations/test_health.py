"""What a process says of its health, asked over HTTP."""

import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from runtime.endpoint import endpoint
from runtime.errors import PraetorError
from runtime.health import Check, Confirmed, Health, Watch
from tests.operations.probing import listening


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def asked(port: int, path: str) -> tuple[int, Any]:
    status, body = get(port, path)
    return status, json.loads(body)


@pytest.fixture
def health():
    return Health(stuck_seconds=0.2)


@pytest.fixture
def port(health: Health):
    with endpoint(health, "127.0.0.1", free()) as served:
        yield served


def free() -> int:
    with listening() as server:
        return int(server.getsockname()[1])


def test_a_loop_that_stands_still_is_seen(health: Health, port: int) -> None:
    health.beat()
    assert asked(port, "/livez")[0] == 200
    time.sleep(0.3)
    status, body = asked(port, "/livez")
    assert (status, body["status"]) == (503, "stuck")
    assert "event loop stands still" in body["problems"][0]
    health.beat()
    assert asked(port, "/livez")[0] == 200


def test_work_that_does_not_get_on_is_seen_but_waiting_for_others_is_not_its_fault(health: Health) -> None:
    now = 0.0
    watch = Watch(lambda: now)
    health.watches["partition 3"] = watch
    watch.does("writing a transaction", within=30)
    now = 31.0
    assert health.live()[1]["problems"] == ["partition 3: writing a transaction for 31 s"]
    watch.does("inserting", within=None)
    now = 10_000.0
    well, body = health.live()
    assert well
    assert body["doing"] == {"partition 3": "inserting"}


def test_readiness_asks_every_check_and_says_which_fails(health: Health, port: int) -> None:
    assert asked(port, "/readyz") == (503, {"status": "starting", "failing": [], "checks": {}})
    broker = Confirmed(within=0.2)
    health.check("broker", broker.check)
    health.check("lag", lambda: Check(True, {"records": 7}))
    assert asked(port, "/readyz")[1]["checks"]["broker"]["age_seconds"] is None
    broker.now()
    status, body = asked(port, "/readyz")
    assert (status, body["failing"], body["checks"]["lag"]) == (200, [], {"ok": True, "records": 7})
    time.sleep(0.3)
    status, body = asked(port, "/readyz")
    assert (status, body["failing"]) == (503, ["broker"])


def test_metrics_are_served_and_what_is_not_there_is_404(port: int) -> None:
    status, body = get(port, "/metrics")
    assert status == 200
    assert "# HELP praetor_lag_records Records on the broker" in body
    assert "process_resident_memory_bytes" in body
    assert get(port, "/")[0] == 404


def test_a_port_in_use_is_one_clear_message() -> None:
    with listening() as server:
        taken = server.getsockname()[1]
        with pytest.raises(PraetorError, match=rf"127.0.0.1:{taken}: Address already in use.*METRICS_PORT"):
            with endpoint(Health(), "127.0.0.1", taken):
                pass
    with pytest.raises(PraetorError, match=r"192\.0\.2\.1:1: .*PRAETOR_METRICS_HOST"):
        with endpoint(Health(), "192.0.2.1", 1):
            pass


def test_port_0_serves_nothing_and_the_thread_ends_with_the_block(port: int) -> None:
    before = threading.active_count()
    with endpoint(Health(), "127.0.0.1", 0) as none, endpoint(Health(), "127.0.0.1", free()):
        assert none == 0
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
