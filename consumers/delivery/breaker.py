"""The circuit breaker of one destination: after failures in a row one event alone tries the way.

Source: M. Nygard, "Release It!", 2nd edition, "Circuit Breaker". Ours never gives up what is to be sent:
while it is open nothing is sent, and what waits stands in Kafka.
"""

from enum import IntEnum

from runtime import metrics

FAILURES = 5


class State(IntEnum):
    """What is sent: everything, one event to try, nothing."""

    closed = 0
    half_open = 1
    open = 2


class Breaker:
    """Counts failures in a row of one destination; its state is a metric."""

    def __init__(self, name: str, failures: int = FAILURES) -> None:
        """Take the destination's name, and after how many failures in a row it opens."""
        self.state = State.closed
        self.failures = 0
        self._name = name
        self._most = failures
        self._set(State.closed)

    def failed(self) -> None:
        """Something was sent, and not taken."""
        self.failures += 1
        if self.failures >= self._most:
            self._set(State.open)

    def waited(self) -> None:
        """The pause is over: where it was open, one event may try."""
        if self.state is State.open:
            self._set(State.half_open)

    def took(self) -> None:
        """Something was taken."""
        self.failures = 0
        if self.state is not State.closed:
            self._set(State.closed)

    def _set(self, state: State) -> None:
        self.state = state
        metrics.DELIVERY_BREAKER.labels(self._name).set(state)
