"""The core that both clients share: events in, acknowledgements counted, an epoch closed and reported."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from praetor import identity
from praetor.buffer import Agent, Buffer
from praetor.options import Options
from praetor.record import Encoded, Recording
from praetor.report import Report
from praetor.sender import Sender
from praetor.spool import spool
from praetor.texts import choose_redaction
from praetor.worker import Worker

log = logging.getLogger("praetor")


class Recorder:
    """One producer's epoch: what it was asked, what arrived.

    Args:
        target: a `praetor.kafka.Kafka`, or anything with its `connect`.
        failures: what connecting and sending may raise.
        tenant: of all events.
        agent_id: of events that do not say their own.
        options: see `Options`.
        who: the producer's name and epoch.
    """

    def __init__(
        self,
        target: Any,
        failures: tuple[type[BaseException], ...],
        tenant: str,
        agent_id: str,
        options: Options,
        who: identity.Identity,
    ) -> None:
        self._again = partial(Recorder, target, failures, tenant, agent_id, options)
        self.who = who
        self.options = options
        self._buffer = buffer = Buffer(tenant, options.max_events, options.max_bytes)
        self._worker = Worker(partial(Sender, buffer, target.connect, failures, options.linger))
        self._recording = Recording(
            {
                "tenant": tenant,
                "agent_id": agent_id,
                "session_id": options.session_id,
                "mode": options.mode,
                "phase": "call",
                "producer_id": who.producer_id,
                "producer_epoch": who.epoch,
                "labels": dict(options.labels),
            },
            choose_redaction(options.redact),
            {"arguments": options.arguments_limit, "content": options.content_limit},
        )
        self._report: Report | None = None

    def forked(self) -> Recorder:
        """A child process's: nothing of its parent's is its own."""
        return self._again(identity.fork(self.who))

    def build(self, fields: dict[str, Any]) -> Encoded:
        """Encode an event; see `Recording.build`."""
        return self._recording.build(fields)

    def put(self, event: Encoded, wait: float) -> None:
        """Number an event and queue it.

        Raises:
            BufferFull: no room within `wait` seconds.
            Closed: the client is closed.
        """
        if not self._worker.started:
            self._worker.start()
        self._buffer.put(event.agent_id, event.head, event.tail, wait)

    def refuse(self, agent_id: str | None = None) -> int:
        """Count an event that was given up; its agent's closing event tells of it (`praetor.refused`)."""
        return self._buffer.refuse(agent_id or self._recording.agent_id)

    def flush(self, timeout: float | None) -> Report:
        """Wait until what was taken before is acknowledged, or so many seconds have passed."""
        self._buffer.drained(timeout)
        return self.report()

    def report(self) -> Report:
        """As it stands now; after `close`, as it ended."""
        if self._report is not None:
            return self._report
        agents = self._buffer.reports()
        sender = self._worker.sender
        return Report(
            producer_id=self.who.producer_id,
            epoch=self.who.epoch,
            acknowledged=sum(a.acknowledged for a in agents.values()),
            unsent=sum(a.unsent for a in agents.values()),
            uncertain=sender.uncertain if sender is not None else 0,
            refused=sum(a.refused for a in agents.values()),
            rejected=len(sender.rejected) if sender is not None else 0,
            agents=agents,
            error=(sender.error or sender.refusal) if sender is not None else None,
        )

    def close(self, timeout: float | None) -> Report:
        """End the epoch: closing events, a flush, the report. What is unsent then goes to the spool."""
        if not self._buffer.close(self._last):
            return self.report()
        self._buffer.drained(timeout)
        self._worker.stop()
        self._report = self._with_spool(self.report())
        if not self._report.complete:
            log.error("praetor: producer %s, epoch %s: %s", *self.who, self._report)
        return self._report

    def _last(self, agent: Agent) -> tuple[bytes, bytes]:
        refused = {"praetor.refused": str(agent.refused)} if agent.refused else {}
        event = self._recording.build(
            {
                "agent_id": agent.name,
                "action": "close:producer",
                "phase": "outcome",
                "resource": self.who.producer_id,
                "labels": refused,
            }
        )
        return event.head, event.tail

    def _with_spool(self, report: Report) -> Report:
        sender = self._worker.sender
        left = sender.remaining() if sender is not None else self._buffer.take(None)
        if not left or self.options.spool is None:
            return report
        path = Path(self.options.spool)
        try:
            spool(path, (event.value for event in left))
        except OSError as error:
            log.error("praetor: %d unsent events could not be written to %s: %s", len(left), path, error)
            return report
        return replace(report, spool=str(path))
