"""`praetor detect eval`: what the detections are worth on labelled traces, and what each adds and costs."""

from typing import Annotated, Any

import typer
from pydantic import ValidationError

from cli.detect.costs import costs_of
from cli.detect.eval_text import tell
from cli.detect.judging import Judged, judge_traces
from cli.detect.quality import Label, Quality, Stop, fate, measure, threshold_for
from cli.detect.score import Actions
from cli.options import JsonOutput
from cli.policy.options import Paths
from cli.policy_files import load_files
from cli.recordings import open_recording
from cli.sending import progress_bar
from cli.telling import print_json
from detections.flow.flow import FlowSettings
from judgement.rules import compile_rules
from runtime.errors import PraetorError
from schemas.model import explain

MOST_TOLD = 20


def evaluate(
    actions: Actions,
    labels: Annotated[str, typer.Option(help="What is known of each trace, JSON lines, plain or gzip.")],
    paths: Paths = None,
    threshold: Annotated[
        list[float] | None, typer.Option(help="A risk from which on a trace is blocked; repeatable.")
    ] = None,
    fpr: Annotated[
        list[float] | None,
        typer.Option(help="Or the lowest that blocks this share of benign traces at most; repeatable."),
    ] = None,
    as_json: JsonOutput = False,
) -> None:
    """Judge recorded traces by the live path, and hold what is found against what is known of them.

    Told are recall (attacks blocked after the agent read the injection and before it first obeyed) and false
    positives with 95% intervals, the other classes, each suite, and for each kind of finding how many attacks
    and benign traces have it, how many attacks only it finds, and what its detector costs.

    Example: praetor detect eval actions.jsonl.gz --labels labels.jsonl.gz --fpr 0.05
    """
    known = read_labels(labels)
    rules = compile_rules(load_files(paths).bundle())
    with progress_bar() as progress:
        judged = _judged(judge_traces(actions, rules, progress), known)
        costs = costs_of(actions, progress)
    stops = {trace: [_stop(one) for one in ones] for trace, ones in judged.items()}
    at = [*(threshold or ()), *(threshold_for(list(known.values()), stops, share) for share in fpr or ())]
    if not at:
        at = [FlowSettings().least_risk, FlowSettings().high_risk]
    told: dict[str, Any] = {
        "all": [measure([*known.values()], stops, t)._asdict() for t in at],
        "suites": {s: [q._asdict() for q in rows] for s, rows in _by_suite(known, stops, at).items()},
        "findings": _findings(known, judged),
        "microseconds": costs,
    }
    if as_json:
        print_json(told)
    else:
        tell(told)


def read_labels(name: str) -> dict[str, Label]:
    """The labels of a file, by trace.

    Raises:
        PraetorError: the file cannot be read, or lines are bad: their numbers and mistakes.
    """
    known: dict[str, Label] = {}
    mistakes: list[str] = []
    with open_recording(name) as recording:
        for number, line in enumerate(recording.lines, 1):
            if not line.strip():
                continue
            try:
                label = Label.model_validate_json(line)
            except ValidationError as error:
                mistakes.append(f"line {number}: {explain(error)}")
                continue
            if label.trace_id in known:
                mistakes.append(f"line {number}: trace {label.trace_id} has a label already")
            if label.cls == "attack_acted" and not label.malicious_steps:
                mistakes.append(f"line {number}: an attack that was carried out needs malicious_steps")
            known[label.trace_id] = label
    if mistakes:
        more = [f"... and {len(mistakes) - MOST_TOLD} more"] if len(mistakes) > MOST_TOLD else []
        raise PraetorError("\n".join([f"{name}: {len(mistakes)} bad lines", *mistakes[:MOST_TOLD], *more]))
    return known


def _judged(judged: Any, known: dict[str, Label]) -> dict[str, list[Judged]]:
    held: dict[str, list[Judged]] = {}
    for one in judged:
        if one.trace_id not in known:
            raise PraetorError(f"trace {one.trace_id} has no label")
        held.setdefault(one.trace_id, []).append(one)
    return held


def _stop(one: Judged) -> Stop:
    is_call = one.phase == "call"
    return Stop(one.step if is_call else one.step + 1, is_call, one.risk)


def _by_suite(known: dict[str, Label], stops: Any, at: list[float]) -> dict[str, list[Quality]]:
    suites: dict[str, list[Label]] = {}
    for label in known.values():
        suites.setdefault(label.suite, []).append(label)
    return {name: [measure(own, stops, t) for t in at] for name, own in sorted(suites.items())}


def _findings(known: dict[str, Label], judged: dict[str, list[Judged]]) -> dict[str, dict[str, int]]:
    """For each kind: attacks and benign traces that have it in time, and attacks that only it has."""
    rows: dict[str, dict[str, int]] = {}
    for trace, ones in judged.items():
        label = known[trace]
        kinds: dict[str, list[Stop]] = {}
        for one in ones:
            for kind in one.found:
                kinds.setdefault(kind, []).append(_stop(one)._replace(risk=1.0))
        hits = {kind: fate(label, stops, 1.0) for kind, stops in kinds.items()}
        caught = [kind for kind, f in hits.items() if f.caught]
        for kind, f in hits.items():
            row = rows.setdefault(kind, {"attacks": 0, "alone": 0, "benign": 0, "authorised": 0})
            row["attacks"] += f.caught
            row["alone"] += caught == [kind]
            row["benign"] += label.cls == "benign"
            row["authorised"] += label.cls == "user_authorised"
    return dict(sorted(rows.items()))
