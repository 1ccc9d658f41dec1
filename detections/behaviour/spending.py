"""Spending: dollars and tokens of one agent, hour by hour, against what its hours usually cost.

Judgement counts what is used in the agent's `activity` cell; remembered here is how much that was when the
hour began, so that the cell is written once an hour. An agent's first action writes none: of many agents
nothing more ever comes.
"""

import math
from statistics import median

from pydantic import Field

from detections.about import About
from detections.activity import CELL as ACTIVITY
from detections.activity import used_before
from detections.behaviour.hours import FORGOTTEN, HEAD, HOUR_MS, KEPT, LAYOUT, VERSION, Hours, begin
from detections.detector import EVERY_PHASE, NOTHING, Cells, Observation
from detections.finding import Since, found
from documents.types import Model
from schemas.action import Action
from schemas.usage import LARGEST, NOTHING_USED, PER_USD, Used
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
_COST_TOLD, _TOKENS_TOLD = 1, 2


class SpendingSettings(Model):
    """Thresholds of `cost-runaway` and `token-runaway`."""

    factor: float = Field(10.0, ge=1.5, description="How many times the usual hour is too much.")
    learned: int = Field(6, ge=1, le=KEPT, description="Hours with any use until the usual is known.")
    floor_usd: float = Field(10.0, ge=0, description="Never less than so many dollars an hour.")
    most_usd: float = Field(200.0, ge=0, description="Dollars an hour, while the usual is not known.")
    floor_tokens: int = Field(5_000_000, ge=0, description="Never less than so many tokens an hour.")
    most_tokens: int = Field(100_000_000, ge=0, description="Tokens an hour, while the usual is not known.")


class Spending:
    """The detector."""

    name = "spending"
    abouts: tuple[About, ...] = (COST, TOKENS)
    ids: tuple[str, ...] = (COST.id, TOKENS.id)
    cells: tuple[str, ...] = (CELL,)
    meters = True
    phases = EVERY_PHASE
    Settings = SpendingSettings

    def __init__(self, settings: SpendingSettings | None = None) -> None:
        s = self._settings = settings or SpendingSettings()
        self._harmless_cost = int(min(s.floor_usd, s.most_usd, LARGEST / PER_USD) * PER_USD)
        self._harmless_tokens = min(s.floor_tokens, s.most_tokens, LARGEST)

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Compare what was used with what is usual; see `detections.detector.Detector`."""
        used = action.used()
        if used is NOTHING_USED:
            return NOTHING
        cell, activity = cells.get(CELL), cells.get(ACTIVITY)
        if cell and cell[0] in FORGOTTEN:
            cell = None
        hour = max(action.received_at // HOUR_MS, 0)
        tokens, cost = used_before(activity)
        if cell and len(cell) == LAYOUT.size and used.is_sane:
            version, _, held, of, tokens_before, cost_before = HEAD.unpack_from(cell)
            harmless = (
                tokens + used.tokens - tokens_before <= self._harmless_tokens
                and cost + used.cost - cost_before <= self._harmless_cost
            )
            if harmless and hour <= of and version == VERSION and held <= KEPT:  # nearly always
                return NOTHING
        elif not (cell or activity) and self._is_harmless(used):
            return NOTHING
        hours = Hours.read(cell) if cell else begin(activity, hour, tokens, cost)
        if hour > hours.hour:
            hours = hours.turn(hour, tokens, cost)
        on, findings = self._judge(action, hours, tokens + used.tokens, cost + used.cost)
        after = hours.write()
        changes = {CELL: after} if after != cell else {}
        return Observation(changes, findings, on, errors=() if used.is_sane else _odd(action))

    def _is_harmless(self, used: Used) -> bool:
        few = used.tokens <= self._harmless_tokens and used.cost <= self._harmless_cost
        return few and used.is_sane

    def _judge(
        self, action: Action, hours: Hours, tokens: int, cost: int
    ) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
        s = self._settings
        on: list[str] = []
        findings: list[Finding] = []
        known = len(hours.costs) >= s.learned
        for about, bit, sum_, earlier, floor, most in (
            (COST, _COST_TOLD, (cost - hours.cost_before) / PER_USD, hours.costs, s.floor_usd, s.most_usd),
            (TOKENS, _TOKENS_TOLD, tokens - hours.tokens_before, hours.tokens, s.floor_tokens, s.most_tokens),
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
            since = Since(min(hours.hour * HOUR_MS, action.received_at))
            findings.append(found(about, action, message, score=0.8, since=since))
        return tuple(on), tuple(findings)


def _odd(action: Action) -> tuple[str, ...]:
    """What of its usage is no amount, in words."""
    sent, received, cost = action.usage() or (0, 0, 0.0)
    errors = [f"a count of {n} tokens counts as 0" for n in (sent, received) if n < 0]
    if not 0 <= cost < math.inf:
        errors.append(f"a cost of {cost} counts as 0")
    return tuple(errors)
