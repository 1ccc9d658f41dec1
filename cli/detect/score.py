"""`praetor detect score`: the risk of every recorded call and result."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from cli.detect.judging import judge_traces
from cli.policy.options import Paths
from cli.policy_files import load_files
from cli.sending import progress_bar
from judgement.rules import compile_rules
from runtime.errors import PraetorError

Actions = Annotated[
    str, typer.Argument(help="Recorded traces, JSON lines, plain or gzip; - is standard input.")
]


def score(
    actions: Actions,
    paths: Paths = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write; standard output by default.")
    ] = None,
) -> None:
    """Judge recorded traces by the live path, and write the risk of each call and each result.

    One line of JSON a step and phase: trace_id, step, phase (call or result), score (0 to 1). Policies and
    detections are those that are shipped, or those of PATHS. Each trace is an agent of its own. A file with a
    bad line writes what comes before it, and fails.

    Example: praetor detect score actions.jsonl.gz --output predictions.jsonl
    """
    rules = compile_rules(load_files(paths).bundle())
    with _opened(output) as out, progress_bar() as progress:
        for trace_id, step, phase, risk, _ in judge_traces(actions, rules, progress):
            out.write(json.dumps({"trace_id": trace_id, "step": step, "phase": phase, "score": risk}) + "\n")


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    try:
        with output.open("w") as out:
            yield out
    except OSError as error:
        raise PraetorError(f"cannot write {output}: {error.strerror or error}") from error
