"""Verifies the logs of one place, and compares two places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cli.ledger.sources import Advance, Log, Source, Stored, Wanted
from ledger.findings import Finding, Kind, place_of, runs
from ledger.heads import PlacedNote, forks
from ledger.keys import VerifyKey
from ledger.verify import Report, heads, spans, verify_partition


@dataclass
class Result:
    """What verifying one log in one place came to.

    Attributes:
        source: the place.
        log: which log.
        stored: what was read; its leaves only until everything is concluded.
        report: of the leaves and checkpoints.
        findings: everything found, harmless things too.
    """

    source: str
    log: Log
    stored: Stored
    report: Report
    findings: list[Finding] = field(default_factory=list)

    @property
    def false(self) -> bool:
        """Whether anything is wrong."""
        return any(not finding.harmless for finding in self.findings)

    @property
    def not_excluded(self) -> tuple[str, ...]:
        """What these inputs cannot rule out, in sentences."""
        records = self.stored.records
        sentences = [*self.report.not_excluded, *self.stored.not_excluded]
        if records is None:
            sentences.append("a changed field or text: only leaves were checked (--no-records)")
        elif records.texts_erased:
            sentences.append("anything about the texts that are erased: only their digests stand")
        return tuple(sentences)

    @property
    def status(self) -> str:
        """`false`: something is wrong. `incomplete`: nothing is, but the log cannot be whole here. `ok`."""
        if self.false:
            return "false"
        return "incomplete" if self.stored.gone else "ok"


@dataclass(frozen=True)
class Evidence:
    """What a log is verified against: keys that count, and checkpoints kept outside, by origin."""

    keys: Sequence[VerifyKey]
    witness: Mapping[str, Sequence[PlacedNote]] = field(default_factory=dict)


def verify_log(source: Source, log: Log, evidence: Evidence, wanted: Wanted, advance: Advance) -> Result:
    """Read one log and verify it."""
    result = conclude(source.name, log, source.read(log, wanted, advance), evidence)
    result.stored.leaves = []
    return result


def verify_both(
    sources: tuple[Source, Source], log: Log, evidence: Evidence, wanted: Wanted, advance: Advance
) -> list[Result]:
    """Verify one log in Kafka and ClickHouse, and one against the other."""
    kafka, clickhouse = sources
    there = clickhouse.read(log, wanted, advance)
    here = kafka.read(log, wanted, advance)
    complete(here, there)
    results = [conclude(kafka.name, log, here, evidence), conclude(clickhouse.name, log, there, evidence)]
    compare(*results)
    here.leaves, there.leaves = [], []
    return results


def conclude(name: str, log: Log, stored: Stored, evidence: Evidence) -> Result:
    """Everything found in what was read."""
    result = Result(name, log, stored, judge(log, stored, evidence))
    result.findings = [*stored.findings, *result.report.findings]
    if stored.records is not None:
        result.findings += stored.records.findings
    return result


def judge(log: Log, stored: Stored, evidence: Evidence) -> Report:
    """The verifier's report; of a log whose start is gone, what can still be said."""
    witness = evidence.witness.get(log.origin, ())
    if not stored.gone:
        return verify_partition(log.origin, stored.leaves, stored.notes, evidence.keys, witness)
    signed, outside, findings = heads(log.origin, stored.notes, witness, evidence.keys)
    everything = signed + outside
    findings += forks(everything)
    present = sorted({seq for seq, _ in stored.leaves})
    for (_, last), (first, _) in pairwise(runs(present)):
        message = f"missing: {first - last - 1} of the leaves up to {first}"
        findings.append(Finding(Kind.GAP, place_of(log.origin, last + 1, first - 1), message))
    sizes = sorted({one.checkpoint.size for one in everything})
    if present and sizes and sizes[-1] > present[-1] + 1:
        message = f"{sizes[-1]} leaves were signed, but the log ends after {present[-1] + 1}"
        findings.append(
            Finding(Kind.TRUNCATED, place_of(log.origin, present[-1] + 1, sizes[-1] - 1), message)
        )
    excluded = (
        "any change of a decision together with its leaf: without the log's start no root can be computed",
    )
    return Report(
        log.origin, len(stored.leaves), (), tuple(sizes), tuple(findings), excluded, spans(everything)
    )


def complete(stored: Stored, other: Stored) -> None:
    """Give a log whose start is gone its missing first leaves, as another place holds them."""
    first = min((seq for seq, _ in stored.leaves), default=None)
    if not stored.gone or first is None:
        return
    before = [(seq, leaf) for seq, leaf in other.leaves if seq < first]
    if len(before) == first:
        stored.leaves = before + stored.leaves
        stored.remarks.append(f"the leaves 0 to {first - 1} are ClickHouse's: Kafka no longer has them")
        stored.gone = ""


def compare(kafka: Result, clickhouse: Result) -> None:
    """Add to Kafka's findings where the two places hold different leaves, or Kafka fewer.

    ClickHouse is read first, so what it holds must be in Kafka; that it holds less is the archive's lag.
    """
    ours, theirs = dict(kafka.stored.leaves), dict(clickhouse.stored.leaves)
    unlike = sorted(seq for seq, leaf in theirs.items() if ours.get(seq, leaf) != leaf)
    for first, last in runs(unlike):
        message = "Kafka and ClickHouse hold different leaves"
        kafka.findings.append(Finding(Kind.LEAF_MISMATCH, place_of(kafka.log.origin, first, last), message))
    end = max(ours, default=-1)
    for first, last in runs(sorted(seq for seq in theirs if seq > end)):
        if kafka.stored.gone and not ours:
            continue
        message = "ClickHouse has these decisions, Kafka ends before them"
        kafka.findings.append(Finding(Kind.TRUNCATED, place_of(kafka.log.origin, first, last), message))
    lag = sum(seq not in theirs for seq in ours)
    if lag:
        clickhouse.stored.remarks.append(f"{lag} decisions of Kafka are not (yet) in ClickHouse")
