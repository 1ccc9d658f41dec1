"""Reads actions with no more of their decisions than judging them again asks for: half the work. Pure."""

from judgement.recorded import MEMO_LIMIT, MISROUTED, Made, Recorded, as_written, moment, text
from runtime.errors import Malformed
from schemas.action import leading_action
from schemas.lazy import Odd, long_at
from schemas.verdict import Effect

LEAN = ("received_at", "seq", "partition", "control_offset", "schema", "misrouted", "erased", "bundle")
"""What follows the action in a lean record: numbers (the two flags as 0 and 1), then the bundle's digest."""


class LeanReader:
    """Reads actions with no more of their decisions than judging them again asks for."""

    def __init__(self) -> None:
        """Begin without anything known."""
        self._known: dict[bytes, tuple[Made, int, int, bool]] = {}

    def read(self, schema_id: int, body: bytes) -> Recorded:
        """Read an action, laid out as decisions of a schema have it, and `LEAN` behind it.

        Of `Made`, the verdict, its effect, engine and modification are not known.

        Raises:
            Malformed: these are not such bytes.
        """
        action, at = leading_action(schema_id, body)
        try:
            action.received_at, at = moment(body, at)
            seq, at = long_at(body, at)
            rest = body[at:]
            known = self._known.get(rest)
            if known is None:
                if len(self._known) >= MEMO_LIMIT:
                    self._known.clear()
                known = self._known[rest] = _lean(rest)
        except (Odd, IndexError, UnicodeDecodeError, ValueError) as error:
            raise Malformed("the bytes are not those of a decision") from error
        made, partition, written, erased = known
        if written != schema_id:
            action = as_written(action, written)
        return Recorded(action, made, partition, seq, erased)


def _lean(rest: bytes) -> tuple[Made, int, int, bool]:
    numbers, at = [], 0
    for _ in LEAN[2:-1]:
        number, at = long_at(rest, at)
        numbers.append(number)
    partition, offset, written, misrouted, erased = numbers
    bundle, at = text(rest, at)
    if at != len(rest):
        raise Odd
    deciding = MISROUTED if misrouted else ("", "")
    return Made(b"", Effect.unknown, deciding, False, bundle, offset, ""), partition, written, bool(erased)
