"""The fold of the orders about bundles: parts, heads, serials, signatures. No IO; `settle` takes seconds."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace

from judgement.rules import Rules, compile_rules
from ledger.keys import VerifyKey
from policies.bundle import unpack_bundle
from runtime.beside import give_way
from runtime.errors import Malformed, Newer, PraetorError
from streams.bundle_orders import LARGEST_PACKED, Head, read_head, read_part
from streams.bundle_parts import Parts, inflate
from streams.bundle_signature import check_signature
from streams.bundle_state import InForce, Placed, Refusal, Refused, Settling, refusal, unread
from streams.orders import Order

KEPT = 16
"""Bundles that a head may name without bringing them: the newest, and not more than 64 MiB packed."""

MOST_HISTORY = 1_024
SERIAL_STEP = 1 << 20
REFUSALS_TOLD = 64


class BundleFold:
    """What agent.control says of bundles.

    Orders go in by `part` and `head`; `settle` then compiles what has to be, beside the rules that run, and
    sets `in_force`. Nothing here depends on when it is called: whoever reads the topic comes to the same.

    Attributes:
        in_force: as of the last `settle`.
        serial: the highest seen; the next head must be above it.
        kept: by digest, the bundles that a head may name, the newest last.
        history: the stable heads, the newest last; those known to be refused are left out.
        refused: the last refusals, the newest last; `refusals` counts all of them by reason.
    """

    def __init__(self, trusted: Sequence[VerifyKey], takes_unsigned: bool) -> None:
        """Trust signatures by some keys; `takes_unsigned`: also bundles of before bundles were signed."""
        self.in_force = InForce()
        self.serial = 0
        self.kept: dict[str, Placed] = {}
        self.history: deque[Placed] = deque(maxlen=MOST_HISTORY)
        self.refused: deque[Refusal] = deque(maxlen=REFUSALS_TOLD)
        self.refusals: Counter[str] = Counter()
        self._trusted = trusted
        self._takes_unsigned = takes_unsigned
        self._parts = Parts()
        self._pending: list[Placed] = []
        self._untold: list[Refusal] = []
        self._stable = ""

    def part(self, order: Order) -> None:
        """Keep a part until its head comes.

        Raises:
            Malformed: it is none.
        """
        self._parts.add(read_part(order.payload))

    def head(self, order: Order, offset: int) -> None:
        """Take a head, or a bundle of before there were heads. May take a second where the bundle is large.

        Raises:
            Refused: it is not believed, or what it names is not there; nothing changes but the serial.
        """
        placed = Placed(Head(0, ""), offset, order.author, order.issued_at)
        try:
            placed = _read(order, placed)
            placed = self._believed(placed)
        except Refused as error:
            self._note(refusal(placed, error.why, str(error)))
            raise
        if sum(len(p.packed) for p in self._pending) + len(placed.packed) > LARGEST_PACKED:
            self._untold = self.settle()
        self._pending.append(placed)
        self._keep(placed)
        if placed.head.slot == "stable":
            self.history.append(replace(placed, packed=b""))

    @property
    def pending(self) -> bool:
        """Whether there is something to settle."""
        return bool(self._pending or self._untold)

    def settle(self) -> list[Refusal]:
        """Bring `in_force` up to date with all heads; return the heads refused only now. Takes seconds."""
        settling = Settling(self.in_force, _compiled)
        self.in_force = settling.settle(self._pending)
        self._pending = []
        for one in settling.refusals:
            self._note(one)
            self.history = deque((p for p in self.history if p.offset != one.offset), MOST_HISTORY)
        found, self._untold = self._untold + settling.refusals, []
        return found

    def _believed(self, placed: Placed) -> Placed:
        head = placed.head
        if placed.strange:
            return placed
        if not head.serial:
            return self._unsigned(placed)
        if not self.serial < head.serial <= self.serial + SERIAL_STEP:
            raise Refused(
                "serial", f"serial {head.serial} does not follow serial {self.serial}: a stale order"
            )
        self.serial = head.serial
        if head.ends_canary:
            return placed
        try:
            signers = check_signature(head.signature, head.digest, self._trusted)
        except PraetorError as error:
            raise Refused("signature", str(error)) from error
        return replace(placed, signers=signers, packed=self._packed(head))

    def _unsigned(self, placed: Placed) -> Placed:
        if self.serial:
            raise Refused("serial", f"a bundle without a serial, after serial {self.serial}: a stale order")
        if not self._takes_unsigned:
            raise Refused("signature", "the bundle is signed by a control key alone: no policy key signed it")
        return placed

    def _packed(self, head: Head) -> bytes:
        if not head.parts:
            if head.digest not in self.kept:
                raise Refused(
                    "unknown", f"{head.digest} is none of the last {KEPT} bundles; publish it again"
                )
            return self.kept[head.digest].packed
        try:
            packed = self._parts.joined(head.digest, head.parts, head.size)
            digest, _ = inflate(packed)
        except Malformed as error:
            raise Refused("parts", str(error)) from error
        if digest != head.digest:
            raise Refused("digest", f"what came is not {head.digest} but {digest}")
        self._parts.drop(head.digest)
        return packed

    def _keep(self, placed: Placed) -> None:
        if not placed.packed:
            return
        # whatever is tried in canaries, what it would go back to stays
        if placed.head.slot == "stable":
            self._stable = placed.head.digest
        for one in (self.kept.get(self._stable, placed), placed):
            self.kept.pop(one.head.digest, None)
            self.kept[one.head.digest] = one
        while len(self.kept) > KEPT or sum(len(p.packed) for p in self.kept.values()) > LARGEST_PACKED:
            del self.kept[next(iter(self.kept))]

    def _note(self, one: Refusal) -> None:
        self.refused.append(one)
        self.refusals[one.why] += 1


def _read(order: Order, placed: Placed) -> Placed:
    try:
        digest, small = inflate(order.payload)
        head = read_head(small)
    except Newer as error:
        return replace(placed, strange=unread(placed.offset, error))
    except Malformed as error:
        raise Refused("malformed", str(error)) from error
    if head is None:
        return replace(placed, head=Head(0, digest, size=len(order.payload)), packed=order.payload)
    return replace(placed, head=head)


def _compiled(packed: bytes) -> Rules:
    rest = give_way()
    bundle = unpack_bundle(packed, rest)
    compiled = compile_rules(bundle, rest)
    # one by one: to free them all at once is one call, and no other thread gets its turn in it
    pieces = [rule for policy in bundle.content.policies for rule in policy.rules]
    del bundle
    while pieces:
        pieces.pop()
        rest()
    return compiled
