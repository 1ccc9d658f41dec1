"""The agents' cells of one partition: in memory, and as records of agent.state."""

import sys
from collections.abc import Iterator

from streams.progress import PROGRESS_KEY

Cells = dict[str, bytes]
Keyed = tuple[bytes | None, bytes | None]


def cell_key(agent: bytes, cell: str) -> bytes:
    """The key on agent.state of one cell of one agent."""
    return agent + b"\x00" + cell.encode()


def add_state_record(key: bytes, value: bytes | None, agents: dict[bytes, Cells]) -> None:
    """Fold one record of agent.state into an agent's cells; progress records are somebody else's."""
    if key == PROGRESS_KEY:
        return
    agent, _, cell = key.partition(b"\x00")
    if value is not None:
        agents.setdefault(agent, {})[sys.intern(cell.decode())] = value
    elif agent in agents:
        agents[agent].pop(cell.decode(), None)


def changed(agent: bytes, before: Cells, after: Cells) -> Iterator[Keyed]:
    """The records that make of an agent's cells what they are now; a tombstone for each that is gone."""
    for name, value in after.items():
        if before.get(name) != value:
            yield cell_key(agent, name), value
    if not before.keys() <= after.keys():
        for name in before:
            if name not in after:
                yield cell_key(agent, name), None
