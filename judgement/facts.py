"""What conditions see of an agent and a session: read from its cells as they were before the action."""

from collections.abc import Mapping

from detections.activity import CELL as ACTIVITY
from detections.activity import read_activity
from detections.detector import FAILURES
from detections.sessions import CELL as SESSIONS
from detections.sessions import read_session
from policies.errors import Unjudgeable
from schemas.action import Action


def read_facts(action: Action, cells: Mapping[str, bytes]) -> dict[str, int]:
    """`agent.<name>` and `session.<name>` by whole name; all 0 for a new one. Ages are whole seconds.

    Raises:
        Unjudgeable: a cell is not what it must be.
    """
    try:
        activity = cells.get(ACTIVITY)
        agent = read_activity(activity) if activity else None
        session = read_session(cells.get(SESSIONS), action.session_id)
    except FAILURES as error:
        raise Unjudgeable(f"what is known of the agent cannot be read: {error}") from error
    facts: dict[str, int] = {}
    for holder, known in (("agent", agent), ("session", session)):
        actions, denials, first, last = known or (0, 0, action.received_at, action.received_at)
        facts[f"{holder}.actions"] = actions
        facts[f"{holder}.denials"] = denials
        facts[f"{holder}.age_seconds"] = (action.received_at - first) // 1000
        facts[f"{holder}.idle_seconds"] = (action.received_at - last) // 1000
    return facts
