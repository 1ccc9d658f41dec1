"""`praetor policy rejudge` on a real log: equal, byte for byte, or the missing item is named."""

import json
import re
from collections import Counter

import pytest

from judgement.engine import ENGINE
from schemas.codec import decode
from streams.keyring import CONTROL, create_key
from tests.rejudge.conftest import PARTITIONS, Judged, sampled


@pytest.fixture(scope="module")
def busy(log: Judged) -> int:
    """The partition with more decisions."""
    return max(range(PARTITIONS), key=lambda p: len(log.outputs.decisions[p]))


@pytest.fixture(scope="module")
def behind(log: Judged, busy: int) -> tuple[int, str]:
    """The last decision of an agent that has a snapshot, and who that is in SQL."""
    snapshot = decode(log.outputs.snapshots[busy][0].value, "snapshot")
    who = f"tenant = '{snapshot['tenant']}' AND agent_id = '{snapshot['agent_id']}' AND partition = {busy}"
    routed = "NOT arrayExists(r -> r.rule = 'misrouted', reasons)"
    ((seq,),) = log.rows(f"SELECT max(seq) FROM decisions WHERE {who} AND {routed}")
    return int(seq), who


def test_a_thousand_random_decisions_are_derived_equal(log: Judged) -> None:
    total = 0
    for partition, records in log.outputs.decisions.items():
        if records:
            found = sampled(log, "--partition", str(partition), "--sample", "700", "--seed", "7")
            assert found == {"total": found["total"], "equal": found["total"], "unequal": [], "missing": []}
            total += found["total"]
    assert total >= 1_000
    decisions = [decode(r.value, "decision") for of in log.outputs.decisions.values() for r in of]
    assert len({d["bundle"] for d in decisions}) >= 4 and {d["engine"] for d in decisions} == {ENGINE}
    assert Counter(d["agent_id"] for d in decisions).most_common(1)[0][1] > 1_000
    assert any(log.outputs.snapshots.values())
    found = {decode(r.value, "threat")["detector"] for of in log.outputs.threats.values() for r in of}
    assert len(found) >= 25


def test_kafka_alone_says_the_same(log: Judged, busy: int, behind: tuple[int, str]) -> None:
    found = sampled(log, "--partition", str(busy), "--sample", "60", "--from", "kafka")
    assert (found["equal"], found["total"]) == (60, 60)
    words = ("--partition", str(busy), "--seq", str(behind[0]), "--json")
    said = [log.told(*words, "--from", place)[1].splitlines()[-1] for place in ("kafka", "clickhouse")]
    one, same = map(json.loads, said)
    assert one == same
    value = next(
        r.value or b"" for r in log.outputs.decisions[busy] if decode(r.value, "decision")["seq"] == behind[0]
    )
    assert value.endswith(bytes.fromhex(one["verdict"])) and one["verdict"] == one["recorded"]
    assert one["equal"] and one["snapshot"] is not None and one["differences"] == []


def test_one_decision_in_words(log: Judged, busy: int, behind: tuple[int, str]) -> None:
    code, said = log.told("--partition", str(busy), "--seq", str(behind[0]))
    assert code == 0 and "equal to the recorded bytes" in said and "NOT" not in said
    assert re.search(r"the snapshot before seq \d+, \d+ actions judged again since", said)


def test_a_decision_that_was_changed_is_told_field_by_field(
    log: Judged, busy: int, behind: tuple[int, str]
) -> None:
    seq, _ = behind
    changed = log.database(
        "ALTER TABLE decisions UPDATE severity = 'critical', tags = ['X']"
        f" WHERE seq = {seq} AND partition = {busy}"
    )
    code, said = log.told("--partition", str(busy), "--seq", str(seq), database=changed)
    assert code == 1 and "NOT equal to the recorded bytes" in said
    assert "severity: recorded critical, derived" in said and "tags: recorded ['X'], derived" in said
    assert "effect:" not in said


def test_what_is_missing_is_named_one_by_one(log: Judged, busy: int, behind: tuple[int, str]) -> None:
    """One damage after the other, each to an earlier decision than the one before: the first met is told."""
    seq, who = behind
    before = f"SELECT seq FROM decisions WHERE {who} AND seq < {seq} ORDER BY seq DESC LIMIT 5"
    of_order, of_bundle, of_engine, of_text, gone = (row[0] for row in log.rows(before))
    update = "ALTER TABLE decisions UPDATE"
    cases = [
        (of_order, f"{update} control_offset = 4000", "agent.control ends at offset .*control offset 4000"),
        (of_bundle, f"{update} bundle = 'sha256:x'", "bundle sha256:x .*that put it in force is missing"),
        (of_engine, f"{update} engine = '2'", f"judged by engine 2, and this version .*engine {ENGINE}"),
        (
            of_text,
            f"{update} content = NULL, content_digest = unhex(repeat('ab', 32))",
            r"was erased from ClickHouse \(content\)",
        ),
        (gone, "DELETE FROM decisions", "on, between where .* are gone from ClickHouse"),
        (seq, "DELETE FROM decisions", "is not in ClickHouse: it keeps"),
    ]
    damaged = log.database()
    for at, damage, message in cases:
        log.change(damaged, f"{damage} WHERE partition = {busy} AND seq = {at}")
        code, said = log.told("--partition", str(busy), "--seq", str(seq), database=damaged)
        assert code == 1 and re.search(rf"seq {at}\b.*{message}", said), said


def test_a_snapshot_that_is_gone_with_what_was_before_it_is_named(
    log: Judged, busy: int, behind: tuple[int, str]
) -> None:
    seq, _ = behind
    words = ("--partition", str(busy), "--seq", str(seq))
    none = "TRUNCATE TABLE snapshots"
    code, said = log.told(*words, database=log.database(none))
    assert (code, "a new agent" in said) == (0, True), "all since the beginning is there"
    gone = log.database(none, f"DELETE FROM decisions WHERE partition = {busy} AND seq < {seq - 100}")
    code, said = log.told(*words, database=gone)
    assert code == 1 and re.search(r"no snapshot of agent .* and decisions before seq \d+ are gone", said)


def test_a_wrong_log_partition_key_or_choice_is_told(
    log: Judged, busy: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    there = ("--partition", str(busy), "--seq", "1")
    assert log.told(*there, "--log-id", "other")[1].endswith("so what ruled in it is not known")
    assert "has partitions 0 to 1, not 9" in log.told("--partition", "9", "--seq", "1")[1]
    assert log.told("--partition", "0")[0] == 2
    assert log.told(*there, "--sample", "3")[0] == 2
    folder = tmp_path_factory.mktemp("other")
    create_key(folder, CONTROL, "stranger")
    said = log.told(*there, env={"PRAETOR_KEYS_DIR": str(folder)})[1]
    assert "holds no log order that the given keys believe" in said
