"""The recorded traces of real agents, read whole."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from rich.progress import Progress

from cli.replay import Format, check_file
from cli.spool import Spool
from schemas.action import read_action

pytestmark = pytest.mark.interop

TRACES = Path(__file__).parents[3] / "shared" / "traces" / "actions.jsonl.gz"


def test_every_recorded_call_becomes_its_events():
    with gzip.open(TRACES) as file:
        calls = [json.loads(line) for line in file]
    traces = {call["trace_id"] for call in calls}
    with Spool() as spool:
        check_file(str(TRACES), Format.trace, spool, Progress(disable=True))
        actions = [read_action(value, 0) for _, value in spool.records()]
    assert Counter(action.get("phase") for action in actions) == {
        "prompt": len(traces),
        "call": len(calls),
        "result": len(calls),
    }
    assert len({action.event_id for action in actions}) == len(actions)
    recorded = [(call["trace_id"], call["tool"], call["args"]) for call in calls]
    assert recorded == [
        (action.session_id, action.tool, json.loads(action.arguments or ""))
        for action in actions
        if action.get("phase") == "call"
    ]
