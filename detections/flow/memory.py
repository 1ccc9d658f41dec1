"""The directives and requests that flow remembers of an agent, changed in place and written back."""

from zlib import crc32

from detections.detector import Cells
from detections.flow.asked import Asked
from detections.flow.cells import (
    ASKED_CELLS,
    PER_CELL,
    TOLD_CELLS,
    Session,
    Told,
    read_asked,
    read_told,
    write_asked,
    write_told,
)

NOT_ASKED = Asked(0, False, frozenset(), frozenset())


def session_sum(session_id: str | None) -> int:
    """A session's checksum; 0 for none."""
    return crc32(session_id.encode()) if session_id else 0


def asked_of(cells: Cells, session: int) -> Asked | None:
    """What was asked in a session; None where that is not known.

    Raises:
        ValueError, struct.error: a cell is none of ours.
    """
    for name in ASKED_CELLS:
        cell = cells.get(name)
        if cell and int.from_bytes(cell[1:5], "little") == session:
            return read_asked(cell).asked
    return None


def remember_asked(cells: Cells, session: int, at: int, asked: Asked) -> dict[str, bytes]:
    """The cell that changes when more is asked in a session.

    Raises:
        ValueError, struct.error: a cell is none of ours.
    """
    place, oldest = ASKED_CELLS[0], None
    for name in ASKED_CELLS:
        cell = cells.get(name)
        if not cell:
            if oldest != -1:
                place, oldest = name, -1
            continue
        known = read_asked(cell)
        if known.session == session:
            return {name: write_asked(Session(session, at, _both(known.asked, asked)))}
        if oldest is None or known.at < oldest:
            place, oldest = name, known.at
    return {place: write_asked(Session(session, at, asked))}


def _both(one: Asked, other: Asked) -> Asked:
    return Asked(
        one.doings | other.doings,
        one.delegates or other.delegates,
        one.words | other.words,
        one.values | other.values,
    )


class Memory:
    """All directives that are remembered, each in its place."""

    def __init__(self, cells: Cells) -> None:
        """Read the cells.

        Raises:
            ValueError, struct.error: a cell is none of ours.
        """
        self.places: list[Told | None] = []
        for name in TOLD_CELLS:
            cell = cells.get(name)
            told = read_told(cell) if cell else ()
            self.places += [*told, *(None for _ in range(PER_CELL - len(told)))]
        self._changed: set[int] = set()

    def of(self, session: int) -> list[tuple[int, Told]]:
        """The directives read in a session, with their places."""
        return [(i, told) for i, told in enumerate(self.places) if told and told.session == session]

    def put(self, place: int, told: Told) -> None:
        """Change one."""
        self.places[place] = told
        self._changed.add(place // PER_CELL)

    def add(self, told: Told) -> None:
        """Remember one more: in a free place, or in that of one of another session, or of the weakest."""
        free = -1
        worst, worst_rank = -1, (1, told.held.strength)
        for i, other in enumerate(self.places):
            if other is None:
                if free < 0:
                    free = i
                continue
            if other.session == told.session and _is_same(other, told):
                return
            rank = (int(other.session == told.session), other.held.strength)
            if rank < worst_rank:
                worst, worst_rank = i, rank
        place = free if free >= 0 else worst
        if place >= 0:
            self.put(place, told)

    def changes(self) -> dict[str, bytes]:
        """The cells that changed."""
        return {
            TOLD_CELLS[i]: write_told(t for t in self.places[i * PER_CELL : (i + 1) * PER_CELL] if t)
            for i in sorted(self._changed)
        }


def _is_same(one: Told, other: Told) -> bool:
    return one.held.words == other.held.words and one.held.doings == other.held.doings
