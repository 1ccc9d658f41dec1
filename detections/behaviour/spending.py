"""Spending: dollars and tokens of one agent, hour by hour, against what its hours usually cost."""

import math
import struct
from dataclasses import dataclass
from statistics import median

from pydantic import Field

from detections.about import About
from detections.detector import EVERY_PHASE, NOTHING, Cells, Observation
from detections.finding import Since, found
from documents.types import Model
from schemas.action import Action
from schemas.verdict import Finding, Severity

_HOW = (
    "  while its usual is not known more than the `most` setting, afterwards more than `factor` times the"
    " median of its last hours in which it used any model (at least the `floor` setting). An hour is one of"
    " the clock (UTC). It is found once an hour, and stays on for what uses models in that hour."
)
COST = About(
    id="cost-runaway",
    title="Models cost far more than usual",
    severity=Severity.high,
    tags=("ASI08", "ASI10", "AML.T0034.002"),
    description=(
        "What an agent spends on models in one hour, as its producer tells it (`cost_usd`), runs away:"
        + _HOW
        + "\n\nNot promised: what a producer does not tell, or tells wrongly; amounts that are negative or no"
        " number count as 0 and are recorded as errors."
    ),
    false_positives=(
        "A large task that was planned, such as a migration by agents.",
        "A new model that costs ten times as much.",
    ),
    runbook=(
        "Look for a loop, and for what the newest session was asked. If the work is right, raise"
        " `floor_usd` or make an exception until it is done; else stop the session."
    ),
)
TOKENS = About(
    id="token-runaway",
    title="Far more tokens than usual",
    severity=Severity.medium,
    tags=("ASI08", "ASI10", "AML.T0034.002"),
    description=(
        "The input and output tokens that an agent uses in one hour run away:"
        + _HOW
        + "\n\nNot promised: what a producer does not tell; negative counts count as 0 and are errors."
    ),
    false_positives=(
        "Long documents that an agent reads for the first time.",
        "A context that grew with the task.",
    ),
    runbook=(
        "Compare the size of one call with earlier ones: a context that grows without end is cut or"
        " summarised; many calls point to a loop."
    ),
)

CELL = "spending"
KEPT = 12
"""Hours whose sums are kept: of those, the median."""
_VERSION = 1
_LAYOUT = struct.Struct(f"<BBBxIdQ{KEPT}f{KEPT}f")
_HEAD = struct.Struct("<BBBxIdQ")
"""How it begins: version, told, hours held, the hour, its cost and tokens, see `_Hours`."""
_COST_TOLD, _TOKENS_TOLD = 1, 2
_HOUR_MS = 3_600_000
_LARGEST = 2**63


class SpendingSettings(Model):
    """Thresholds of `cost-runaway` and `token-runaway`."""

    factor: float = Field(10.0, ge=1.5, description="How many times the usual hour is too much.")
    learned: int = Field(6, ge=1, le=KEPT, description="Hours with any use until the usual is known.")
    floor_usd: float = Field(10.0, ge=0, description="Never less than so many dollars an hour.")
    most_usd: float = Field(200.0, ge=0, description="Dollars an hour, while the usual is not known.")
    floor_tokens: int = Field(5_000_000, ge=0, description="Never less than so many tokens an hour.")
    most_tokens: int = Field(100_000_000, ge=0, description="Tokens an hour, while the usual is not known.")


@dataclass(slots=True)
class _Hours:
    """What the cell holds; `costs` and `tokens` are those of earlier hours, newest last."""

    hour: int
    told: int = 0
    cost: float = 0.0
    used: int = 0
    costs: tuple[float, ...] = ()
    tokens: tuple[float, ...] = ()

    @classmethod
    def read(cls, cell: bytes) -> "_Hours":
        version, told, held, hour, cost, used, *sums = _LAYOUT.unpack(cell)
        if version != _VERSION or held > KEPT:
            raise ValueError(f"a {CELL} cell of version {version} with {held} hours")
        return cls(hour, told, cost, used, tuple(sums[:held]), tuple(sums[KEPT : KEPT + held]))

    def write(self) -> bytes:
        held = len(self.costs)
        rest = (0.0,) * (KEPT - held)
        return _LAYOUT.pack(
            _VERSION,
            self.told,
            held,
            self.hour,
            self.cost,
            self.used,
            *self.costs,
            *rest,
            *self.tokens,
            *rest,
        )

    def turn(self, hour: int) -> "_Hours":
        """A new hour; the one that ends is kept."""
        return _Hours(
            hour,
            costs=(*self.costs, min(self.cost, 1e30))[-KEPT:],
            tokens=(*self.tokens, float(self.used))[-KEPT:],
        )


class Spending:
    """The detector."""

    name = "spending"
    abouts: tuple[About, ...] = (COST, TOKENS)
    ids: tuple[str, ...] = (COST.id, TOKENS.id)
    cells: tuple[str, ...] = (CELL,)
    phases = EVERY_PHASE
    Settings = SpendingSettings

    def __init__(self, settings: SpendingSettings | None = None) -> None:
        s = self._settings = settings or SpendingSettings()
        self._harmless_usd = min(s.floor_usd, s.most_usd, 1e30)
        self._harmless_tokens = min(s.floor_tokens, s.most_tokens, _LARGEST)

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Add what was used; see `detections.detector.Detector`."""
        usage = action.usage()
        if usage is None:
            return NOTHING
        cell = cells.get(CELL)
        hour = max(action.received_at // _HOUR_MS, 0)
        sent, received, cost = usage
        if cell and len(cell) == _LAYOUT.size and sent >= 0 and received >= 0 and cost >= 0:
            version, told, held, of, before, used = _HEAD.unpack_from(cell)
            cost += before
            used += sent + received
            harmless = cost <= self._harmless_usd and used <= self._harmless_tokens
            if harmless and hour <= of and version == _VERSION and held <= KEPT:  # nearly always
                return Observation(
                    {CELL: _HEAD.pack(version, told, held, of, cost, used) + cell[_HEAD.size :]}
                )
        tokens, cost, errors = _sane(*usage)
        hours = _Hours.read(cell) if cell else _Hours(hour)
        if hour > hours.hour:
            hours = hours.turn(hour)
        hours.cost = min(hours.cost + cost, 1e30)
        hours.used = min(hours.used + tokens, _LARGEST)
        on, findings = self._judge(action, hours)
        return Observation({CELL: hours.write()}, findings, on, errors=errors)

    def _judge(self, action: Action, hours: _Hours) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
        s = self._settings
        on: list[str] = []
        findings: list[Finding] = []
        known = len(hours.costs) >= s.learned
        for about, bit, sum_, earlier, floor, most in (
            (COST, _COST_TOLD, hours.cost, hours.costs, s.floor_usd, s.most_usd),
            (TOKENS, _TOKENS_TOLD, hours.used, hours.tokens, s.floor_tokens, s.most_tokens),
        ):
            usual = median(earlier) if known else None
            limit = most if usual is None else max(floor, s.factor * usual)
            if sum_ <= limit:
                continue
            if hours.told & bit:
                on.append(about.id)
                continue
            hours.told |= bit
            unit = "USD" if about is COST else "tokens"
            told = "not known yet" if usual is None else f"{usual:,.0f} {unit} an hour"
            message = f"{sum_:,.0f} {unit} in this hour; usual: {told}; limit: {limit:,.0f}"
            since = Since(min(hours.hour * _HOUR_MS, action.received_at))
            findings.append(found(about, action, message, score=0.8, since=since))
        return tuple(on), tuple(findings)


def _sane(sent: int, received: int, cost: float) -> tuple[int, float, tuple[str, ...]]:
    """Tokens, dollars, and what of it was no amount."""
    errors = [f"a count of {n} tokens counts as 0" for n in (sent, received) if n < 0]
    if not (math.isfinite(cost) and cost >= 0):
        errors.append(f"a cost of {cost} counts as 0")
        cost = 0.0
    return max(sent, 0) + max(received, 0), cost, tuple(errors)
