"""An action that was judged, as ClickHouse has it."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from runtime.errors import PraetorError
from runtime.settings import Settings
from schemas.catalogue import newest, schema
from schemas.codec import Record, encode_body
from sinks.connection import connect, errors_of
from sinks.rows import read_records
from sinks.tables import DECISIONS

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Recorded(NamedTuple):
    """A decision as it was recorded.

    Attributes:
        record: all its fields.
        others: how many more decisions there are of the same event id.
    """

    record: Record
    others: int

    @property
    def fields(self) -> dict[str, Any]:
        """The action's own."""
        return {f["name"]: self.record[f["name"]] for f in newest("action_event").definition["fields"]}

    @property
    def received_at(self) -> int:
        """In milliseconds."""
        return int(self.record["received_at"])

    def lines(self, digest: str) -> Iterator[str]:
        """What was decided then, and in what today's explanation may differ."""
        reason = self.record["reasons"][0] if self.record["reasons"] else None
        by = f" by {reason['policy']}/{reason['rule']}: {reason['message']}" if reason else ""
        yield f"recorded: {self.record['effect']}{by}"
        yield (
            f"  log {self.record['log_id']}, partition {self.record['partition']}, seq {self.record['seq']},"
            f" leaf {self.record['leaf'].hex()}"
        )
        if self.record["bundle"] != digest:
            yield f"  under {self.record['bundle']}; what follows is by {digest}"
        yield "  what follows knows nothing of the agent's past; say it with --agent-state and --after, or"
        yield f"  praetor policy rejudge --partition {self.record['partition']} --seq {self.record['seq']}"
        if self.others:
            yield f"  {self.others} more decisions have this event id; this is the newest"

    def as_json(self) -> dict[str, Any]:
        """What was decided, where it stands, and the record's very bytes, as hex, if no text was erased."""
        names = ("effect", "reasons", "severity", "bundle", "control_offset", "engine", "log_id", "partition")
        found = {name: self.record[name] for name in (*names, "source_offset", "seq", "received_at")}
        whole = encode_body(schema(self.record["schema"]), self.record)
        return found | {"leaf": self.record["leaf"].hex(), "others": self.others, "bytes": whole.hex()}


def read_recorded(settings: Settings, event_id: str) -> Recorded:
    """The newest decision of an event id.

    Raises:
        PraetorError: it is no id, there is none, or ClickHouse refuses.
        Unavailable: ClickHouse does not answer.
    """
    if not _UUID.fullmatch(event_id):
        raise PraetorError(f"--event-id {event_id[:80]!r} is no UUID; it stands in the column event_id")
    with errors_of(settings):
        client = connect(settings)
        try:
            tail = "WHERE stored.event_id = {event:UUID} ORDER BY stored.received_at DESC, stored.seq DESC"
            found = list(read_records(client, DECISIONS, f"{tail} LIMIT 100", {"event": event_id.lower()}))
        finally:
            client.close()
    if not found:
        raise PraetorError(
            f"no decision of event {event_id} in ClickHouse: not archived yet, or past its keeping"
        )
    return Recorded(found[0], len(found) - 1)
