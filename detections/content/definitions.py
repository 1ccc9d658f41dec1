"""Tools as servers offer them: descriptions that give orders, that change, and names that imitate others."""

from pydantic import Field

from detections.about import About
from detections.content import offers
from detections.content.names import are_alike, mixes_scripts
from detections.content.offers import CELLS, CHANGED, Offer, key_of, offer_of
from detections.content.orders import find_orders, weigh
from detections.content.texts import LOOKED_AT, Hit, cut, spans
from detections.detector import NOTHING, Cells, Observation
from detections.finding import found, short
from documents.types import Model
from schemas.action import Action
from schemas.verdict import Finding, Severity

POISONED = About(
    id="tool-poisoning",
    title="A tool's description gives orders",
    severity=Severity.critical,
    tags=("ASI01", "ASI04", "AML.T0110", "AML.T0051.001"),
    description=(
        "The description or the schema of a tool, as it is offered (phase `definition`), tells a model more"
        " than what the tool does: it sets other instructions aside, wants something kept from the user,"
        " ties itself to other tools, reaches for credentials or for the conversation. Each such sign has a"
        " weight; together they reach `least_score`. Hidden text in a definition is found by `hidden-text`"
        " and `hidden-instructions`.\n\n"
        "Not promised: orders in other languages than English."
    ),
    false_positives=(
        "Servers whose descriptions guide the model at length, such as what to call first.",
        "A tool about security whose description names what it looks for.",
    ),
    runbook=(
        "Take the server out of service and read all its descriptions. See which sessions were offered it,"
        " and what they did afterwards."
    ),
)
CHANGE = About(
    id="rug-pull",
    title="A tool is not described as before",
    severity=Severity.high,
    tags=("ASI04", "AML.T0109", "AML.T0110"),
    description=(
        "A tool of a server is offered with another description or schema than this agent knew, by a digest"
        " of each (JSON written otherwise is the same). Found once a change; calls of that tool have it on"
        " for `watch_hours`.\n\n"
        "Not promised: of each agent the last 350 tools or so are remembered; whether a change is for the"
        " worse, nobody can tell but by reading it."
    ),
    false_positives=(
        "An update of the server: one change for each of its tools, all at one time.",
        "Descriptions that hold a date or a list of files: have the server leave them out.",
    ),
    runbook=(
        "Compare both descriptions. Approve the new one as you would a new tool; pin the server's version."
    ),
)
ALIKE = About(
    id="look-alike-tool",
    title="A tool's name imitates another's",
    severity=Severity.high,
    tags=("ASI02", "ASI04", "AML.T0110", "AML.T0011.002"),
    description=(
        "A tool is offered whose name looks like that of a tool of another server: the same to the eye"
        " (Unicode's confusables, case, separators), digits for letters, or one letter apart; or the very"
        " same name, unless `same_name` is false. Or a name, offered or called, mixes Latin letters with"
        " others that look like them.\n\n"
        "Not promised: imitations of tools that this agent was never offered."
    ),
    false_positives=(
        "Two servers that both offer `search`: let the client put the server's name before it.",
    ),
    runbook=(
        "See which server offered it last, and where that server comes from. Look for calls that"
        " were meant for the other."
    ),
)


class DefinitionsSettings(Model):
    """Thresholds of `tool-poisoning`, `rug-pull` and `look-alike-tool`."""

    least_score: float = Field(0.7, gt=0, le=1, description="How sure the signs must make.")
    watch_hours: int = Field(24, ge=0, le=24 * 365, description="How long calls of a changed tool are on.")
    same_name: bool = Field(True, description="Whether one name of two servers is an imitation.")


class Definitions:
    """The detector."""

    name = "definitions"
    abouts: tuple[About, ...] = (POISONED, CHANGE, ALIKE)
    ids: tuple[str, ...] = tuple(a.id for a in abouts)
    cells: tuple[str, ...] = (*CELLS, CHANGED)
    woken_by: tuple[str, ...] = (CHANGED,)
    phases = frozenset({"definition", "call"})
    Settings = DefinitionsSettings

    def __init__(self, settings: DefinitionsSettings | None = None) -> None:
        self._settings = settings or DefinitionsSettings()
        self._watch = self._settings.watch_hours * 3_600_000

    def concerns(self, action: Action) -> bool:
        """Whether a tool is offered, or called by an odd name; see `detections.detector.Choosy`."""
        tool = action.tool
        return tool is not None and (action.phase != "call" or not tool.isascii())

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Look at what is offered, or at the name that is called; see `detections.detector.Detector`."""
        tool = action.tool
        if tool is None:
            return NOTHING
        if action.phase == "call":
            changed = cells.get(CHANGED)
            return self._called(action, tool, changed) if changed or self.concerns(action) else NOTHING
        definition = f"{action.content or ''}\n{action.arguments or ''}"
        findings = [*self._orders(action), *_mixed(action, tool)]
        offer = offer_of(tool, action.get("tool_server"), definition[: 2 * LOOKED_AT])
        cell = cells.get(offer.cell)
        known = offers.read(cell)
        before = next((o for o in known if o.key == offer.key), None)
        if before == offer:
            return Observation(findings=tuple(findings), errors=cut(action))
        changes = {offer.cell: offers.write([*(o for o in known if o.key != offer.key), offer])}
        if before is None:
            findings += self._alike(action, tool, offer, offers.all_of(cells))
        else:
            findings.append(_change(action, tool, before, offer))
            times = offers.changes(cells.get(CHANGED), action.received_at - self._watch)
            changes[CHANGED] = offers.write_changes({**times, offer.key: action.received_at})
        return Observation(changes, tuple(findings), errors=cut(action))

    def _called(self, action: Action, tool: str, cell: bytes | None) -> Observation:
        times = offers.changes(cell, action.received_at - self._watch)
        on = (CHANGE.id,) if key_of(tool, action.get("tool_server")) in times else ()
        changes = {CHANGED: b""} if cell and not times else {}
        findings = tuple(_mixed(action, tool))
        return Observation(changes, findings, on) if changes or findings or on else NOTHING

    def _orders(self, action: Action) -> list[Finding]:
        hits: list[Hit] = []
        doubt = 1.0
        for field, text in (("content", action.content), ("arguments", action.arguments)):
            orders = find_orders((text or "")[:LOOKED_AT])
            doubt *= 1 - weigh(orders)
            hits += [Hit(o.sign.name, field, o.start, o.end, (text or "")[o.start : o.end]) for o in orders]
        if 1 - doubt < self._settings.least_score:
            return []
        message = f"tool {short(action.tool or '', 100)}: {'; '.join(dict.fromkeys(h.what for h in hits))}"
        what = short(action.tool or "", 60)
        return [found(POISONED, action, message, what=what, score=1 - doubt, spans=spans(action, hits))]

    def _alike(self, action: Action, tool: str, offer: Offer, known: list[Offer]) -> list[Finding]:
        for other in known:
            if other.server == offer.server:
                continue
            how = are_alike(other.name, offer.name)
            if other.name == offer.name:
                how = "is the very name" if self._settings.same_name else ""
            if how:
                message = (
                    f"{short(tool, 100)} of one server {how} of, or as, {short(other.name, 100)} of another"
                )
                return [found(ALIKE, action, message, what=short(tool, 60), score=0.8)]
        return []


def _change(action: Action, tool: str, before: Offer, offer: Offer) -> Finding:
    message = (
        f"tool {short(tool, 100)} was known as {before.digest.hex()}, and is offered as"
        f" {offer.digest.hex()} now"
    )
    return found(CHANGE, action, message, what=short(tool, 60))


def _mixed(action: Action, tool: str) -> list[Finding]:
    if not mixes_scripts(tool):
        return []
    name = ascii(short(tool, 100))
    message = f"the name {name} mixes letters that only look alike, or holds some that nobody sees"
    return [found(ALIKE, action, message, what=ascii(short(tool, 30)), score=0.9)]
