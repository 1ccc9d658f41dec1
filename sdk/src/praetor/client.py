"""The client of ordinary code, and what both clients are. Both send from a thread of their own."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from praetor.identity import begin
from praetor.lifecycle import OPEN
from praetor.options import Options
from praetor.recorder import Recorder
from praetor.report import Report
from praetor.target import kafka_target

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from praetor.fields import Fields, Settings

CLOSE_SECONDS = 30.0


class Client:
    """What both clients are. Threads may share one; a forked child goes on with an epoch of its own.

    Args:
        bootstrap: Kafka's `host:port[,host:port]`; default: the variable PRAETOR_BOOTSTRAP.
        tenant: who the agents work for.
        agent_id: the agent of every event that does not say its own.
        settings: see `praetor.options.Options`.

    Raises:
        TransportMissing: the Kafka client is not installed.
        PraetorError: a setting is not usable. Nothing is contacted: an absent broker is no error here.
    """

    def __init__(
        self,
        bootstrap: str | None = None,
        *,
        tenant: str,
        agent_id: str,
        **settings: Unpack[Settings],
    ) -> None:
        options = Options(**settings)
        target, failures = kafka_target(bootstrap, options, f"praetor-sdk-{options.producer_id or agent_id}")
        who = begin(options.producer_id, options.state_dir)
        self._recorder = Recorder(target, failures, tenant, agent_id, options, who)
        OPEN.add(self)

    @property
    def producer_id(self) -> str:
        """Who numbers this client's events."""
        return self._recorder.who.producer_id

    @property
    def epoch(self) -> int:
        """The epoch of their numbers."""
        return self._recorder.who.epoch

    @property
    def report(self) -> Report:
        """As it stands now; after `close`, as it ended."""
        return self._recorder.report()

    @property
    def recorder(self) -> Recorder:
        """What does the work; for this library's own use."""
        return self._recorder

    def end(self, timeout: float | None = None) -> Report:
        """Close, blocking; without a timeout, `exit_timeout` seconds are given."""
        try:
            return self._recorder.close(self._recorder.options.exit_timeout if timeout is None else timeout)
        finally:
            OPEN.discard(self)

    def after_fork(self) -> Any:
        """Begin anew in a child; returns the parent's part, which must not be destroyed in the child."""
        parent, self._recorder = self._recorder, self._recorder.forked()
        return parent


class Praetor(Client):
    """Tells Praetor what agents do, from ordinary code.

    `with Praetor(...) as praetor:` closes it. What `action` returned for is kept until it is acknowledged or
    reported; only what the report calls acknowledged survives the process's death.
    """

    def action(
        self,
        action: str,
        resource: str = "",
        phase: str = "call",
        *,
        arguments: Any = None,
        content: Any = None,
        parent: str | None = None,
        **fields: Unpack[Fields],
    ) -> str:
        """Take one event; returns its id before it is sent.

        Args:
            action: `verb:object`, such as `read:file`.
            resource: what it is done to.
            phase: prompt, call, result, definition, approval or outcome.
            arguments: of a call: JSON text, or anything that becomes JSON; redacted and cut.
            content: prompt text, or what the call returned; redacted and cut.
            parent: the id of the event that led to this one; a result's is its call.
            fields: other fields of an event, by their names in the schema.

        Raises:
            BufferFull: no room, at once or after `full_timeout`; nothing was taken.
            Closed: the client is closed.
            ValueError, TypeError: a field does not fit; nothing was taken.
        """
        event = self._recorder.build(given(action, resource, phase, arguments, content, parent, fields))
        self._recorder.put(event, self._recorder.options.wait)
        return event.event_id

    def flush(self, timeout: float | None = CLOSE_SECONDS) -> Report:
        """Wait until everything taken is acknowledged, at most so many seconds; None: for ever."""
        return self._recorder.flush(timeout)

    def close(self, timeout: float | None = CLOSE_SECONDS) -> Report:
        """Close the epoch, send what is left for at most so many seconds, and report."""
        return self.end(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def given(
    action: str, resource: str, phase: str, arguments: Any, content: Any, parent: Any, fields: Any
) -> dict[str, Any]:
    """The fields of an event as they were said."""
    fields["action"] = action
    fields["resource"] = resource
    fields["phase"] = phase
    if arguments is not None:
        fields["arguments"] = arguments
    if content is not None:
        fields["content"] = content
    if parent is not None:
        fields["parent_event_id"] = parent
    return fields  # type: ignore[no-any-return]
