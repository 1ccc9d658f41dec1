"""`praetor ledger verify` on a log that is as it was made, or of which retention took its part."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from schemas.topics import DECISIONS
from tests.ledger_cli.helpers import Judged, in_a_process, run


def total(judged: Judged) -> int:
    return sum(len(of) for of in judged.decisions.values())


@pytest.mark.parametrize("place", ["kafka", "clickhouse", "both"])
def test_what_was_judged_is_verified(judged: Judged, place: str) -> None:
    answer = judged.run("verify", "--from", place, "--json")
    assert (answer.code, answer.json["ok"], answer.findings()) == (0, True, [])
    partitions = answer.json["partitions"]
    places = {"kafka": ["Kafka"], "clickhouse": ["ClickHouse"], "both": ["Kafka", "ClickHouse"]}[place]
    assert [p["source"] for p in partitions] == places * judged.log.partitions
    for p in partitions:
        count = len(judged.decisions[p["partition"]])
        assert p["status"] == "ok" and p["log_id"] == judged.log_id
        assert (p["decisions"], p["tree_size"], p["records_checked"]) == (count, count, count)
        assert p["checkpoints"] == len(judged.checkpoints[p["partition"]]) >= p["sizes_verified"] >= 3
        assert p["texts_verified"] > 0 and p["texts_erased"] == 0
        assert any("no witness" in sentence for sentence in p["not_excluded"])


def test_one_partition(judged: Judged) -> None:
    partitions = judged.run("verify", "--partition", "1", "--json").json["partitions"]
    assert [p["partition"] for p in partitions] == [1]
    answer = judged.run("verify", "--partition", "7")
    assert answer.code == 1 and "no log of partition 7; there are: 0, 1, 2" in answer.error


def test_the_words_for_people(judged: Judged) -> None:
    answer = in_a_process("verify", "--from", "clickhouse", env=judged.env())
    assert (answer.code, answer.error) == (0, "")
    assert f"OK: 3 partitions, {total(judged)} decisions, from ClickHouse: all as signed" in answer.out
    assert "Not excluded:" in answer.out and f"{judged.log_id}/2" in answer.out


def test_a_prefix_that_is_not_there_is_said(judged: Judged) -> None:
    answer = in_a_process("verify", env=judged.env(prefix="other."))
    assert answer.code == 1 and answer.out == ""
    assert answer.error.startswith("praetor: topics are missing: other.agent.")


def test_an_empty_database_is_not_verified(judged: Judged) -> None:
    database = judged.database()
    for table in ("decisions", "leaves", "checkpoints"):
        judged.sql(database, f"TRUNCATE TABLE {table}")
    answer = judged.run("verify", "--from", "clickhouse", database=database)
    assert answer.code == 1 and "holds no ledger yet" in answer.error


def test_without_the_public_key_nothing_is_verified(judged: Judged, tmp_path_factory: object) -> None:
    answer = run("verify", env=judged.env() | {"PRAETOR_KEYS_DIR": "/nowhere"})
    assert answer.code == 1 and "no public key /nowhere/ledger.pub" in answer.error


@pytest.mark.parametrize("before", [40, -1])
def test_what_retention_removed_is_not_called_tampering(judged: Judged, before: int) -> None:
    prefix = judged.tampered()
    asyncio.run(judged.log.delete(prefix + DECISIONS.name, {1: before}))
    answer = judged.run("verify", "--json", prefix=prefix)
    assert (answer.code, answer.json["ok"], answer.findings()) == (1, False, [])
    states = {p["partition"]: (p["status"], p["gone"]) for p in answer.json["partitions"]}
    assert {p for p, (status, _) in states.items() if status == "incomplete"} == {1}
    assert "no longer in Kafka" in states[1][1] and "--from clickhouse" in states[1][1]
    words = judged.run("verify", prefix=prefix)
    assert words.code == 1 and "NOT VERIFIED: 1 of 3 partitions" in words.out
    assert "cannot be proven" in judged.run("prove", "--partition", "1", "--seq", "60", prefix=prefix).error


def test_what_retention_left_is_verified_with_clickhouse_for_the_rest(judged: Judged) -> None:
    prefix = judged.tampered()
    asyncio.run(judged.log.delete(prefix + DECISIONS.name, {1: 40}))
    answer = judged.run("verify", "--from", "both", "--json", prefix=prefix)
    assert (answer.code, answer.findings()) == (0, [])
    kafka = next(p for p in answer.json["partitions"] if (p["source"], p["partition"]) == ("Kafka", 1))
    assert kafka["tree_size"] == len(judged.decisions[1])
    assert kafka["records_checked"] == len(judged.decisions[1]) - 40
    assert "the leaves 0 to 39 are ClickHouse's" in kafka["remarks"][0]


def test_damage_in_what_retention_left_is_still_found(judged: Judged) -> None:
    prefix = judged.edited(1, lambda values: values.pop(50))
    asyncio.run(judged.log.delete(prefix + DECISIONS.name, {1: 40}))
    answer = judged.run("verify", "--json", prefix=prefix)
    assert answer.findings() == [("gap", f"{judged.log_id}/1 seq 50")]


def test_rows_past_the_tables_ttl_may_be_gone_and_others_may_not(judged: Judged) -> None:
    database = judged.database()
    size = min(p["size"] for p in judged.sizes(1))
    old = (datetime.now(UTC) - timedelta(days=401)).strftime("%Y-%m-%d %H:%M:%S")
    moved = f"SELECT * REPLACE(toDateTime64('{old}', 3, 'UTC') AS received_at) FROM checkpoints"
    judged.sql(database, f"INSERT INTO checkpoints {moved} WHERE partition = 1 AND size = {size}")
    judged.sql(database, f"DELETE FROM decisions WHERE partition = 1 AND seq < {size}")
    answer = judged.run("verify", "--from", "clickhouse", "--json", database=database)
    assert (answer.code, answer.findings()) == (0, [])
    one = answer.json["partitions"][1]
    assert one["records_checked"] == len(judged.decisions[1]) - size
    assert f"{size} decisions are older than the 400 days" in one["remarks"][0]
    judged.sql(database, f"DELETE FROM decisions WHERE partition = 1 AND seq = {size}")
    answer = judged.run("verify", "--from", "clickhouse", "--json", database=database)
    assert (answer.code, answer.findings()) == (1, [("record-missing", f"{judged.log_id}/1 seq {size}")])
