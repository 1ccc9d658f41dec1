"""1,000 seeded ways to tamper with a log are found where they were done; 1,000 honest logs raise no alarm.

The copies are in memory, in the shapes that the broker and ClickHouse yield; test_real.py puts a sample of
the same cases through a real broker and the real ClickHouse engine.
"""

from collections import Counter

import pytest

from tests.tampering.checker import admits, false_findings, faults
from tests.tampering.clean import a_log
from tests.tampering.formats import read
from tests.tampering.mutator import KINDS, a_case
from tests.tampering.places import verify

CASES = 1080
CLEAN = 1000


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in memory does not settle by waiting."""
    monkeypatch.setattr("cli.ledger.clickhouse.SETTLE_SECONDS", 0)


def test_every_case_is_found_at_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    count: Counter[tuple[str, bool]] = Counter()
    found: Counter[tuple[str, bool]] = Counter()
    witnessed: Counter[str] = Counter()
    wrong = []
    for seed in range(CASES):
        case = a_case(seed)
        keys = [case.log.key.verify_key]
        count[case.kind, case.clickhouse] += 1
        if case.change.witness:
            witnessed[case.kind] += 1
            without = verify(case.log.log_id, case.copy, case.clickhouse, keys, [])
            told = {result.log.partition: result.not_excluded for result in without}
            if not false_findings(without) and not admits(case, told):
                wrong.append(f"{case}: without a witness the output does not say what is not excluded")
        results = verify(case.log.log_id, case.copy, case.clickhouse, keys, case.change.witness)
        problems = faults(case, false_findings(results))
        found[case.kind, case.clickhouse] += not problems
        wrong += [f"{case}: {problem}" for problem in problems]
    with capsys.disabled():
        print(table(count, found, witnessed))
    assert not wrong, "\n".join(wrong[:20]) + f"\n{len(wrong)} in all"
    assert min(count.values()) * len(KINDS) * 2 >= 1000


def table(count: Counter[tuple[str, bool]], found: Counter[tuple[str, bool]], witnessed: Counter[str]) -> str:
    """The count by kind and place."""
    lines = [f"\n{'tampering':<12}{'Kafka':>14}{'ClickHouse':>14}{'with a witness':>17}"]
    for kind in KINDS:
        places = [f"{found[kind, c]} of {count[kind, c]}" for c in (False, True)]
        lines.append(f"{kind:<12}{places[0]:>14}{places[1]:>14}{witnessed[kind] or '-':>17}")
    lines.append(f"{'in all':<12}{sum(found.values()):>14} of {sum(count.values())} found at their place")
    return "\n".join(lines)


def test_honest_logs_raise_no_alarm() -> None:
    decisions = 0
    for seed in range(CLEAN):
        log = a_log(1_000_000 + seed, most=400 if seed % 20 == 0 else 60)
        kept = [held.checkpoints[-1] for held in log.partitions.values() if held.checkpoints]
        witness = [read(value)["note"] for value in kept]
        for clickhouse in (False, True):
            copy = log.copy(clickhouse)
            if clickhouse and not any(held.decisions for held in copy.values()):
                continue  # ClickHouse knows nothing of a log before its first decision
            results = verify(log.log_id, copy, clickhouse, [log.key.verify_key], witness if seed % 2 else [])
            assert not false_findings(results), (seed, clickhouse, false_findings(results))
            assert all(result.status == "ok" for result in results)
            decisions += sum(result.report.leaves for result in results)
    assert decisions > 10_000
