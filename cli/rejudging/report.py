"""What came of deriving decisions again: as JSON, and in words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cli.rejudging.derive import Derived
from schemas.codec import decode


class Difference(NamedTuple):
    """A field that was derived otherwise than it was recorded."""

    field: str
    recorded: Any
    derived: Any


def differences(derived: Derived) -> list[Difference]:
    """All of them, in the schema's order; a leaf follows from the others and stands last."""
    ours, theirs = decode(derived.value, "decision"), derived.stored.record
    return [Difference(name, theirs[name], value) for name, value in ours.items() if theirs[name] != value]


def decision_json(derived: Derived) -> dict[str, Any]:
    """One decision: bytes in hexadecimal."""
    stored, ours = derived.stored, decode(derived.value, "decision")
    place = {name: ours[name] for name in ("log_id", "partition", "seq", "source_offset")}
    told = {name: ours[name] for name in ("effect", "reasons", "bundle", "control_offset", "engine")}
    return {
        **place,
        "equal": derived.equal,
        **told,
        "snapshot": derived.snapshot,
        "folded": derived.folded,
        "strayed": derived.strayed,
        "verdict": stored.verdict_in(derived.value).hex(),
        "recorded": stored.verdict.hex(),
        "differences": [_plain(d._asdict()) for d in differences(derived)],
    }


def tell_decision(derived: Derived) -> str:
    """The same in words."""
    stored, ours = derived.stored, decode(derived.value, "decision")
    begun = "a new agent" if derived.snapshot is None else f"the snapshot before seq {derived.snapshot}"
    lines = [
        f"{stored.name}: {ours['effect']} for agent {stored.agent.decode()}",
        f"  {begun}, {derived.folded} actions judged again since; bundle {ours['bundle']}, control offset"
        f" {ours['control_offset']}, engine {ours['engine']}",
        *(f"  {r['policy']}/{r['rule']}: {r['message']}" for r in ours["reasons"]),
        f"  verdict {stored.verdict_in(derived.value).hex()}",
    ]
    if derived.equal:
        return "\n".join([*lines, "  equal to the recorded bytes"])
    lines.append("  NOT equal to the recorded bytes:")
    lines += [
        f"    {d.field}: recorded {_short(d.recorded)}, derived {_short(d.derived)}"
        for d in differences(derived)
    ]
    if derived.strayed is not None:
        lines.append(
            f"  seq {derived.strayed}, judged again on the way, came out otherwise than recorded, too"
        )
    return "\n".join(lines)


@dataclass
class Sample:
    """What became of some random decisions.

    Attributes:
        equal: how many are what was recorded, byte for byte.
        unequal: those that are not.
        missing: why others could not be derived, with how many.
        examples: by reason, one of those.
    """

    equal: int = 0
    unequal: list[Derived] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, derived: Derived) -> None:
        """Count one."""
        if derived.equal:
            self.equal += 1
        else:
            self.unequal.append(derived)

    @property
    def total(self) -> int:
        """How many were chosen."""
        return self.equal + len(self.unequal) + self.missing.total()

    @property
    def ok(self) -> bool:
        """Whether there were some, and all are equal."""
        return self.equal == self.total > 0

    def json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "total": self.total,
            "equal": self.equal,
            "unequal": [decision_json(d) for d in self.unequal],
            "missing": [{"reason": reason, "decisions": n} for reason, n in self.missing.most_common()],
        }

    def tell(self, most: int = 5) -> str:
        """For people; at most so many of each kind in full."""
        lines = [tell_decision(d) for d in self.unequal[:most]]
        lines += [f"{reason}" for reason, _ in self.missing.most_common(most)]
        lines.append(
            f"{self.equal} of {self.total} equal"
            + (f", {len(self.unequal)} NOT equal" if self.unequal else "")
            + (f", {self.missing.total()} could not be derived" if self.missing else "")
        )
        return "\n".join(lines)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return (
        [_plain(item) for item in value]
        if isinstance(value, Sequence) and not isinstance(value, str)
        else value
    )


def _short(value: Any) -> str:
    text = str(_plain(value))
    return text if len(text) <= 300 else f"{text[:300]}…"
