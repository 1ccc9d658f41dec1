"""How a command is, asked over HTTP from a thread: the supervisor itself never waits for an answer."""

import http.client
import json
import threading
import time
from typing import Any

ANSWER_SECONDS = 3.0
EVERY_SECONDS = 1.0
EVERY_SECONDS_AT_START = 0.2


def ask(port: int, path: str) -> tuple[int, dict[str, Any]]:
    """Status and JSON body of a GET on 127.0.0.1; status 0 where nothing answers within 3 s."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return 0, {}
    finally:
        connection.close()
    return answer.status, body if isinstance(body, dict) else {}


def shown(body: dict[str, Any]) -> str:
    """The answer of /readyz in a few words."""
    checks = body.get("checks", {})
    partitions, lag = checks.get("partitions", {}), checks.get("lag", {})
    words = [str(body.get("status", "no answer"))]
    if failing := body.get("failing"):
        words[0] += f" ({', '.join(failing)})"
    if partitions:
        words.append(f"{partitions.get('taken_over')} of {partitions.get('owned')} partitions")
    if lag:
        words.append(f"lag {lag.get('records')}")
    stopped = partitions.get("stopped", {})
    words += [f"partition {number} stopped: {reason}" for number, reason in stopped.items()]
    return " · ".join(words)


def is_settled(status: int, body: dict[str, Any]) -> bool:
    """Whether a start has come to its end: ready, or all but partitions that a person must see to."""
    partitions = body.get("checks", {}).get("partitions", {})
    waits_for_a_person = (
        body.get("failing") == ["partitions"] and partitions.get("joined") and not partitions["taking_over"]
    )
    return status == 200 or bool(waits_for_a_person)


class Probe:
    """Asks /livez and /readyz of a port for ever. Read from any thread.

    Attributes:
        well_at: the monotonic second of the last /livez that was well; 0 before the first.
        problem: why the last was not; "" if it was. No answer at all does not hide what was said before.
        patience: seconds for which /livez may fail.
        settled: whether the last /readyz said that the start is over.
        ready: the last /readyz in words.
    """

    def __init__(self, port: int, patience: float) -> None:
        self.port = port
        self.patience = patience
        self.well_at = 0.0
        self.problem = ""
        self.settled = False
        self.ready = ""
        threading.Thread(target=self._go_on, name=f"probe-{port}", daemon=True).start()

    def _go_on(self) -> None:
        while True:
            asked = time.monotonic()
            status, body = ask(self.port, "/livez")
            if status == 200:
                self.well_at, self.problem = asked, ""
            else:
                self.problem = "; ".join(body.get("problems", ())) or self.problem or "no answer"
            status, body = ask(self.port, "/readyz") if status else (0, {})
            self.settled = is_settled(status, body)
            self.ready = shown(body)
            time.sleep(EVERY_SECONDS if self.settled else EVERY_SECONDS_AT_START)
