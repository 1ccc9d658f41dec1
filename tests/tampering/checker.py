"""Whether what a verifier found is what was done, and is said to be where it was done."""

import re
from collections.abc import Sequence

from cli.ledger.verify import Result
from ledger.findings import Finding
from tests.tampering.mutator import Case

PLACE = re.compile(
    r"(?P<log>\S+)/(?P<p>\d+) seq (?P<first>-?\d+)(?:-(?P<last>\d+))?"
    r"|(?P<prefix>\S*)agent\.(?P<topic>decisions|checkpoints)/(?P<q>\d+) offset (?P<offset>\d+)"
    r"|ClickHouse checkpoint of (?P<of>\S+)/(?P<r>\d+) size (?P<size>\d+)"
    r"|(?P<witness>.*), note (?P<number>\d+)"
)


def false_findings(results: Sequence[Result]) -> list[Finding]:
    return [one for result in results for one in result.findings if not one.harmless]


def place_of(finding: Finding) -> re.Match[str]:
    """The log's place that a finding names; of a witness's note, the one that its message names first."""
    found = PLACE.fullmatch(finding.place)
    assert found, finding.place
    if found["witness"]:
        found = PLACE.match(finding.message)
        assert found and found["p"], finding.message
    return found


def partition_of(finding: Finding) -> int:
    found = place_of(finding)
    return int(found["p"] or found["q"] or found["r"])


def names_place(case: Case, finding: Finding) -> bool:
    """Whether a finding names the partition, and a sequence number or an offset of what was touched."""
    p = partition_of(finding)
    if p not in case.change.touched:
        return False
    found, touched = place_of(finding), case.change.touched[p]
    if found["topic"] == "checkpoints" or found["size"]:
        return True
    if found["topic"]:
        return int(found["offset"]) in touched
    first = int(found["first"])
    return first < touched.stop and int(found["last"] or first) >= touched.start


def faults(case: Case, found: Sequence[Finding]) -> list[str]:
    """What is wrong with these findings for this case."""
    if not found:
        return ["nothing was found"]
    wrong = []
    if not any(names_place(case, one) for one in found):
        wrong.append(f"found, but not at its place: {found}")
    elsewhere = [one for one in found if partition_of(one) not in case.change.touched]
    if elsewhere and not case.change.strays:
        wrong.append(f"false alarms beside it: {elsewhere}")
    return wrong


def admits(case: Case, not_excluded: dict[int, Sequence[str]]) -> bool:
    """Whether without the witness the output says that it cannot exclude what was done here.

    Args:
        case: the case.
        not_excluded: the sentences for each partition that the output speaks of.
    """
    (p,) = case.change.touched
    if p in not_excluded:
        return any("there is no witness" in sentence for sentence in not_excluded[p])
    return all(any("vanished from here" in sentence for sentence in told) for told in not_excluded.values())
