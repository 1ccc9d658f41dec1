"""Every way to change the log in ClickHouse is found, and where; to erase a text is no such way."""

import pytest

from tests.ledger_cli.helpers import Answer, Judged

ERASE = "UPDATE arguments = NULL, content = NULL, modified_arguments = NULL, salt = NULL"


def verify(judged: Judged, database: str) -> Answer:
    return judged.run("verify", "--from", "clickhouse", "--json", database=database)


COLUMNS = [
    "effect = 'allow'",
    "principal = 'somebody-else'",
    "resource = unhex('ff')",
    "cost_usd = cost_usd + 0.000001",
    "occurred_at = occurred_at + 1",
    "reasons = []",
    "labels = map('a', '3')",
    "tool = NULL",
    "arguments_digest = NULL",
    "leaf = unhex(repeat('00', 32))",
    "schema = 7",
]


def test_a_changed_column_is_found_at_its_place(judged: Judged) -> None:
    """Each in another decision, one with a tool and arguments that was denied for a reason."""
    database = judged.database()
    seqs = judged.those_of(
        0, lambda d: d["tool"] and d["arguments"] and d["reasons"] and d["effect"] == "deny"
    )
    places = []
    for change, seq in zip(COLUMNS, seqs, strict=False):
        judged.sql(database, f"ALTER TABLE decisions UPDATE {change} WHERE partition = 0 AND seq = {seq}")
        places.append(f"{judged.log_id}/0 seq {seq}")
    assert len(places) == len(COLUMNS)
    answer = verify(judged, database)
    assert answer.code == 1
    assert sorted(place for kind, place in answer.findings() if kind == "leaf-mismatch") == sorted(places)
    assert {place for _, place in answer.findings()} == set(places)


def test_a_changed_text_is_found_at_its_place(judged: Judged) -> None:
    database = judged.database()
    seqs = judged.those_of(1, lambda d: d["arguments"] is not None and d["content"] is None)
    found = []
    changes = ("arguments = concat(arguments, ' ')", "salt = NULL", "salt = 'other'", "arguments = ''")
    for change, seq in zip(changes, seqs, strict=False):
        judged.sql(database, f"ALTER TABLE decisions UPDATE {change} WHERE partition = 1 AND seq = {seq}")
        found.append(("text-mismatch", f"{judged.log_id}/1 seq {seq}"))
    answer = verify(judged, database)
    assert (answer.code, sorted(answer.findings())) == (1, sorted(found))
    assert len(found) == len(changes)


def test_a_text_that_was_never_there_is_found(judged: Judged) -> None:
    database = judged.database()
    seq = judged.those_of(1, lambda d: d["content"] is None)[0]
    judged.sql(database, f"ALTER TABLE decisions UPDATE content = 'x' WHERE partition = 1 AND seq = {seq}")
    assert verify(judged, database).findings() == [("text-unbound", f"{judged.log_id}/1 seq {seq}")]


def test_erased_texts_are_reported_and_nothing_is_false(judged: Judged) -> None:
    database = judged.database()
    before = verify(judged, database).json["partitions"]
    judged.sql(database, f"ALTER TABLE decisions {ERASE} WHERE partition = 1")
    answer = verify(judged, database)
    assert (answer.code, answer.findings()) == (0, [])
    for was, now in zip(before, answer.json["partitions"], strict=True):
        erased = was["texts_verified"] if was["partition"] == 1 else 0
        assert (now["texts_erased"], now["texts_verified"]) == (erased, was["texts_verified"] - erased)
        assert any("texts that are erased" in s for s in now["not_excluded"]) == bool(erased)
    assert before[1]["texts_verified"] > 0


def test_a_deleted_row_is_found_at_its_place(judged: Judged) -> None:
    database = judged.database()
    judged.sql(database, "DELETE FROM decisions WHERE partition = 0 AND seq IN (0, 7, 8)")
    judged.sql(database, "DELETE FROM leaves WHERE partition = 1 AND seq = 9")
    assert verify(judged, database).findings() == [
        ("record-missing", f"{judged.log_id}/0 seq 0"),
        ("record-missing", f"{judged.log_id}/0 seq 7-8"),
        ("gap", f"{judged.log_id}/1 seq 9"),
        ("record-unknown", f"{judged.log_id}/1 seq 9"),
    ]


def test_rows_that_are_there_twice_are_found(judged: Judged) -> None:
    database = judged.database()
    judged.sql(database, "INSERT INTO decisions SELECT * FROM decisions WHERE partition = 2 AND seq = 4")
    found = {("duplicate", f"{judged.log_id}/2 seq 4"), ("record-duplicate", f"{judged.log_id}/2 seq 4")}
    assert set(verify(judged, database).findings()) == found


def test_a_leaf_that_was_changed_in_both_tables_is_found(judged: Judged) -> None:
    database = judged.database()
    judged.sql(database, "ALTER TABLE leaves UPDATE leaf = reverse(leaf) WHERE partition = 0 AND seq = 3")
    judged.sql(database, "ALTER TABLE decisions UPDATE leaf = reverse(leaf) WHERE partition = 0 AND seq = 3")
    right = max([c["size"] for c in judged.sizes(0) if c["size"] <= 3], default=0)
    wrong = min(c["size"] for c in judged.sizes(0) if c["size"] > 3)
    found = verify(judged, database).findings()
    assert ("root-mismatch", f"{judged.log_id}/0 seq {right}-{wrong - 1}") in found
    assert ("leaf-mismatch", f"{judged.log_id}/0 seq 3") in found


def test_an_end_cut_off_is_found_once_waiting_does_not_bring_it(
    judged: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.ledger.clickhouse.SETTLE_SECONDS", 0.5)
    database = judged.database()
    end = len(judged.decisions[0]) - 2
    for table in ("decisions", "leaves"):
        judged.sql(database, f"DELETE FROM {table} WHERE partition = 0 AND seq >= {end}")
    answer = verify(judged, database)
    assert answer.findings() == [("truncated", f"{judged.log_id}/0 seq {end}-{end + 1}")]
    assert "archive" in answer.json["partitions"][0]["remarks"][0]


def test_kafka_and_clickhouse_are_held_against_each_other(judged: Judged) -> None:
    """Cut off with all the checkpoints over it, the end of a log is missed only by who has seen it."""
    size = judged.sizes(1)[0]["size"]
    short = judged.decisions | {1: judged.decisions[1][:size]}
    prefix = judged.tampered(short, judged.checkpoints | {1: judged.checkpoints[1][:1]})
    assert judged.run("verify", prefix=prefix).code == 0
    answer = judged.run("verify", "--from", "both", "--json", prefix=prefix)
    last = len(judged.decisions[1]) - 1
    assert (answer.code, answer.findings()) == (1, [("truncated", f"{judged.log_id}/1 seq {size}-{last}")])


def test_that_clickhouse_is_behind_is_said_and_not_false(judged: Judged) -> None:
    database = judged.database()
    size = judged.sizes(1)[0]["size"]
    for table in ("decisions", "leaves"):
        judged.sql(database, f"DELETE FROM {table} WHERE partition = 1 AND seq >= {size}")
    judged.sql(database, f"DELETE FROM checkpoints WHERE partition = 1 AND size > {size}")
    answer = judged.run("verify", "--from", "both", "--json", database=database)
    assert (answer.code, answer.findings()) == (0, [])
    remarks = [r for p in answer.json["partitions"] for r in p["remarks"]]
    assert remarks == [f"{len(judged.decisions[1]) - size} decisions of Kafka are not (yet) in ClickHouse"]
