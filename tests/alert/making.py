"""Signals and routes as tests of grouping need them."""

from typing import Any

from consumers.alert.book import Book, Telling
from consumers.alert.document import AlertingDocument
from consumers.alert.group import from_json, to_json
from consumers.alert.quiet import Quiet
from consumers.alert.rules import Rules
from consumers.alert.signal import Cause, Signal

T0 = 1_780_000_000_000
NOTHING = Quiet()


def rules(*routes: dict[str, Any], **more: Any) -> Rules:
    written = routes or ({"name": "all", "receivers": ["pager"]},)
    document = {
        "apiVersion": "praetor/v1",
        "kind": "Alerting",
        "metadata": {"name": "test"},
        "routes": list(written),
        **more,
    }
    return Rules(AlertingDocument.model_validate(document))


def threat(at: float = 0, detector: str = "burst", agent: str = "a1", **fields: Any) -> Signal:
    severity = fields.pop("severity", "high")
    known: dict[str, Any] = {
        "kind": "threat",
        "at": T0 + round(at * 1000),
        "severity": severity,
        "title": "Burst of denied actions",
        "causes": (Cause(detector, "Burst of denied actions", severity, 1),),
        "tenants": ("acme",),
        "agents": (agent,),
        "sessions": (f"s-{agent}",),
        "evidence": (f"e-{at}",),
        "text": "5 actions were denied",
        "first_at": T0 + round(at * 1000),
    }
    return Signal(**(known | fields))


def incident(at: float = 0, name: str = "inc-1", **fields: Any) -> Signal:
    known: dict[str, Any] = {
        "kind": "incident",
        "at": T0 + round(at * 1000),
        "severity": "high",
        "title": "Alice's agents leak keys",
        "causes": (Cause("secrets", "A key went out", "high", 2),),
        "tenants": ("acme",),
        "agents": ("a1",),
        "subject": name,
        "text": "2 agents raised 2 threats",
        "first_at": T0,
        "count": 2,
        "change": "opened",
    }
    return Signal(**(known | fields))


class Clock:
    """A book, and the time: everything that is told, by the second."""

    def __init__(self, of: Rules, quiet: Quiet = NOTHING, most: int = 10_000) -> None:
        self.book = Book(of, most=most)
        self.quiet = quiet
        self.second = 0.0
        self.told: list[tuple[float, str, str]] = []
        self.last: Telling | None = None
        self._rules = of
        self._written: dict[str, str] = {}

    @property
    def now(self) -> int:
        return T0 + round(self.second * 1000)

    def take(self, *signals: Signal) -> None:
        for signal in signals:
            self.book.take(signal, self.now, self.quiet)
        self.write()

    def until(self, second: float, step: float = 1.0) -> list[tuple[float, str, str]]:
        """Let time pass; what was told meanwhile."""
        before = len(self.told)
        while self.second < second:
            self.second = min(second, self.second + step)
            for telling in self.book.due(self.now, self.quiet):
                self.last = telling
                self.told.append((self.second, telling.step.action, telling.step.reason))
            self.write()
        return self.told[before:]

    def write(self) -> None:
        for key, group in self.book.changes().items():
            if group is None:
                self._written.pop(key, None)
            else:
                self._written[key] = to_json(group)

    def die(self) -> None:
        """Another process goes on with what was written down."""
        self.book = Book(self._rules, [from_json(text) for text in self._written.values()])
