r"""LEEF 2.0, QRadar's Log Event Extended Format: tab-delimited attributes behind a header of bars.

`LEEF:2.0|Praetor|Praetor|1|<event id>|x09|key=value<TAB>…`, as IBM's guide has it. The format knows no
escaping: delimiters and line breaks within values become spaces, bars in the header `/`.
"""

from typing import Any

from schemas.codec import Record
from sinks.formats.words import RANKS, iso, name_of, responses_of, rule_of, sentence_of, signature_of, time_of
from sinks.sink import Event

HEAD = "LEEF:2.0|Praetor|Praetor|1"
SEVERITIES = (1, 1, 3, 5, 8, 10)
"""By our rank: LEEF has 1 to 10."""


def document(event: Event) -> dict[str, Any]:
    """The attributes; predefined ones of LEEF first, then ours."""
    record = event.record
    fields: dict[str, Any] = {
        "devTime": iso(time_of(event)),
        "devTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSX",
        "cat": event.kind,
        "sev": SEVERITIES[RANKS.get(record.get("severity", "unknown"), 0)],
        "name": name_of(event),
        "reason": sentence_of(event),
        "uid": event.id,
    }
    if event.kind == "incident":
        return _clean(fields | _incident(record))
    fields |= {"usrName": record["agent_id"], "tenant": record["tenant"], "session": record["session_id"]}
    fields["tags"] = ",".join(record["tags"])
    if event.kind == "decision":
        fields |= {"action": record["action"], "resource": record["resource"], "tool": record["tool"]}
        fields |= {"effect": record["effect"], "policy": rule_of(record), "bundle": record["bundle"]}
    else:
        fields |= {"detector": record["detector"], "score": round(record["score"] * 100)}
    return _clean(fields)


def _incident(record: Record) -> dict[str, Any]:
    lists = {
        name: ",".join(record.get(name, ())) for name in ("agents", "sessions", "tools", "resources", "tags")
    }
    return {
        "incident": record["incident_id"],
        "group": record["group_key"],
        "status": record["status"],
        "change": record.get("change"),
        "revision": record.get("revision"),
        "tenant": record.get("tenant"),
        "usrName": (record.get("agents") or [""])[0],
        **lists,
        "detectors": ",".join(d["detector"] for d in record.get("detectors", ())),
        "threats": record.get("threat_count"),
        "denials": record.get("denial_count"),
        "responses": "; ".join(responses_of(record)),
        "runbook": record.get("runbook"),
    }


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (None, "")}


def line(event: Event) -> bytes:
    """The event as one line."""
    head = f"{HEAD}|{_plain(signature_of(event)).replace('|', '/')}|x09|"
    return (head + "\t".join(f"{k}={_plain(v)}" for k, v in document(event).items())).encode(
        "utf-8", "replace"
    )


SPACES = dict.fromkeys((*range(0x20), 0x7F, 0x85, 0x2028, 0x2029), " ")


def _plain(value: Any) -> str:
    return str(value).translate(SPACES)
