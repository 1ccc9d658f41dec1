"""Which OCSF class an action is: one table from the action's words to class, activity and its own object.

Source: schema.ocsf.io 1.8.0, and the mapping that ocsf-schema #1736 agreed on (a shell command is Process
Activity, a tool's call is API Activity of activity Other).
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from schemas.codec import Record

Object = dict[str, Any]


class ActivityClass(NamedTuple):
    """A class of OCSF.

    Attributes:
        uid: class_uid; its category is uid // 1000.
        name: class_name.
        category: category_name.
        activities: activity_id and activity_name by the action's verb; `""` is for all others.
        own: the objects that this class asks for.
        profiles: what it takes beside `security_control` in 1.8.0: `ai_operation` for the model, `host` where
            it has no actor of its own.
    """

    uid: int
    name: str
    category: str
    activities: Mapping[str, tuple[int, str]]
    own: Callable[[Record], Object]
    profiles: tuple[str, ...] = ()


FILE_ACTIVITIES = {
    "create": (1, "Create"),
    "read": (2, "Read"),
    "write": (3, "Update"),
    "edit": (3, "Update"),
    "update": (3, "Update"),
    "append": (3, "Update"),
    "delete": (4, "Delete"),
    "remove": (4, "Delete"),
    "rename": (5, "Rename"),
    "move": (5, "Rename"),
    "": (99, "Other"),
}
HTTP_ACTIVITIES = {
    "get": (3, "Get"),
    "fetch": (3, "Get"),
    "read": (3, "Get"),
    "post": (6, "Post"),
    "send": (6, "Post"),
    "put": (7, "Put"),
    "delete": (2, "Delete"),
    "": (99, "Other"),
}
DATASTORE_ACTIVITIES = {
    "read": (1, "Read"),
    "update": (2, "Update"),
    "connect": (3, "Connect"),
    "query": (4, "Query"),
    "write": (5, "Write"),
    "insert": (5, "Write"),
    "create": (6, "Create"),
    "delete": (7, "Delete"),
    "": (99, "Other"),
}
API_ACTIVITIES = {
    "create": (1, "Create"),
    "read": (2, "Read"),
    "list": (2, "Read"),
    "update": (3, "Update"),
    "delete": (4, "Delete"),
    "": (99, "Invoke"),
}


def _file(record: Record) -> Object:
    path = record["resource"] or "unknown"
    name = path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path
    return {"file": {"name": name, "path": path, "type_id": 1}, "device": device(record)}


def _process(record: Record) -> Object:
    process: Object = {"uid": record["event_id"]}
    if record["resource"]:
        process["cmd_line"] = record["resource"]
    return {"process": process, "device": device(record)}


def _http(record: Record) -> Object:
    url: Object = {"url_string": record["resource"] or "unknown"}
    try:
        parts = urlsplit(record["resource"])
        if parts.hostname:
            url |= {"hostname": parts.hostname, "scheme": parts.scheme}
    except ValueError:
        pass  # what is no URL is told as it stands
    return {"http_request": {"uid": record["event_id"], "url": url}}


def _datastore(record: Record) -> Object:
    return {"table": {"name": record["resource"] or "unknown"}, "src_endpoint": endpoint(record)}


def _api(record: Record) -> Object:
    operation = "tools/call" if record["tool"] else record["action"]
    api: Object = {"operation": operation, "request": {"uid": record["event_id"]}}
    if record["tool_server"]:
        api["service"] = {"name": record["tool_server"]}
    named = [(record["tool"], "tool"), (record["resource"], "resource")]
    found: Object = {"api": api, "src_endpoint": endpoint(record)}
    resources = [{"name": name, "type": kind} for name, kind in named if name]
    return found | ({"resources": resources} if resources else {})


def device(record: Record) -> Object:
    """Where it happened, as far as is known: the agent stands for its host."""
    return {"type_id": 0, "type": "Unknown", "uid": record["agent_id"], "name": record["agent_id"]}


def endpoint(record: Record) -> Object:
    """Who asked, seen from the network: all that is known is the agent."""
    return {"uid": record["agent_id"], "name": record["agent_id"]}


FILE = ActivityClass(1001, "File System Activity", "System Activity", FILE_ACTIVITIES, _file)
PROCESS = ActivityClass(
    1007, "Process Activity", "System Activity", {"": (1, "Launch")}, _process, profiles=("ai_operation",)
)
HTTP = ActivityClass(4002, "HTTP Activity", "Network Activity", HTTP_ACTIVITIES, _http, profiles=("host",))
DATASTORE = ActivityClass(
    6005,
    "Datastore Activity",
    "Application Activity",
    DATASTORE_ACTIVITIES,
    _datastore,
    profiles=("ai_operation",),
)
API = ActivityClass(
    6003, "API Activity", "Application Activity", API_ACTIVITIES, _api, profiles=("ai_operation",)
)

CLASSES: Mapping[str, ActivityClass] = {
    **dict.fromkeys(("file", "directory", "folder", "path"), FILE),
    **dict.fromkeys(("shell", "process", "command", "code", "script"), PROCESS),
    **dict.fromkeys(("url", "http", "web", "page"), HTTP),
    **dict.fromkeys(("database", "table", "sql", "vector", "memory", "row", "record"), DATASTORE),
}
"""By the object behind an action's verb (`read:file`); all others are API Activity."""


def class_of(action: str) -> tuple[ActivityClass, int, str]:
    """The class of an action, its activity_id and activity_name."""
    verb, _, noun = action.lower().partition(":")
    found = CLASSES.get(noun, API)
    number, name = found.activities.get(verb, found.activities[""])
    return found, number, name
