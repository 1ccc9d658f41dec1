"""Each check of the verifier is needed: with any one of them off, cases of the mutator are missed."""

import pytest

from tests.tampering.checker import false_findings, faults
from tests.tampering.mutator import KINDS, a_case
from tests.tampering.places import verify

CHECKS = [
    ("flip", "ledger.records._check_leaf", lambda *_: []),
    ("flip", "ledger.records._check_text", lambda *_: []),
    ("flip", "cli.ledger.sources._fields", lambda _: frozenset(("arguments_bytes", "arguments_sha256"))),
    ("drop", "ledger.records._gaps", lambda *_: iter(())),
    ("swap", "ledger.heads.rolled_back", lambda *_: []),
    ("swap", "cli.ledger.kafka.misplaced", lambda *_: []),
    ("truncate", "ledger.verify._ends", lambda *_: []),
    ("fork", "ledger.verify._wrong_roots", lambda *_: []),
    ("fork", "ledger.verify.open_notes", lambda _o, _n, _k: ([], [])),
    ("re-sign", "ledger.keys.VerifyKey.verifies", lambda *_: True),
    ("splice", "cli.ledger.sources.belongs", lambda *_: True),
]


@pytest.mark.parametrize(("kind", "check", "off"), CHECKS, ids=[f"{k}, {c}" for k, c, _ in CHECKS])
def test_without_a_check_cases_are_missed(
    kind: str, check: str, off: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.ledger.clickhouse.SETTLE_SECONDS", 0)
    at = KINDS.index(kind)
    seeds = [seed for seed in range(2000) if seed // 2 % len(KINDS) == at][:60]
    cases = [a_case(seed) for seed in seeds]
    assert missed(cases) == 0
    monkeypatch.setattr(check, off)
    if check == "ledger.heads.rolled_back":
        monkeypatch.setattr("ledger.verify.rolled_back", off)
    assert missed(cases) > 0


def missed(cases: list) -> int:  # type: ignore[type-arg]
    count = 0
    for case in cases:
        keys = [case.log.key.verify_key]
        results = verify(case.log.log_id, case.copy, case.clickhouse, keys, case.change.witness)
        count += bool(faults(case, false_findings(results)))
    return count
