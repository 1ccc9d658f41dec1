"""Recorded traces judged by the live path: the shipped policies and detections, each trace an agent."""

from collections.abc import Iterator
from typing import NamedTuple

from rich.progress import Progress

from cli.recordings import open_recording
from cli.traces import TraceLine, TraceReader
from judgement.judge import judge
from judgement.rules import Rules
from runtime.errors import Malformed, PraetorError
from schemas.action import Action, read_action
from schemas.model import encode_action

BEGUN_MICROS = 1_767_614_400_000_000
"""2026-01-05T12:00:00Z: when every replay begins, so that it is judged the same each time."""
MOST_TOLD = 20
SHOWN_PHASES = ("call", "result")


class Judged(NamedTuple):
    """What came of one phase of one step.

    Attributes:
        trace_id, step, phase: which.
        risk: 0 to 1.
        found: the kinds of findings, muted ones left out.
    """

    trace_id: str
    step: int
    phase: str
    risk: float
    found: tuple[str, ...]


def read_traces(name: str, progress: Progress) -> Iterator[tuple[TraceLine, list[Action]]]:
    """Every line of a file of traces and its actions: prompt (where a trace begins), call, result.

    Raises:
        PraetorError: the file cannot be read, or lines are bad: their numbers and mistakes, at the end.
    """
    reader = TraceReader(BEGUN_MICROS)
    mistakes: list[str] = []
    with open_recording(name) as recording:
        bar = progress.add_task("judging", total=recording.total)
        for number, line in enumerate(recording.lines, 1):
            if not line.strip():
                continue
            try:
                records = reader.read(number, line)
                framed = [(encode_action(record)[1], record["occurred_at"] // 1000) for record in records]
            except (Malformed, ValueError) as mistake:
                mistakes.append(f"line {number}: {mistake}")
                continue
            if not mistakes:
                yield TraceLine.model_validate_json(line), [read_action(*pair) for pair in framed]
            if number % 200 == 0:
                progress.update(bar, completed=recording.position())
        progress.update(bar, completed=recording.position(), total=recording.position())
    if mistakes:
        more = len(mistakes) - MOST_TOLD
        shown = mistakes[:MOST_TOLD] + ([f"... and {more} more"] if more > 0 else [])
        raise PraetorError("\n".join([f"{name}: {len(mistakes)} bad lines", *shown]))


def judge_traces(name: str, rules: Rules, progress: Progress) -> Iterator[Judged]:
    """Judge every call and result, in order; each trace is an agent that nothing was known of.

    Raises:
        PraetorError: as `read_traces`.
    """
    trace, cells = "", dict[str, bytes]()
    for line, actions in read_traces(name, progress):
        if line.trace_id != trace:
            trace, cells = line.trace_id, {}
        for action in actions:
            judged = judge(action, cells, rules)
            for cell, value in judged.changes.items():
                if value:
                    cells[cell] = value
                else:
                    cells.pop(cell, None)
            if action.phase in SHOWN_PHASES:
                found = tuple(f.detector for f in judged.findings if f.muted_by is None)
                yield Judged(line.trace_id, line.step, action.phase, judged.risk, found)
