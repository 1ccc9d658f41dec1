"""Verify records against the ledger: each record's leaf recomputed, each erasable text digested again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ledger.digest import leaf_of, text_digest
from ledger.findings import Finding, Kind, place_of, runs


@dataclass(frozen=True, slots=True)
class Text:
    """An erasable text of a record: its field's name, its digest, the text (None: erased, or never there)."""

    field: str
    digest: bytes | None
    text: bytes | None


@dataclass(frozen=True, slots=True)
class Record:
    """A stored record as the ledger sees it.

    Attributes:
        seq: its sequence number.
        leaf: the leaf hash that the record itself holds, 32 bytes.
        parts: slices of its bytes that the leaf binds, in order (`ledger.digest.leaf_of`).
        salt: what salts its texts' digests; None once erased, or where a producer set none.
        texts: its erasable texts.
    """

    seq: int
    leaf: bytes
    parts: Sequence[bytes]
    salt: bytes | None = None
    texts: Sequence[Text] = ()


@dataclass(frozen=True, slots=True)
class RecordsReport:
    """What checking records came to: how many, how many texts are as digested, how many erased."""

    records: int
    texts_verified: int
    texts_erased: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong. Erased texts are not wrong, and not verified either."""
        return not self.findings


def check_records(
    origin: str, records: Iterable[Record], leaves: Mapping[int, bytes], expected: range | None = None
) -> RecordsReport:
    """Check each record against the ledger's leaf of its sequence number.

    Args:
        origin: the log, for places: `<log_id>/<partition>`.
        records: the records, in any order.
        leaves: the ledger's leaves, verified by `ledger.verify.verify_partition`.
        expected: sequence numbers of which a record must be there; all of `leaves`, if not given. Retention
            may have removed earlier ones.

    Not promised: anything on a text that is erased, beyond that a digest of it exists.
    """
    findings: list[Finding] = []
    seen: set[int] = set()
    twice: set[int] = set()
    total = verified = erased = 0
    for record in records:
        total += 1
        (twice if record.seq in seen else seen).add(record.seq)
        findings += _check_leaf(origin, record, leaves.get(record.seq))
        for text in record.texts:
            findings += _check_text(origin, record, text)
            erased += text.text is None and text.digest is not None
            verified += _is_bound(record, text)
    for first, last in _missing(seen, leaves) if expected is None else _gaps(seen, expected):
        message = "no record, though the ledger has its leaf"
        findings.append(Finding(Kind.RECORD_MISSING, place_of(origin, first, last), message))
    for first, last in runs(sorted(twice)):
        message = "more than one record of a sequence number"
        findings.append(Finding(Kind.RECORD_DUPLICATE, place_of(origin, first, last), message))
    return RecordsReport(total, verified, erased, tuple(findings))


def _missing(seen: set[int], wanted: Iterable[int]) -> Iterator[tuple[int, int]]:
    return runs(sorted(seq for seq in wanted if seq not in seen))


def _gaps(seen: set[int], expected: range) -> Iterator[tuple[int, int]]:
    """What `seen` leaves out of `expected`; a forged number of 2^60 costs no more than one of 5."""
    before = expected.start
    for first, last in runs(sorted(seq for seq in seen if seq in expected)):
        if first > before:
            yield before, first - 1
        before = last + 1
    if before < expected.stop:
        yield before, expected.stop - 1


def _check_leaf(origin: str, record: Record, leaf: bytes | None) -> list[Finding]:
    place = place_of(origin, record.seq, record.seq)
    if leaf is None:
        return [Finding(Kind.RECORD_UNKNOWN, place, "a record of which the ledger has no leaf")]
    computed = leaf_of(record.parts)
    if computed == leaf == record.leaf:
        return []
    found = "its own leaf" if computed != record.leaf else "the ledger's leaf"
    message = f"the record's bytes give leaf {computed.hex()}, which is not {found}: the record was changed"
    return [Finding(Kind.LEAF_MISMATCH, place, message)]


def _is_bound(record: Record, text: Text) -> bool:
    return text.text is not None and text_digest(record.salt, text.field, text.text) == text.digest


def _check_text(origin: str, record: Record, text: Text) -> list[Finding]:
    place = place_of(origin, record.seq, record.seq)
    if text.text is None or _is_bound(record, text):
        return []
    if text.digest is None:
        return [
            Finding(Kind.TEXT_UNBOUND, place, f"{text.field}: a text, but the record holds no digest of it")
        ]
    return [
        Finding(Kind.TEXT_MISMATCH, place, f"{text.field}: the text is not the one its digest was made of")
    ]
