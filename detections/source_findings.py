"""The findings about producers' numbering, in words. docs/reconcile.md says what to do about each."""

from typing import NamedTuple

from detections.source_cell import Epoch
from schemas.action import Action
from schemas.keys import agent_key
from schemas.verdict import Finding, Severity

HIDDEN = ("ASI10",)
FORGED = ("ASI03", "ASI10")


class Kind(NamedTuple):
    """What findings of a kind have in common."""

    detector: str
    severity: Severity
    tags: tuple[str, ...]


GAP = Kind("source-gap", Severity.medium, HIDDEN)
FILLED = Kind("source-filled", Severity.informational, ())
UNCLOSED = Kind("source-unclosed", Severity.low, HIDDEN)
MISCOUNTED = Kind("source-miscounted", Severity.medium, HIDDEN)
OVERRUN = Kind("source-miscounted", Severity.medium, FORGED)
REGRESSION = Kind("source-regression", Severity.high, FORGED)


def gap(action: Action, epoch: Epoch, first: int, last: int) -> Finding:
    """Numbers were passed over."""
    title = "Gap at the source" if first else "A producer's numbers do not begin at 0"
    message = (
        f"{span(first, last)} of {source_of(epoch)} did not come for this agent: lost before Kafka, held"
        " back, sent to a wrong partition, or dead letters"
    )
    place = f"{first}-{last}"
    return _finding(GAP, title, action, epoch, place, message)


def filled(action: Action, epoch: Epoch) -> Finding:
    """The last hole that was remembered is filled."""
    message = (
        f"what was missing of {source_of(epoch)} has come late: everything up to {epoch.next - 1} is here"
    )
    if epoch.floor:
        message += f" (from {epoch.floor} on; before it nothing is remembered)"
    title = "A gap at the source is filled"
    return _finding(FILLED, title, action, epoch, f"{epoch.next}", message)


def unclosed(action: Action, epoch: Epoch, number: int) -> Finding:
    """An epoch's successor begins, and its closing count has not come."""
    message = (
        f"epoch {number} begins, but {source_of(epoch)} was not closed: it came up to {epoch.next - 1}, and"
        " whether more was sent nobody can tell. The producer died, or its last events were lost"
    )
    title = "A producer's epoch ended without its closing count"
    return _finding(UNCLOSED, title, action, epoch, "end", message)


def miscounted(action: Action, epoch: Epoch, count: int) -> Finding:
    """A closing count is not what came."""
    missing = sum(last - first + 1 for first, last in epoch.holes)
    beyond = epoch.next - 1 - count
    ranges = ", ".join(span(first, last) for first, last in epoch.holes)
    told = [f"{missing} of them are missing ({ranges})"] * bool(missing)
    told += [f"{beyond} came beyond that"] * bool(beyond > 0)
    message = f"{source_of(epoch)} was closed with a count of {count} events, but {' and '.join(told)}"
    title = "A closing count does not match what came"
    return _finding(MISCOUNTED, title, action, epoch, f"{count}", message)


def overrun(action: Action, epoch: Epoch, seq: int) -> Finding:
    """An epoch goes on after its closing count."""
    message = f"{source_of(epoch)} was closed, but goes on with event {seq}: it runs twice, or is forged"
    title = "A closed epoch goes on"
    return _finding(OVERRUN, title, action, epoch, "overrun", message)


def regression(action: Action, newest: Epoch, number: int) -> Finding:
    """An epoch older than the newest one goes on."""
    message = (
        f"epoch {number} of producer {_name(newest)} sends after epoch {newest.number} has begun: an old"
        " process still runs, or its name is forged"
    )
    title = "A producer's epoch goes backwards"
    return _finding(REGRESSION, title, action, newest, f"after-{number}", message)


def span(first: int, last: int) -> str:
    """One number or a range, in words."""
    return f"event {first}" if first == last else f"events {first} to {last}"


def source_of(epoch: Epoch) -> str:
    """Whose epoch it is, in words."""
    return f"producer {_name(epoch)}, epoch {epoch.number},"


def _name(epoch: Epoch) -> str:
    return repr(epoch.producer.decode())


def _finding(kind: Kind, title: str, action: Action, epoch: Epoch, place: str, message: str) -> Finding:
    agent = agent_key(action.tenant, action.agent_id).decode()
    return Finding(
        detector=kind.detector,
        title=title,
        severity=kind.severity,
        score=1.0,
        evidence=(action.event_id,),
        first_at=epoch.heard_at or action.received_at,
        last_at=action.received_at,
        tags=kind.tags,
        dedup_key=f"{kind.detector}/{agent}/{epoch.producer.decode()}/{epoch.number}/{place}",
        message=message,
    )
