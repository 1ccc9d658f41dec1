"""What the rules have looked at in one action: each field is read, folded and encoded once, when asked."""

from detections.sigma.fields import KEYWORDS, NOTHING, Reader, Scalar, keyword_texts, text_of
from schemas.action import Action
from schemas.arguments import Unreadable

MOST_SEARCHED = 32 << 20
"""Characters of long texts that the rules may search in one action, all together; an expression counts four
times. What an action of 1 MiB may cost stays below a second with any rules; what is beyond is an error."""
LONG = 4096
"""Characters from which a text counts."""

Texts = tuple[str, ...]


class Seen:
    """One action, as far as it was looked at.

    Attributes:
        action: the action.
        unread: the fields whose values could not be read, or not all of them.
        why: for people: why not; empty where all could be.
        cut: whether more was to be searched than may be.
    """

    __slots__ = ("_encoded", "_folded", "_left", "_texts", "_values", "action", "cut", "unread", "why")

    def __init__(self, action: Action) -> None:
        """Begin to look at an action."""
        self.action = action
        self.unread: set[str] = set()
        self.why = ""
        self.cut = False
        self._left = MOST_SEARCHED
        self._values: dict[str, tuple[Scalar, ...]] = {}
        self._texts: dict[str, Texts] = {}
        self._folded: dict[str, Texts] = {}
        self._encoded: dict[str, tuple[bytes, ...]] = {}

    def values(self, field: str, read: Reader) -> tuple[Scalar, ...]:
        """A field's values; those that can be read, if some cannot (see `unread`)."""
        found = self._values.get(field)
        if found is None:
            try:
                found = read(self.action)
            except Unreadable as error:
                self.unread.add(field)
                self.why = str(error)
                found = keyword_texts(self.action) if field == KEYWORDS else NOTHING
            self._values[field] = found
        return found

    def texts(self, field: str, read: Reader) -> Texts:
        """The texts of a field's values."""
        found = self._texts.get(field)
        if found is None:
            values = self.values(field, read)
            if len(values) == 1 and isinstance(values[0], str):
                found = (values[0],)
            else:
                found = tuple([text for value in values if (text := text_of(value)) is not None])
            self._texts[field] = found
        return found

    def folded(self, field: str, read: Reader) -> Texts:
        """The same, folded."""
        found = self._folded.get(field)
        if found is None:
            found = self._folded[field] = tuple([text.casefold() for text in self.texts(field, read)])
        return found

    def encoded(self, field: str, read: Reader) -> tuple[bytes, ...]:
        """The texts of a field's values as UTF-8."""
        found = self._encoded.get(field)
        if found is None:
            found = self._encoded[field] = tuple([text.encode() for text in self.texts(field, read)])
        return found

    def may_search(self, size: int, times: int) -> bool:
        """Whether a long text of this size may be searched so many times more; it counts, if so."""
        if self._left < size * times:
            self.cut = True
            return False
        self._left -= size * times
        return True
