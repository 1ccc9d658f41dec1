"""OCSF as columns: which there are for each class, so that every object has the same ones, filled or not.

A kind is the name of a plain one, a mapping (a struct), or a list of one kind. `json` is text; `map` has text
as keys and values. One table for 1.8.0 and 1.9.0.
"""

import json
from collections.abc import Mapping
from typing import Any

Kind = str | dict[str, Any] | list[Any]
Columns = Mapping[str, Kind]

NAMED: Kind = {"uid": "string", "name": "string"}
MODEL: Kind = {"name": "string", "ai_provider": "string"}
AGENT: Kind = {
    "uid": "string",
    "instance_uid": "string",
    "name": "string",
    "type_id": "int",
    "type": "string",
    "ai_model": MODEL,
}
ACTOR: Kind = {
    "app_uid": "string",
    "app_name": "string",
    "session": {"uid": "string"},
    "user": {"name": "string", "type_id": "int"},
    "invoked_by": "string",
}
METADATA: Kind = {
    "version": "string",
    "product": {"name": "string", "vendor_name": "string"},
    "profiles": ["string"],
    "uid": "string",
    "log_name": "string",
    "sequence": "long",
    "tenant_uid": "string",
    "correlation_uid": "string",
    "original_time": "string",
}
BASE: Columns = {
    "class_uid": "int",
    "class_name": "string",
    "category_uid": "int",
    "category_name": "string",
    "activity_id": "int",
    "activity_name": "string",
    "type_uid": "long",
    "severity_id": "int",
    "severity": "string",
    "time": "long",
    "message": "string",
    "status_id": "int",
    "status": "string",
    "action_id": "int",
    "action": "string",
    "disposition_id": "int",
    "disposition": "string",
    "is_alert": "bool",
    "metadata": METADATA,
    "unmapped": "map",
}
ACTIVITY: Columns = {
    **BASE,
    "actor": ACTOR,
    "ai_agent": AGENT,
    "ai_model": MODEL,
    "message_context": {
        "ai_role_id": "int",
        "ai_role": "string",
        "application": NAMED,
        "prompt_tokens": "long",
        "completion_tokens": "long",
        "total_tokens": "long",
    },
    "policy": {"name": "string", "uid": "string", "is_applied": "bool"},
    "firewall_rule": NAMED,
    "trace": {"uid": "string"},
}
DEVICE: Kind = {"type_id": "int", "type": "string", "uid": "string", "name": "string"}
API: Kind = {"operation": "string", "request": {"uid": "string"}, "service": {"name": "string"}}
FINDING: Columns = {
    **BASE,
    "finding_info": {
        "uid": "string",
        "title": "string",
        "desc": "string",
        "types": ["string"],
        "created_time": "long",
        "modified_time": "long",
        "first_seen_time": "long",
        "last_seen_time": "long",
        "analytic": {"uid": "string", "name": "string", "type_id": "int", "type": "string"},
        "related_events": [{"uid": "string"}],
        "attacks": [{"technique": NAMED, "version": "string"}],
    },
    "evidences": [{"actor": ACTOR, "ai_agent": AGENT, "data": "json"}],
    "remediation": {"desc": "string"},
    "risk_score": "int",
    "confidence_score": "int",
    "start_time": "long",
    "end_time": "long",
    "count": "long",
}
COLUMNS: Mapping[int, Columns] = {
    1001: {**ACTIVITY, "file": {"name": "string", "path": "string", "type_id": "int"}, "device": DEVICE},
    1007: {**ACTIVITY, "process": {"uid": "string", "cmd_line": "string"}, "device": DEVICE},
    2004: FINDING,
    4002: {
        **ACTIVITY,
        "http_request": {
            "uid": "string",
            "url": {"url_string": "string", "hostname": "string", "scheme": "string"},
        },
    },
    6003: {
        **ACTIVITY,
        "api": API,
        "resources": [{"name": "string", "type": "string"}],
        "src_endpoint": NAMED,
    },
    6005: {**ACTIVITY, "table": {"name": "string"}, "src_endpoint": NAMED},
}
"""By class_uid: all that the formats `ocsf` make."""


def row(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document's values by the columns of its class; what no column has is added to `unmapped`."""
    columns = COLUMNS[document["class_uid"]]
    strangers = {name: value for name, value in document.items() if name not in columns}
    whole = {**document, "unmapped": {**document.get("unmapped", {}), **strangers}}
    return {name: _fit(whole.get(name), kind) for name, kind in columns.items()}


def _fit(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if isinstance(kind, dict):
        return {name: _fit(value.get(name), inner) for name, inner in kind.items()}
    if isinstance(kind, list):
        return [_fit(inner, kind[0]) for inner in value]
    if kind == "map":
        return [(name, _text(inner)) for name, inner in value.items()]
    return _text(value) if kind == "json" else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
