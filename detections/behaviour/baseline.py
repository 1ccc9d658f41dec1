"""What is new or too much for one agent, by its own past. No training: habits are kept as they come.

Three cells, each written only when something changed: `habits` (hours and volumes: when an hour begins),
`habits.tools` and `habits.resources` (when something is used for the first time).
"""

from pydantic import Field

from detections.about import About
from detections.activity import CELL as ACTIVITY
from detections.activity import counted, read_activity
from detections.behaviour.habits import HEAD, VERSION, Habits
from detections.behaviour.known import Known, add, are_known, family_line, look_up, names, place_of, tool_line
from detections.detector import NOTHING, Cells, Observation
from detections.finding import Since, found
from documents.types import Model
from schemas.action import Action
from schemas.verdict import Finding, Severity

_LEARNING = (
    " Nothing is found before the agent is known: `learned_actions` actions on `learned_days` different days."
)
NEW_TOOL = About(
    id="new-tool",
    title="A tool that this agent never used",
    severity=Severity.low,
    tags=("ASI02", "ASI10", "AML.T0053"),
    description=(
        "An agent with settled habits calls a tool for the first time."
        + _LEARNING
        + " Found once a tool. An agent that"
        "  met `restless` or more new things lately is not settled, and one with more tools than fit into 1"
        " KB of names has no habits: nothing is found of either."
    ),
    false_positives=("A new version of the agent, with a new tool.", "A rare task, such as a yearly one."),
    runbook=(
        "See what the session was asked and read before that call. If the agent was changed on purpose,"
        " there is nothing to do: the tool is known from now on."
    ),
)
NEW_RESOURCE = About(
    id="new-resource-family",
    title="A place that this agent never touched",
    severity=Severity.low,
    tags=("ASI02", "ASI03", "ASI10", "AML.T0053"),
    description=(
        "An agent with settled habits touches a host, a mail domain or a folder (the first two levels of a"
        " path) for the first time. Where it has too many for 1 KB of names, families become wider (domains,"
        " first"
        " levels) and are learned anew; if they are still too many, nothing is found." + _LEARNING
    ),
    false_positives=("A new project or customer.", "An agent that searches the web at large."),
    runbook=(
        "See who named that place: the user, or something the agent read. Known from now on; block it by a"
        " policy if it should not be."
    ),
)
NEW_HOUR = About(
    id="new-hour",
    title="Active at an hour at which this agent never was",
    severity=Severity.low,
    tags=("ASI10", "AML.T0053"),
    description=(
        "An agent is active at an hour of the day (UTC) at which it never was, nor at the hour before or"
        " after,"
        " in `hour_days` or more different days." + _LEARNING
    ),
    false_positives=("Work before a deadline, or from another time zone.", "A schedule that was changed."),
    runbook="Ask whoever the agent works for; look at how the session began.",
)
VOLUME = About(
    id="unusual-volume",
    title="Far more actions in an hour than usual",
    severity=Severity.medium,
    tags=("ASI08", "ASI10", "AML.T0034.002"),
    description=(
        "An agent does more in one hour than ever: above the median of its last 24 active hours by"
        " `deviations` times their spread (1.4826 times the median absolute deviation), above"
        " `volume_factor` times the most of them, and at least `volume_floor`; known after 12 active hours."
        " Found once an hour, and stays on until"
        " the hour ends." + _LEARNING
    ),
    false_positives=("A large task that was planned.",),
    runbook="As for a burst of actions: see what is repeated, and who started it.",
)


class BaselineSettings(Model):
    """Thresholds of `new-tool`, `new-resource-family`, `new-hour` and `unusual-volume`."""

    learned_actions: int = Field(300, ge=1, description="Actions until an agent is known.")
    learned_days: int = Field(3, ge=1, le=60_000, description="Different days until an agent is known.")
    hour_days: int = Field(14, ge=3, le=60_000, description="Different days until its hours are known.")
    restless: int = Field(
        6, ge=1, le=200, description="New things lately that make an agent unsettled; halved each day."
    )
    deviations: float = Field(10.0, ge=1, description="Spreads above the median that are too much.")
    volume_factor: float = Field(3.0, ge=1, description="Times the most of its hours that are too much.")
    volume_floor: int = Field(500, ge=1, le=2**32 - 1, description="Never fewer actions an hour.")


HABITS, TOOLS, RESOURCES = "habits", "habits.tools", "habits.resources"
_HOUR_MS = 3_600_000


class Baseline:
    """The detector."""

    name = "baseline"
    abouts: tuple[About, ...] = (NEW_TOOL, NEW_RESOURCE, NEW_HOUR, VOLUME)
    ids: tuple[str, ...] = tuple(a.id for a in abouts)
    cells: tuple[str, ...] = (HABITS, TOOLS, RESOURCES)
    phases = frozenset({"call"})
    Settings = BaselineSettings

    def __init__(self, settings: BaselineSettings | None = None) -> None:
        self._settings = settings or BaselineSettings()

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Compare with its habits; see `detections.detector.Detector`."""
        activity, cell = cells.get(ACTIVITY), cells.get(HABITS)
        tools, resources = cells.get(TOOLS), cells.get(RESOURCES)
        before = counted(activity)[0] if activity else 0
        hour = action.received_at // _HOUR_MS
        known = tools and resources and are_known(tools, resources, action.tool, place_of(action.resource))
        if cell and known:  # nearly always
            version, told, last_hour, limit, start = HEAD.unpack_from(cell)
            if hour <= last_hour and version == VERSION:
                if before - start < limit:
                    return NOTHING
                if told:
                    return Observation(on=(VOLUME.id,))
        tool = look_up(tools, 1, action.tool, tool_line)
        place = look_up(resources, 2, action.resource, family_line)
        return self._changed(action, cells, hour, before, (tool, place))

    def _changed(
        self, action: Action, cells: Cells, hour: int, before: int, seen: tuple[Known, Known]
    ) -> Observation:
        """Something is new, an hour begins, or there is too much."""
        cell = cells.get(HABITS)
        habits = Habits.read(cell) if cell else Habits.begin(hour, before)
        settled = self._is_settled(action, cells, habits)
        findings: list[Finding] = []
        changes: dict[str, bytes] = {}
        if hour > habits.hour:
            findings += self._hour(action, habits, hour, settled)
            s = self._settings
            habits.turn(hour, before, (s.deviations, s.volume_factor, s.volume_floor))
        elif before - habits.start >= habits.limit and not habits.told:
            habits.told = 1
            findings += [self._volume(action, habits, before)] * settled
        for known, name, about in zip(seen, (TOOLS, RESOURCES), (NEW_TOOL, NEW_RESOURCE), strict=True):
            if known.is_new:
                changes[name] = add(cells.get(name), known)
                if settled and habits.restless < self._settings.restless:
                    findings.append(self._new(action, about, known, cells, habits))
                widened = changes[name][1] != known.level  # all is new again: be silent for some days
                habits.restless = 255 if widened else min(habits.restless + 1, 255)
        after = habits.write()
        if after != cell:
            changes[HABITS] = after
        return Observation(changes, tuple(findings))

    def _is_settled(self, action: Action, cells: Cells, habits: Habits) -> bool:
        activity = cells.get(ACTIVITY)
        if not activity or habits.days < self._settings.learned_days:
            return False
        return read_activity(activity).actions >= self._settings.learned_actions

    def _new(self, action: Action, about: About, known: Known, cells: Cells, habits: Habits) -> Finding:
        usual = names(cells.get(TOOLS if about is NEW_TOOL else RESOURCES))
        shown = ", ".join(usual[:6]) + (f" and {len(usual) - 6} more" if len(usual) > 6 else "")
        kind = "tool" if about is NEW_TOOL else "place"
        message = f"{kind} {known.name} for the first time in {self._past(cells, habits)}; usual: {shown}"
        return found(about, action, message, what=known.name, score=0.5)

    def _hour(self, action: Action, habits: Habits, hour: int, settled: bool) -> list[Finding]:
        of_day = hour % 24
        near = (habits.hours[(of_day + d) % 24] for d in (-1, 0, 1))
        if not settled or habits.days < self._settings.hour_days or any(near):
            return []
        usual = ", ".join(f"{h:02}" for h in range(24) if habits.hours[h])
        message = f"active at {of_day:02} h UTC; usual in {habits.days} days: {usual} h UTC"
        return [found(NEW_HOUR, action, message, what=f"{of_day:02}", score=0.5)]

    def _volume(self, action: Action, habits: Habits, before: int) -> Finding:
        low, high = min(habits.volumes), max(habits.volumes)
        message = f"{before + 1 - habits.start} actions in this hour; usual: {low} to {high} an active hour"
        since = Since(habits.hour * _HOUR_MS)
        return found(VOLUME, action, message, score=0.7, since=since)

    @staticmethod
    def _past(cells: Cells, habits: Habits) -> str:
        activity = read_activity(cells[ACTIVITY])
        return f"{activity.actions:,} actions on {habits.days} days"
