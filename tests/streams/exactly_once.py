"""The checker of invariant 4: one action in, exactly one decision or one dead letter out."""

from collections.abc import Sequence
from typing import Any

from judgement.decision import leaf_of_record
from ledger.merkle import Frontier
from schemas.codec import decode
from tests.streams.reading import Outputs


def violations(source: dict[int, list[Any]], outputs: Outputs) -> list[str]:
    """Everything that is wrong with the outputs of a log that was judged to its end; empty if nothing is.

    `source` holds the committed records of agent.actions by partition. Records need an offset, key, value and
    timestamp, no more.
    """
    found: list[str] = []
    for p, records in source.items():
        decisions = [decode(r.value, "decision") for r in outputs.decisions[p]]
        dead = [decode(r.value, "dead_letter") for r in outputs.dead_letters[p]]
        found += [f"partition {p}: {what}" for what in _partition(records, decisions, dead)]
        leaves = [d["leaf"] for d in decisions]
        progress = outputs.progress[p]
        if progress.frontier != Frontier().extend(leaves):
            found.append(f"partition {p}: the tree of the progress record is not that of the decisions")
        # transactions' markers may stand behind the last record
        if records and progress.next_source_offset <= records[-1].offset:
            found.append(f"partition {p}: progress stands at {progress.next_source_offset}")
    return found


def _partition(records: Sequence[Any], decisions: Sequence[Any], dead: Sequence[Any]) -> list[str]:
    found = _counts(records, decisions, dead)
    if [d["seq"] for d in decisions] != list(range(len(decisions))):
        found.append("seq is not 0, 1, 2, …")
    offsets = [d["source_offset"] for d in decisions]
    if offsets != sorted(set(offsets)):
        found.append("decisions are not in the order of their actions")
    received = {r["source_offset"]: r["received_at"] for r in (*decisions, *dead)}
    highest = 0
    for record in records:
        highest = max(highest, record.timestamp)
        if received.get(record.offset, highest) != highest:
            found.append(f"received_at of offset {record.offset} is {received[record.offset]}, not {highest}")
    found += [f"leaf of seq {d['seq']} does not fit" for d in decisions if leaf_of_record(d) != d["leaf"]]
    return found


def _counts(records: Sequence[Any], decisions: Sequence[Any], dead: Sequence[Any]) -> list[str]:
    times: dict[int, int] = {record.offset: 0 for record in records}
    found = []
    for output in (*decisions, *dead):
        offset = output["source_offset"]
        if offset not in times:
            found.append(f"offset {offset} was judged, but is no committed action")
        else:
            times[offset] += 1
    found += [f"offset {offset} has {n} outputs, not one" for offset, n in times.items() if n != 1]
    return found
