r"""CEF, ArcSight's Common Event Format, version 0 (CEF:0), as its guide of 2023 has it.

`CEF:0|Praetor|Praetor|1|<rule>|<name>|<severity 0-10>|key=value …`. In the header `\` and `|` are escaped,
in values `\`, `=`, and line breaks as `\n` and `\r`. Custom strings carry a label each (`cs1Label=…`).
"""

from collections.abc import Sequence
from typing import Any

from schemas.codec import Record
from sinks.formats.words import RANKS, name_of, responses_of, rule_of, sentence_of, signature_of, time_of
from sinks.sink import Event

HEAD = "CEF:0|Praetor|Praetor|1"
SEVERITIES = (0, 1, 3, 5, 8, 10)
"""By our rank: CEF's 0 to 3 are low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high."""
LONGEST = 1023
"""Characters of a value: what most dictionaries of CEF allow."""


def document(event: Event) -> dict[str, Any]:
    """The extension's keys and values, before any escaping."""
    record = event.record
    fields: dict[str, Any] = {
        "rt": time_of(event),
        "externalId": event.id,
        "cat": event.kind,
        "msg": sentence_of(event),
    }
    if event.kind == "incident":
        return _clean(fields | _incident(record))
    fields |= {"suser": record["agent_id"], "suid": f"{record['tenant']}/{record['agent_id']}"}
    labelled = [("tenant", record["tenant"]), ("session", record["session_id"])]
    if event.kind == "decision":
        fields |= {"act": record["effect"], "request": record["resource"], "outcome": record["outcome"]}
        fields |= {"sproc": record["tool"], "duser": record["on_behalf_of"]}
        fields["in"] = record["size_bytes"] or None
        labelled += [("rule", rule_of(record)), ("action", record["action"]), ("bundle", record["bundle"])]
    else:
        fields |= {"cn1": round(record["score"] * 100), "cn1Label": "score"}
        labelled += [("detector", record["detector"]), ("dedup", record["dedup_key"])]
    labelled.append(("tags", ",".join(record["tags"])))
    return _clean(fields | _labelled("cs", labelled))


def _incident(record: Record) -> dict[str, Any]:
    counted = [("threats", record.get("threat_count")), ("denials", record.get("denial_count"))]
    counted.append(("revision", record.get("revision")))
    labelled = [
        ("group", record["group_key"]),
        ("tenant", record.get("tenant")),
        ("agents", ",".join(record.get("agents", ()))),
        ("detectors", ",".join(d["detector"] for d in record.get("detectors", ()))),
        ("tags", ",".join(record.get("tags", ()))),
        ("incident", record["incident_id"]),
    ]
    fields = {"act": record.get("change"), "outcome": record["status"], "start": record["opened_at"]}
    fields["reason"] = "; ".join(responses_of(record))
    return fields | _labelled("cs", labelled) | _labelled("cn", counted)


def _labelled(prefix: str, values: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """CEF's custom fields, a label beside each."""
    found: dict[str, Any] = {}
    for number, (label, value) in enumerate(values, start=1):
        if value not in (None, ""):
            found |= {f"{prefix}{number}": value, f"{prefix}{number}Label": label}
    return found


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (None, "")}


def line(event: Event) -> bytes:
    """The event as one line."""
    severity = SEVERITIES[RANKS.get(event.record.get("severity", "unknown"), 0)]
    head = "|".join((HEAD, _head(signature_of(event)), _head(name_of(event)), str(severity)))
    extension = " ".join(f"{key}={_value(value)}" for key, value in document(event).items())
    return f"{head}|{extension}".encode("utf-8", "replace")


CONTROLS = (*range(0x20), 0x7F, 0x85, 0x2028, 0x2029)
VALUE = dict.fromkeys(CONTROLS) | {ord("\\"): "\\\\", ord("="): "\\=", ord("\r"): "\\r", ord("\n"): "\\n"}


def _head(text: str) -> str:
    return " ".join(text[:LONGEST].splitlines()).replace("\\", "\\\\").replace("|", "\\|")


def _value(value: Any) -> str:
    return str(value)[:LONGEST].translate(VALUE)
