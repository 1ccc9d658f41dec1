"""A correlation's window for one agent: a log of entries in pages, each a cell; bounded.

An event adds an entry to the newest page, so that one cell is written. When that is full, entries that no
window can reach any more are given up, and those that can change no answer any more (`pruning`), if that
frees half of the pages; else a page is opened. At the bound they are given up in any case; where that frees
no page, the oldest page is lost, and the window remembers up to which time: whoever asks it about a time
before that must say that it cannot know.
"""

from collections.abc import Callable, Mapping, Sequence

from detections.sigma.correlation.entries import NEVER, ROOM, Entry, Page, new_page, paged, read_page

MOST_PAGES = 64
"""64 KB and 1,792 entries (1,472 with values) a correlation and agent."""

Prune = Callable[[list[Entry]], list[Entry]]


class Window:
    """The window as it stands, and what changes of it.

    Attributes:
        lost_at: the newest time of an entry that was lost at the bound.
        changes: cells by name, as a detector returns them.
    """

    def __init__(self, names: Sequence[str], form: int, cells: Mapping[str, bytes]) -> None:
        """Read it.

        Raises:
            ValueError: a cell is no page of this form.
        """
        self._names = names
        self._form = form
        self._pages = [read_page(cell, form) for name in names if (cell := cells.get(name))]
        self._pages.sort()
        self.lost_at = self._pages[-1].lost_at if self._pages else NEVER
        self.changes: dict[str, bytes] = {}

    def entries(self, group: bytes, after: int) -> list[Entry]:
        """A group's entries younger than a time, in the order in which they came."""
        return [e for page in self._pages for e in page.of(group) if e.at > after]

    def append(self, entry: Entry, horizon: int, prune: Prune) -> None:
        """Add an entry.

        Args:
            entry: what to add.
            horizon: entries of this time and before count in no window any more.
            prune: leaves those that can still change an answer, in their order.
        """
        if self._pages and self._pages[-1].full:
            self._make_room(horizon, prune)
        if not self._pages or self._pages[-1].full:
            number = self._pages[-1].number + 1 if self._pages else 0
            self._pages.append(new_page(number, self.lost_at, self._form))
        self._pages[-1] = self._pages[-1].with_entries([entry])
        self._write(self._pages[-1])

    def _make_room(self, horizon: int, prune: Prune) -> None:
        before = len(self._pages)
        kept = prune([e for page in self._pages for e in page.entries() if e.at > horizon])
        needed = -(-len(kept) // ROOM[self._form])
        if needed <= before // 2 or needed < before == MOST_PAGES:
            number = self._pages[-1].number + 1
            while self._pages:
                self._drop()
            self._pages = list(paged(kept, number, self.lost_at, self._form))
            for page in self._pages:
                self._write(page)
        elif before == MOST_PAGES:
            self.lost_at = max(self.lost_at, max(e.at for e in self._pages[0].entries()))
            self._drop()

    def _drop(self) -> None:
        self.changes[self._name(self._pages.pop(0))] = b""

    def _write(self, page: Page) -> None:
        self.changes[self._name(page)] = page.cell

    def _name(self, page: Page) -> str:
        return self._names[page.number % MOST_PAGES]
