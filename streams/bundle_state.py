"""What the orders about bundles come to: which is in force for whom, which was refused, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from judgement.rules import Rules
from policies.cel import BadCondition
from runtime.errors import Malformed, Newer, PraetorError
from schemas.topics import CONTROL
from streams.bundle_orders import Head
from streams.canary import Canary

FAILURES = (
    BadCondition,
    PraetorError,
    Malformed,
    LookupError,
    ArithmeticError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
)
"""How reading or compiling a bundle fails. One that stopped the worker would stop all of them, for good."""


class Refused(Malformed):
    """An order about a bundle that is passed over. `why` is one word for metrics."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True)
class Placed:
    """A head that is believed, where it stands, who gave it, whose signatures the bundle bears.

    `issued_at` is the author's clock, milliseconds. `strange` says why this version cannot read the head.
    """

    head: Head
    offset: int
    author: str
    issued_at: int
    signers: tuple[str, ...] = ()
    packed: bytes = field(default=b"", repr=False)
    strange: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An order about a bundle that was refused: where it stands, what it names, why: a word, a sentence."""

    offset: int
    author: str
    serial: int
    digest: str
    why: str
    message: str


@dataclass(frozen=True, slots=True)
class InForce:
    """Which bundles are in force, and their rules. Where `unread` says why, nothing is judged by either."""

    stable: Placed | None = None
    canary: Placed | None = None
    compiled: Rules | None = None
    canary_compiled: Rules | None = None
    unread: str = ""

    @property
    def rules(self) -> Rules | None:
        """What all others than the canary's agents are judged by."""
        return None if self.unread else self.compiled

    def trial(self) -> Canary | None:
        """The canary, ready to judge by."""
        if self.canary is None or self.canary_compiled is None or self.unread:
            return None
        return Canary(self.canary_compiled, self.canary.head.share)


Compile = Callable[[bytes], Rules]
"""From a packed bundle to its rules; raises Newer where it cannot be understood, or one of `FAILURES`."""


class Settling:
    """Works out what is in force after some heads, compiling as few of their bundles as it can.

    The result is that of compiling each in its turn: what cannot be compiled is passed over, and is one of
    `refusals` where it had to be tried.
    """

    def __init__(self, before: InForce, compiled: Compile) -> None:
        self.refusals: list[Refusal] = []
        self._before = before
        self._compile = compiled
        self._known = {r.digest: r for r in (before.compiled, before.canary_compiled) if r is not None}

    def settle(self, heads: Sequence[Placed]) -> InForce:
        """What is in force after these heads, given in their order."""
        stable, canary, later = self._before.stable, self._before.canary, list(heads)
        for at in reversed(range(len(heads))):
            if heads[at].head.slot == "stable" and (found := self._tried(heads[at])):
                stable, canary, later = found, None, later[at + 1 :]
                break
        for placed in reversed(later):
            if placed.head.ends_canary:
                canary = None
                break
            if placed.head.slot == "canary" and (found := self._tried(placed)):
                canary = found
                break
        self.refusals.sort(key=lambda refusal: refusal.offset)
        return self._in_force(stable, canary)

    def _in_force(self, stable: Placed | None, canary: Placed | None) -> InForce:
        strange = [placed.strange for placed in (stable, canary) if placed is not None and placed.strange]
        return InForce(stable, canary, self._rules(stable), self._rules(canary), "; ".join(strange))

    def _rules(self, placed: Placed | None) -> Rules | None:
        return None if placed is None or placed.strange else self._known[placed.head.digest]

    def _tried(self, placed: Placed) -> Placed | None:
        """The same, compiled or with the reason why it is not understood; None where it is refused."""
        if placed.strange or placed.head.digest in self._known:
            return placed
        try:
            rules = self._compile(placed.packed)
        except Newer as error:
            return replace(placed, strange=unread(placed.offset, error))
        except FAILURES as error:
            why = str(error) or type(error).__name__
            self.refusals.append(refusal(placed, "rules", f"the bundle does not compile: {why}"))
            return None
        self._known[placed.head.digest] = rules
        return placed


def refusal(placed: Placed, why: str, message: str) -> Refusal:
    """That an order was refused."""
    head = placed.head
    return Refusal(placed.offset, placed.author, head.serial, head.digest, why, message)


def unread(offset: int, error: Exception) -> str:
    """Why nothing is judged under a bundle of a newer version."""
    return (
        f"the bundle at offset {offset} of {CONTROL.name} cannot be read, so nothing is judged: {error}. Run"
        " the version of praetor that published it, or publish another bundle"
    )
