"""Whether an agent does what the user asked, or what something it read told it to do.

A prompt's words and values are remembered; so are the directives in what tools return, each with how much it
looks like an instruction to an agent. A call is compared with every directive that its session read before:
the closest gives its risk. A call in a session that read none has risk 0, and costs next to nothing.
"""

from pydantic import Field

from detections.about import About
from detections.detector import NOTHING, Cells, Observation
from detections.event_ids import pack_id, unpack_id
from detections.finding import Since, found, short
from detections.flow.abouts import INJECTED, TAINTED, UNASKED
from detections.flow.asked import Asked, asked_in
from detections.flow.call import Call, call_of
from detections.flow.cells import ASKED_CELLS, TOLD_CELLS, Told
from detections.flow.directive import Directive, directives
from detections.flow.memory import NOT_ASKED, Memory, asked_of, remember_asked, session_sum
from detections.flow.showing import shown
from detections.flow.signs import CALL_SIGNS, Held, call_signs, directive_signs
from detections.flow.text import lowered, unfolded, value_sum, word_sums, words_in
from detections.flow.weights import READ_IS_NOT_DONE, call_strength, directive_strength, probability
from documents.types import Model
from schemas.action import Action
from schemas.arguments import Unreadable
from schemas.verdict import Finding, Severity, Span

LOOKED_AT = 262_144
MOST_DIRECTIVES = 400
WEAKEST_HELD = -300
"""Hundredths of a logit: what looks less like an instruction is not remembered."""
_VALUE = CALL_SIGNS.index("value")


class FlowSettings(Model):
    """Thresholds of `flow`."""

    least_risk: float = Field(0.2, ge=0, le=1, description="A lower risk is given as 0, and is no finding.")
    high_risk: float = Field(0.4, ge=0, le=1, description="From this risk on, a finding is more severe.")


class Flow:
    """The detector."""

    name = "flow"
    abouts: tuple[About, ...] = (INJECTED, TAINTED, UNASKED)
    ids: tuple[str, ...] = (INJECTED.id, TAINTED.id, UNASKED.id)
    cells: tuple[str, ...] = (*TOLD_CELLS, *ASKED_CELLS)
    woken_by: tuple[str, ...] = TOLD_CELLS
    phases = frozenset({"prompt", "call", "result"})
    Settings = FlowSettings

    def __init__(self, settings: FlowSettings | None = None) -> None:
        settings = settings or FlowSettings()
        self._least, self._high = settings.least_risk, settings.high_risk

    def concerns(self, action: Action) -> bool:
        """What was asked or told is in content; see `detections.detector.Choosy`."""
        return bool(action.content)

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Remember what was asked and told, or compare; see `detections.detector.Detector`."""
        phase = action.phase
        if phase == "result":
            return self._result(action, cells) if action.content else NOTHING
        if phase == "prompt":
            return _prompt(action, cells) if action.content else NOTHING
        if not any(name in cells for name in TOLD_CELLS):
            return NOTHING
        return self._call(action, cells)

    def _result(self, action: Action, cells: Cells) -> Observation:
        content = action.content or ""
        text = unfolded(content[:LOOKED_AT])
        all_found = directives(text, lowered(text))
        errors = _cut(content, len(all_found))
        if not all_found:
            return Observation(errors=errors) if errors else NOTHING
        session = session_sum(action.session_id)
        asked = asked_of(cells, session)
        is_named = bool(asked and action.resource and _names(asked, action.resource))
        memory = Memory(cells)
        best, strongest = all_found[0], -(1 << 15)
        for directive in all_found[:MOST_DIRECTIVES]:
            strength = directive_strength(directive_signs(directive, asked, is_named))
            if strength > strongest:
                best, strongest = directive, strength
            if strength > WEAKEST_HELD:
                held = Held(strength, directive.doings, directive.words, directive.values, is_named)
                memory.add(Told(session, pack_id(action.event_id), directive.start, directive.end, held))
        risk = probability(strongest + READ_IS_NOT_DONE)
        changes = memory.changes()
        if risk < self._least:
            return Observation(changes, errors=errors) if changes or errors else NOTHING
        finding = self._injected(action, best, probability(strongest), risk)
        return Observation(changes, (finding,), risk=risk, errors=errors)

    def _injected(self, action: Action, directive: Directive, score: float, risk: float) -> Finding:
        text = (action.content or "")[directive.start : directive.end]
        span = Span(action.event_id, "content", directive.start, directive.end, shown(text))
        message = f"what {action.tool or action.action} returned tells the agent to do something"
        return self._graded(found(INJECTED, action, message, score=score, spans=(span,)), risk)

    def _graded(self, finding: Finding, risk: float) -> Finding:
        if risk < self._high:
            return finding
        return finding._replace(severity=Severity(min(finding.severity + 1, Severity.critical)))

    def _call(self, action: Action, cells: Cells) -> Observation:
        session = session_sum(action.session_id)
        memory = Memory(cells)
        told = memory.of(session)
        if not told:
            return NOTHING
        asked = asked_of(cells, session) or NOT_ASKED
        call = _read(action)
        best, strongest, by_value = told[0][1], -(1 << 15), False
        for place, one in told:
            signs = call_signs(call, one.held, asked)
            strength = call_strength(signs)
            if strength > strongest:
                best, strongest, by_value = one, strength, bool(signs[_VALUE])
            if signs[_VALUE] and not one.held.is_pursued:
                memory.put(place, one._replace(held=one.held._replace(is_pursued=True)))
        risk = probability(strongest)
        changes = memory.changes()
        if risk < self._least:
            return Observation(changes) if changes else NOTHING
        return Observation(
            changes, (self._carried_out(action, best, call, asked, by_value, risk),), risk=risk
        )

    def _carried_out(
        self, action: Action, told: Told, call: Call, asked: Asked, by_value: bool, risk: float
    ) -> Finding:
        source = unpack_id(told.event)
        about = TAINTED if by_value else UNASKED
        name = short(action.tool or action.action, 100)
        which = (
            "uses what only an instruction in an earlier result names"
            if by_value
            else ("does what an instruction in an earlier result says, and not what was asked")
        )
        spans = (*_value_spans(action, told, call, asked), Span(source, "content", told.start, told.end, ""))
        finding = found(
            about, action, f"{name} {which}", what=name, score=risk,
            since=Since(action.received_at, (source,)), spans=spans,
        )  # fmt: skip
        return self._graded(finding, risk)


def _prompt(action: Action, cells: Cells) -> Observation:
    content = action.content or ""
    asked = asked_in(content[:LOOKED_AT])
    changes = remember_asked(cells, session_sum(action.session_id), action.received_at, asked)
    return Observation(changes, errors=_cut(content, 0))


def _cut(content: str, count: int) -> tuple[str, ...]:
    errors = []
    if len(content) > LOOKED_AT:
        errors.append(f"only {LOOKED_AT} of the {len(content)} characters of content were looked at")
    if count > MOST_DIRECTIVES:
        errors.append(f"only {MOST_DIRECTIVES} of {count} directives were looked at")
    return tuple(errors)


def _names(asked: Asked, resource: str) -> bool:
    words = word_sums(words_in(lowered(resource)))
    return value_sum(resource) in asked.values or (bool(words) and words <= asked.words)


def _read(action: Action) -> Call:
    try:
        arguments = action.parsed()
    except Unreadable:
        arguments = {"": (action.arguments or "")[:LOOKED_AT]}
    if action.resource:
        arguments = {**arguments, "": action.resource} if not arguments else arguments
    return call_of(action.tool or action.action, arguments)


def _value_spans(action: Action, told: Told, call: Call, asked: Asked) -> tuple[Span, ...]:
    """Where in the arguments the first value stands that the directive names and the user does not."""
    text = action.arguments or ""
    lower = lowered(text)
    for value in call.values:
        in_told = value.sum in told.held.values or (value.words and value.words <= told.held.words)
        if in_told and value.sum not in asked.values and not value.words <= asked.words:
            at = lower.find(value.text)
            if at >= 0:
                end = at + len(value.text)
                return (Span(action.event_id, "arguments", at, end, shown(text[at:end])),)
    return ()
