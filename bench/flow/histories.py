"""Recorded traces as flow sees them: what was asked; per step the call, and directives in its result."""

import gzip
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from cli.detect.quality import Label
from cli.traces import resource_of
from detections.flow.asked import Asked, asked_in
from detections.flow.call import Call, call_of
from detections.flow.directive import Directive, directives
from detections.flow.signs import directive_signs
from detections.flow.text import lowered, unfolded, value_sum, word_sums, words_in

SEEN_IN = 3
"""Attacks that a sentence must stand in to be taken for the injected one."""

Lines = list[dict[str, Any]]


class Read(NamedTuple):
    """A directive in a result, its text (to tell whether it was injected) and its signs."""

    text: str
    directive: Directive
    signs: tuple[int, ...]


class Step(NamedTuple):
    number: int
    call: Call
    reads: tuple[Read, ...]
    is_named: bool


class History(NamedTuple):
    label: Label
    asked: Asked
    steps: tuple[Step, ...]


def read_lines(path: Path) -> Lines:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return [json.loads(line) for line in file if line.strip()]


def histories(actions: Lines, labels: dict[str, Label]) -> list[History]:
    traces: dict[str, Lines] = defaultdict(list)
    for line in actions:
        traces[line["trace_id"]].append(line)
    known: dict[str, list[tuple[str, Directive]]] = {}
    return [_history(labels[name], lines, known) for name, lines in traces.items()]


def _history(label: Label, lines: Lines, known: dict[str, list[tuple[str, Directive]]]) -> History:
    asked = asked_in(lines[0]["user_prompt"])
    steps = []
    for line in lines:
        result = line["result"]
        text = result if isinstance(result, str) else "" if result is None else json.dumps(result)
        text = "\n".join(part for part in (text, line["error"]) if part)
        if text not in known:
            flat = unfolded(text)
            found = directives(flat, lowered(flat))
            known[text] = [(" ".join(flat[d.start : d.end].split()), d) for d in found]
        resource = resource_of(line["args"])
        words = word_sums(words_in(lowered(resource)))
        named = bool(resource) and (
            value_sum(resource) in asked.values or (bool(words) and words <= asked.words)
        )
        reads = tuple(Read(t, d, directive_signs(d, asked, named)) for t, d in known[text])
        steps.append(Step(line["step"], call_of(line["tool"], line["args"]), reads, named))
    return History(label, asked, tuple(steps))


class Sentences(NamedTuple):
    """By suite: those that are part of an injection, and those that are not; of others nobody can tell."""

    injected: dict[str, set[str]]
    clean: dict[str, set[str]]


def sentences(all_of: list[History]) -> Sentences:
    """Tell injected sentences from others.

    The labels name the step, not the sentence; so a sentence of that step's result is taken for injected
    where several attacks have it and nobody reads it but where an injection is.
    """
    clean: dict[str, set[str]] = defaultdict(set)
    met: dict[str, Counter[str]] = defaultdict(Counter)
    for label, _, steps in all_of:
        exposed = label.first_exposed_step if label.cls in ("attack_acted", "attack_resisted") else None
        for step in steps:
            texts = {read.text for read in step.reads}
            if exposed is None or step.number < exposed:
                clean[label.suite] |= texts
            elif step.number == exposed:
                met[label.suite].update(texts)
    injected = {
        suite: {text for text, count in seen.items() if count >= SEEN_IN} - clean[suite]
        for suite, seen in met.items()
    }
    return Sentences(injected, clean)
