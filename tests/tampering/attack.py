"""What an attacker who can write to a copy has in hand, and what becomes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.tampering.clean import Copy, Held, Log
from tests.tampering.formats import Key, Row, checkpoint, id_of, leaf, read, rewritten, write


class NotHere(Exception):
    """This log is too small for this attack."""


@dataclass
class Change:
    """What was done.

    Attributes:
        how: in a word or two.
        touched: by partition, the sequence numbers whose records, leaves or roots are no longer theirs.
        witness: notes that an outsider kept, without which this cannot be told from an honest log.
        strays: records now claim to be of a place that is none, which may be named too.
    """

    how: str
    touched: dict[int, range]
    witness: list[str] = field(default_factory=list)
    strays: bool = False


@dataclass
class Attack:
    """One case in the making: `copy` is changed in place; a decision's index in it is its sequence number."""

    dice: Random
    log: Log
    copy: Copy
    clickhouse: bool

    def victim(self, least: int = 1, sizes: int = 1) -> int:
        """A partition with at least so many signed decisions, by checkpoints of so many sizes."""
        fit = [
            p
            for p, held in self.copy.items()
            if signed_end(held) >= least and len(set(held.sizes())) >= sizes
        ]
        if not fit:
            raise NotHere
        return self.dice.choice(fit)

    def seq(self, p: int) -> int:
        """A sequence number under the last checkpoint."""
        return self.dice.randrange(signed_end(self.copy[p]))

    def pair(self, p: int) -> tuple[int, int]:
        """Two of them, ascending."""
        first, second = sorted(self.dice.sample(range(signed_end(self.copy[p])), 2))
        return first, second

    def put(self, p: int, seq: int, value: bytes) -> None:
        """Replace a decision; in ClickHouse its leaf too."""
        held = self.copy[p]
        held.decisions[seq] = value
        if held.leaves is not None:
            held.leaves[seq] = (seq, read(value)["leaf"])

    def lie(self, value: bytes) -> bytes:
        """A decision that says something else, with every digest and leaf recomputed."""
        lies: list[Row] = [
            {"effect": self.dice.choice([e for e in ("allow", "deny") if e != read(value)["effect"]])},
            {"principal": f"mallory-{self.dice.randrange(9)}"},
            {"resource": f"/tmp/{self.dice.randrange(10**6)}"},
            {"arguments": f'{{"m": {self.dice.randrange(10**6)}}}'},
            {"reasons": [], "severity": "low"},
        ]
        return rewritten(value, **self.dice.choice(lies))

    def rewrite_from(self, p: int, start: int) -> None:
        """Another history from a sequence number on; each decision of it differs."""
        for seq in range(start, len(self.copy[p].decisions)):
            self.put(p, seq, rewritten(self.lie(self.copy[p].decisions[seq]), trace_id=f"t{seq}"))

    def sign_again(self, p: int, above: int, key: Key) -> None:
        """Sign every checkpoint above a size anew, for the history that now stands there."""
        held = self.copy[p]
        leaves = [read(value)["leaf"] for value in held.decisions]
        held.checkpoints = [
            checkpoint(one, leaves[: read(one)["size"]], key) if read(one)["size"] > above else one
            for one in held.checkpoints
        ]

    def cut(self, p: int, size: int, checkpoints: bool) -> None:
        """Leave `size` decisions, and with `checkpoints` only those that they reach."""
        held = self.copy[p]
        del held.decisions[size:]
        if held.leaves is not None:
            del held.leaves[size:]
        if checkpoints:
            held.checkpoints = [one for one in held.checkpoints if read(one)["size"] <= size]

    def honest_note(self, p: int, above: int) -> str:
        """A note that an outsider may have kept, of a size above this."""
        notes = [row["note"] for row in map(read, self.log.partitions[p].checkpoints) if row["size"] > above]
        return str(self.dice.choice(notes))

    def true_key(self) -> Key:
        return Key(self.log.key.name, self.log.key.seed)

    def other_key(self) -> Key:
        """The attacker's: under the true name, under the true name and id, or under a name of its own."""
        seed = self.dice.randbytes(32)
        true = self.true_key()
        return self.dice.choice([Key(true.name, seed), Key(true.name, seed, true.id), Key("mallory", seed)])


Kind = Callable[[Attack], Change]


def signed_end(held: Held) -> int:
    return max(held.sizes(), default=0)


def one(seq: int) -> range:
    return range(seq, seq + 1)


def relabelled(value: bytes, **fields: object) -> bytes:
    """A record of which some fields are set and nothing is recomputed."""
    return write(read(value) | fields, id_of(value))


def moved(value: bytes, p: int, seq: int) -> bytes:
    """A decision that says that it is of another partition and number, with a leaf to match."""
    row = read(value) | {"partition": p, "seq": seq}
    return write(row | {"leaf": leaf(row, id_of(value))}, id_of(value))
