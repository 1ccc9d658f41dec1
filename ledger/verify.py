"""Verify one partition's log: its leaves against its signed checkpoints."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.checkpoint import Checkpoint
from ledger.findings import Finding, Kind, place_of, runs
from ledger.heads import PlacedNote, Signed, forks, open_notes, retired, rolled_back
from ledger.keys import VerifyKey
from ledger.merkle import HASH_SIZE
from ledger.rollover import trust
from ledger.tree import Tree


@dataclass(frozen=True, slots=True)
class Span:
    """Sizes that the same keys signed (their names and hashes), from the least to the greatest of them."""

    keys: tuple[str, ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Report:
    """What verifying a partition's log came to.

    Attributes:
        origin: the log: `<log_id>/<partition>`.
        leaves: sequence numbers that are present.
        verified: sizes of signed checkpoints whose root is that of the leaves present, ascending.
        unverified: sizes that are signed and were not found to be so, ascending.
        findings: what was found, harmless ones too.
        not_excluded: what these inputs cannot rule out, in sentences.
        spans: which keys signed which sizes, ascending.
    """

    origin: str
    leaves: int
    verified: tuple[int, ...]
    unverified: tuple[int, ...]
    findings: tuple[Finding, ...]
    not_excluded: tuple[str, ...]
    spans: tuple[Span, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong (harmless findings aside)."""
        return all(finding.harmless for finding in self.findings)


def verify_partition(
    origin: str,
    leaves: Iterable[tuple[int, bytes]],
    notes: Iterable[PlacedNote],
    known: Iterable[VerifyKey],
    witnesses: Iterable[PlacedNote] = (),
) -> Report:
    """Verify that the leaves are complete and are the ones that were signed.

    Args:
        origin: the log: `<log_id>/<partition>`.
        leaves: (sequence number, leaf hash), from 0, in any order. All are held in memory (≈ 200 bytes each).
        notes: the log's checkpoints, in the order of publication (a decreasing size is a roll-back).
        known: the keys whose signatures count.
        witnesses: checkpoints kept outside of the log's reach.

    Not promised: what `Report.not_excluded` lists. That records are what their leaves say is for
    `ledger.records`.
    """
    present, findings = _collect(origin, leaves)
    length = max(present, default=-1) + 1
    signed, outside, wrong = heads(origin, notes, witnesses, known)
    findings += wrong
    everything = sorted(signed + outside, key=lambda one: one.checkpoint.size)
    complete = next((seq for seq in range(length) if seq not in present), length)
    tree = Tree(present[seq] for seq in range(complete))
    right = [one for one in everything if _is_root(tree, one.checkpoint)]
    findings += forks(everything) + _wrong_roots(origin, tree.size, everything, right)
    findings += _ends(origin, length, everything)
    verified = sorted({one.checkpoint.size for one in right})
    rest = {one.checkpoint.size for one in everything} - set(verified)
    excluded = _not_excluded(length, verified, outside)
    of = (tuple(verified), tuple(sorted(rest)), tuple(findings), excluded)
    return Report(origin, len(present), *of, spans(right))


def heads(
    origin: str, notes: Iterable[PlacedNote], witnesses: Iterable[PlacedNote], known: Iterable[VerifyKey]
) -> tuple[list[Signed], list[Signed], list[Finding]]:
    """The log's checkpoints and the outsider's, by keys that count, and what is wrong with them as such.

    Keys that a known one handed over to count too (`ledger.rollover`).
    """
    inside, kept = list(notes), list(witnesses)
    trusted = trust(origin, (one.text for one in inside + kept), known)
    signed, bad = open_notes(origin, inside, trusted)
    outside, bad_outside = open_notes(origin, kept, trusted)
    wrong = bad + bad_outside + retired(signed + outside, trusted) + rolled_back(signed, outside)
    return signed, outside, wrong


def spans(right: Iterable[Signed]) -> tuple[Span, ...]:
    """Which keys signed from where on."""
    found: list[Span] = []
    for one in sorted(right, key=lambda one: one.checkpoint.size):
        keys, size = tuple(sorted(key.id for key in one.by)), one.checkpoint.size
        if found and found[-1].keys == keys:
            found[-1] = Span(keys, found[-1].first, size)
        else:
            found.append(Span(keys, size, size))
    return tuple(found)


def _collect(origin: str, leaves: Iterable[tuple[int, bytes]]) -> tuple[dict[int, bytes], list[Finding]]:
    present: dict[int, bytes] = {}
    twice: dict[int, bool] = {}
    findings = []
    for seq, leaf in leaves:
        if seq < 0 or len(leaf) != HASH_SIZE:
            message = f"a leaf of {len(leaf)} bytes where {HASH_SIZE} belong, at sequence number {seq}"
            findings.append(Finding(Kind.MALFORMED_LEAF, place_of(origin, seq, seq), message))
        elif seq in present:
            twice[seq] = twice.get(seq, True) and present[seq] == leaf
        else:
            present[seq] = leaf
    for alike, what in ((True, "the same leaf"), (False, "another leaf")):
        for first, last in runs(seq for seq in sorted(twice) if twice[seq] is alike):
            message = f"present more than once, with {what}"
            findings.append(Finding(Kind.DUPLICATE, place_of(origin, first, last), message))
    before = 0
    for first, last in runs(sorted(present)):
        if first > before:
            message = f"missing: {first - before} of the leaves up to {last}"
            findings.append(Finding(Kind.GAP, place_of(origin, before, first - 1), message))
        before = last + 1
    return present, findings


def _is_root(tree: Tree, checkpoint: Checkpoint) -> bool:
    return checkpoint.size <= tree.size and tree.root(checkpoint.size) == checkpoint.root


def _wrong_roots(origin: str, complete: int, everything: list[Signed], right: list[Signed]) -> list[Finding]:
    """Above the last size whose root is right, leaves were changed; below it, another history was signed."""
    last_right = max((one.checkpoint.size for one in right), default=0)
    good = {one.checkpoint for one in right}
    right_sizes = {one.checkpoint.size for one in right}
    wrong = [one for one in everything if one.checkpoint.size <= complete and one.checkpoint not in good]
    findings = []
    for one in wrong:
        size = one.checkpoint.size
        if size <= last_right and size not in right_sizes:
            message = (
                f"its root of size {size} is not that of the leaves, which size {last_right} signs as well"
            )
            findings.append(Finding(Kind.FORK, one.place, message))
    above = [one for one in wrong if one.checkpoint.size > last_right]
    if above:
        size = above[0].checkpoint.size
        message = (
            f"the leaves do not give the root signed for size {size} at {above[0].place}: one of sequence"
            f" numbers {last_right} to {size - 1} was changed; up to size {last_right} all is as signed"
        )
        findings.append(Finding(Kind.ROOT_MISMATCH, place_of(origin, last_right, size - 1), message))
    return findings


def _ends(origin: str, length: int, everything: list[Signed]) -> list[Finding]:
    if not everything:
        message = (
            f"{length} leaves and no valid checkpoint: nothing can be verified (a log's first"
            " checkpoint comes about a second after its first decision)"
        )
        return [Finding(Kind.UNSIGNED, place_of(origin, 0, length - 1), message)] if length else []
    newest = everything[-1]
    size = newest.checkpoint.size
    if size > length:
        message = f"{size} leaves were signed at {newest.place}, but the log ends after {length}"
        return [Finding(Kind.TRUNCATED, place_of(origin, length, size - 1), message)]
    if size < length:
        message = f"{length - size} leaves after the last checkpoint, of size {size}: not signed yet"
        return [Finding(Kind.UNSIGNED_TAIL, place_of(origin, size, length - 1), message)]
    return []


def _not_excluded(length: int, verified: list[int], outside: list[Signed]) -> tuple[str, ...]:
    last = max(verified, default=0)
    held = max((one.checkpoint.size for one in outside if one.checkpoint.size in verified), default=0)
    sentences = []
    if length > last:
        sentences.append(
            f"a change of the leaves {last} to {length - 1}, which no verified checkpoint covers"
        )
    since = f"after size {held}, the witness's" if held else "at any point: there is no witness"
    sentences.append(f"leaves cut off together with the checkpoints that signed them ({since})")
    sentences.append(f"another history shown to others by whoever holds the key ({since})")
    return tuple(sentences)
