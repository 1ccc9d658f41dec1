"""What a client may be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

from praetor.encoding import SYMBOLS
from praetor.errors import PraetorError
from praetor.security import Security
from praetor.texts import Redaction, Redactor

ON_FULL = ("block", "raise")
Redact = Union[Redaction, Redactor, Iterable[Union[str, Redactor]], None]


@dataclass(frozen=True)
class Options:
    """The settings of a client; see docs/sdk.md for what they promise.

    Attributes:
        producer_id: who numbers the events; one running process each. None: made anew at each start.
        session_id: of every event that does not say its own.
        labels: of every event; an event's own are added.
        mode: `observe` or `enforce`, of every event that does not say its own.
        state_dir: where the epoch is kept.
        spool: file that unsent events are appended to at the end; `python -m praetor resend` sends them.
        max_events: that may be under way.
        max_bytes: of them.
        on_full: `block` (up to `full_timeout`) or `raise`.
        full_timeout: seconds that a call waits for room.
        exit_timeout: seconds that a client that was not closed sends on at the process's exit.
        linger: seconds that events are gathered before they are sent.
        content_limit: bytes of content; longer content is cut, and bound by its digest.
        arguments_limit: the same for arguments.
        redact: key names and functions beside the default ones, or a `Redaction` of your own.
        topic: of the actions.
        security: TLS and login; None: from the environment.
        request_timeout: seconds after which Kafka is asked again.
        kafka: more options of aiokafka's producer.
    """

    producer_id: str | None = None
    session_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    mode: str = "observe"
    state_dir: str | Path | None = None
    spool: str | Path | None = None
    max_events: int = 100_000
    max_bytes: int = 64 << 20
    on_full: str = "block"
    full_timeout: float = 10.0
    exit_timeout: float = 10.0
    linger: float = 0.005
    content_limit: int = 64 << 10
    arguments_limit: int = 64 << 10
    redact: Redact = None
    topic: str = "agent.actions"
    security: Security | None = None
    request_timeout: float = 10.0
    kafka: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.on_full not in ON_FULL:
            raise PraetorError(f"on_full is {self.on_full!r}; it must be one of {', '.join(ON_FULL)}")
        if self.mode not in SYMBOLS["mode"]:
            raise PraetorError(f"mode is {self.mode!r}; it must be one of {', '.join(SYMBOLS['mode'])}")
        if self.max_events < 1 or self.max_bytes < 1:
            raise PraetorError(
                f"a buffer of {self.max_events} events and {self.max_bytes} bytes holds nothing"
            )

    @property
    def wait(self) -> float:
        """Seconds that a call waits for room."""
        return self.full_timeout if self.on_full == "block" else 0.0
