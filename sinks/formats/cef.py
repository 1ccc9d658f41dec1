r"""CEF, ArcSight's Common Event Format, version 0 (CEF:0), as its guide of 2023 has it.

`CEF:0|Praetor|Praetor|1|<rule>|<name>|<severity 0-10>|key=value …`. In the header `\` and `|` are escaped,
in values `\`, `=`, and line breaks as `\n` and `\r`. Custom strings carry a label each (`cs1Label=…`).
"""

from typing import Any

from sinks.formats.words import RANKS, name_of, rule_of, sentence_of, signature_of, time_of
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
        return fields | {"cs1": record["group_key"], "cs1Label": "group", "reason": record["response"]}
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
    for number, (label, value) in enumerate(labelled, start=1):
        if value:
            fields |= {f"cs{number}": value, f"cs{number}Label": label}
    return {key: value for key, value in fields.items() if value not in (None, "")}


def line(event: Event) -> bytes:
    """The event as one line."""
    severity = SEVERITIES[RANKS.get(event.record.get("severity", "unknown"), 0)]
    head = "|".join((HEAD, _head(signature_of(event)), _head(name_of(event)), str(severity)))
    extension = " ".join(f"{key}={_value(value)}" for key, value in document(event).items())
    return f"{head}|{extension}".encode("utf-8", "replace")


def _head(text: str) -> str:
    return " ".join(text[:LONGEST].splitlines()).replace("\\", "\\\\").replace("|", "\\|")


def _value(value: Any) -> str:
    text = str(value)[:LONGEST]
    for raw, escaped in (("\\", "\\\\"), ("=", "\\="), ("\r", "\\r"), ("\n", "\\n")):
        text = text.replace(raw, escaped)
    return "".join(c for c in text if c >= " " and c not in "\x7f\x85\u2028\u2029")
