"""`python -m bench.flow ACTIONS LABELS`: fits the weights, and tries them where they were not fitted.

Prints the weights, then the tables of docs/detection-quality.md as Markdown. Takes some minutes.
"""

import argparse
from pathlib import Path

from bench.flow import altered
from bench.flow.fit import fit
from bench.flow.histories import History, histories, read_lines
from bench.flow.trial import Stops, hundredths, left_out, stops_of
from cli.detect.eval import read_labels
from cli.detect.quality import measure
from detections.flow.flow import FlowSettings
from detections.flow.signs import CALL_SIGNS, DIRECTIVE_SIGNS

AT = (FlowSettings().least_risk, FlowSettings().high_risk)
WITHOUT = {
    "values that only a directive names": frozenset({"value", "values", "all_told", "value_and_doing"}),
    "what tool and directive do": frozenset({"same_doing", "value_and_doing"}),
    "how much it looks like an instruction": frozenset({"strength"}),
    "what the user asked (calls)": frozenset({"asked_values", "asked_words", "asked_name"}),
    "what the user asked (results)": frozenset({"unasked_value", "unasked_words"}),
    "its place in the text": frozenset({"set_apart", "introduced", "brief", "listed"}),
    "whom it speaks to, what it steers": frozenset({"readers", "steering", "user"}),
    "what people write to each other": frozenset({"social"}),
    "that a source was entrusted": frozenset({"entrusted"}),
    "that it was pursued before": frozenset({"pursued"}),
}


def row(name: str, all_of: list[History], stops: Stops) -> None:
    labels = [h.label for h in all_of]
    cells = []
    for threshold in AT:
        q = measure(labels, stops, threshold)
        for rate, between in ((q.recall, q.recall_95), (q.fpr, q.fpr_95)):
            cells.append(
                "-" if rate is None or between is None else f"{rate:.1%} ({between[0]:.1%}-{between[1]:.1%})"
            )
        cells.append("-" if q.authorised is None else f"{q.authorised:.1%}")
    print(
        f"| {name} | {sum(x.cls == 'attack_acted' for x in labels)} | " + " | ".join(cells) + " |", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("actions", type=Path)
    parser.add_argument("labels", type=Path)
    given = parser.parse_args()
    labels = read_labels(str(given.labels))
    lines = read_lines(given.actions)
    all_of = histories(lines, labels)
    whole = fit(all_of)
    print(dict(zip((*DIRECTIVE_SIGNS, "bias"), hundredths(whole.directive), strict=True)))
    print(dict(zip((*CALL_SIGNS, "bias"), hundredths(whole.call), strict=True)))
    by_suite = left_out(all_of, lambda h: h.label.suite)
    row("all, suite left out", all_of, by_suite)
    for suite in sorted({h.label.suite for h in all_of}):
        own = [h for h in all_of if h.label.suite == suite]
        row(suite, own, by_suite)
    row("all, task left out (tenths)", all_of, left_out(all_of, lambda h: str(hash_of(h.label.cluster))))
    row("calls alone", all_of, left_out(all_of, lambda h: h.label.suite, phases="call"))
    row("results alone", all_of, left_out(all_of, lambda h: h.label.suite, phases="result"))
    for name, signs in WITHOUT.items():
        row(f"without {name}", all_of, left_out(all_of, lambda h: h.label.suite, signs))
    row("fitted to all", all_of, stops_of(all_of, whole))
    for what in (altered.identifiers, altered.blank_lines, altered.tool_names):
        changed = histories(what(lines), labels)
        row(f"fitted to all, other {what.__name__}", changed, stops_of(changed, whole))


def hash_of(cluster: str) -> int:
    return sum(map(ord, cluster)) % 10


if __name__ == "__main__":
    main()
