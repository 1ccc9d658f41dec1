"""A finding, told where it stands in the log: a record of agent.threats."""

from typing import Any

from schemas.action import Action
from schemas.codec import encode
from schemas.verdict import Finding


def threat_record(place: dict[str, Any], action: Action, finding: Finding, bundle: str) -> bytes:
    """Frame a finding. `place` holds log_id, partition, source_offset and seq of its decision."""
    return encode(
        "threat",
        {
            **place,
            **finding._asdict(),
            "spans": [span._asdict() for span in finding.spans],
            "severity": finding.severity.name,
            "received_at": action.received_at,
            "tenant": action.tenant,
            "agent_id": action.agent_id,
            "session_id": action.session_id,
            "bundle": bundle,
        },
    )
