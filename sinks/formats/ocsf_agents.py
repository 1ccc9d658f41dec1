"""OCSF 1.9.0: what 1.8.0 says, with the agent where 1.9 has a place for it.

Source: github.com/ocsf/ocsf-schema, profile `ai_operation` and object `ai_agent` of 1.9: the agent is no
longer described as the application that acts; the model is its agent's; every activity takes the profile.
"""

import json
from typing import Any

from schemas.codec import Record
from sinks.formats import ocsf
from sinks.sink import Event

VERSION = "1.9.0"


def document(event: Event) -> dict[str, Any]:
    """The event as an OCSF object of 1.9.0."""
    found = ocsf.document(event)
    record = event.record
    found["metadata"] = found["metadata"] | {"version": VERSION}
    if event.kind == "decision":
        _activity(found, record)
    elif event.kind == "threat":
        found["evidences"] = [_evidence(found["evidences"][0], agent(record))]
    else:
        old = found.get("evidences", ())
        new = [_evidence(e, {"uid": e["actor"]["app_uid"], "name": e["actor"]["app_name"]}) for e in old]
        found |= {"evidences": new} if new else {}
    return found


def line(event: Event) -> bytes:
    """The same as one line of JSON."""
    return json.dumps(document(event), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _activity(found: dict[str, Any], record: Record) -> None:
    profiles = found["metadata"]["profiles"]
    if "ai_operation" not in profiles:
        found["metadata"] = found["metadata"] | {"profiles": [*profiles, "ai_operation"]}
    found["ai_agent"] = agent(record)
    model = found.pop("ai_model", None)
    if model:
        found["ai_agent"]["ai_model"] = model
    found["actor"] = _others(found["actor"])


def agent(record: Record) -> dict[str, Any]:
    """The agent: its stable id, its session as its instance."""
    found = {"uid": record["agent_id"], "name": record["agent_id"], "type_id": 0, "type": "Unknown"}
    if record.get("session_id"):
        found["instance_uid"] = record["session_id"]
    return found


def _evidence(old: dict[str, Any], who: dict[str, Any]) -> dict[str, Any]:
    """1.9 asks for one of others beside the agent, so that the actor stays."""
    return {**old, "ai_agent": {"type_id": 0, "type": "Unknown", **who}}


APPLICATION = ("app_uid", "app_name")


def _others(actor: dict[str, Any]) -> dict[str, Any]:
    """Who acts beside the agent; the agent again, where a class asks for an actor and there is nobody."""
    rest = {name: value for name, value in actor.items() if name not in APPLICATION}
    return rest or actor
