"""A sample of the mutator's cases on a real broker and the real ClickHouse engine: two of each kind in each.

Each case has two partitions of its own, so that one tampered copy holds a case of every kind.
"""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from ledger.findings import Finding, Kind
from runtime.embedded.services import Broker
from runtime.settings import Settings
from schemas.catalogue import schema
from sinks.connection import connect
from sinks.container import container
from sinks.migrate import migrate
from streams.keyring import LEDGER, read_signing_key
from tests.ledger_cli.helpers import Answer, Judged, judge_and_archive
from tests.streams.helpers import Log as Running
from tests.tampering.checker import admits, faults
from tests.tampering.clean import Copy, Held, Log
from tests.tampering.formats import id_of, read
from tests.tampering.mutator import KINDS, Case, a_case

WIDTH = 2
ROUNDS = 2


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, clickhouse: str) -> Iterator[Judged]:
    folder = tmp_path_factory.mktemp("ledger")
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"tampering_{uuid4().hex[:8]}")
    with Broker(folder / "kafka") as running:
        log = Running(running.bootstrap, folder / "keys", WIDTH * len(KINDS))
        yield asyncio.run(judge_and_archive(log, settings, rounds=3, actions=500))


def tampered(judged: Judged, clickhouse: bool, turn: int) -> tuple[Copy, list[Case]]:
    """A copy of the whole log with a case of every kind, each in partitions of its own."""
    key = read_signing_key(judged.log.keys, LEDGER)
    copy: Copy = {}
    cases = []
    for number, kind in enumerate(KINDS):
        ours = range(number * WIDTH, (number + 1) * WIDTH)
        held = {p: Held(list(judged.decisions[p]), list(judged.checkpoints[p])) for p in ours}
        case = _case(Log(judged.log_id, key, held), kind, clickhouse, turn)
        cases.append(case)
        copy |= case.copy
    return copy, cases


def _case(log: Log, kind: str, clickhouse: bool, turn: int) -> Case:
    for extra in itertools.count(turn * 7):
        case = a_case(2 * (KINDS.index(kind) + extra * len(KINDS)) + clickhouse, log)
        # a row that says it is of another partition would land in another case's
        if case.change.how not in ("column log_id", "column partition") or not clickhouse:
            return case
    raise AssertionError


def to_kafka(judged: Judged, copy: Copy) -> dict[str, str]:
    decisions = {p: held.decisions for p, held in copy.items()}
    checkpoints = {p: held.checkpoints for p, held in copy.items()}
    return {"prefix": judged.tampered(decisions, checkpoints)}


def to_clickhouse(judged: Judged, copy: Copy) -> dict[str, str]:
    name = f"tampered_{uuid4().hex[:8]}"
    settings = judged.settings.model_copy(update={"clickhouse_database": name})
    migrate(settings)
    client = connect(settings)
    try:
        for table, values in (
            ("decisions", [value for held in copy.values() for value in held.decisions]),
            ("checkpoints", [value for held in copy.values() for value in held.checkpoints]),
        ):
            for schema_id in {id_of(value) for value in values}:
                bodies = [value[5:] for value in values if id_of(value) == schema_id]
                of = schema(schema_id)
                names = [field["name"] for field in of.definition["fields"]]
                inserted = {"log_comment": "tampering", "insert_deduplicate": 0}
                client.raw_insert(table, names, container(of, bodies), settings=inserted, fmt="Avro")
        client.command("TRUNCATE TABLE leaves")  # the view has filled it; an attacker writes what he likes
        rows = [
            (judged.log_id, p, seq, leaf, 202) for p, held in copy.items() for seq, leaf in held.leaves or ()
        ]
        client.insert("leaves", rows, column_names=["log_id", "partition", "seq", "leaf", "schema"])
    finally:
        client.close()
    return {"database": name}


def findings(answer: Answer) -> list[Finding]:
    return [
        Finding(Kind(one["kind"]), one["place"], one["message"])
        for part in answer.json["partitions"]
        for one in part["findings"]
        if not one["harmless"]
    ]


@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize("place", ["kafka", "clickhouse"])
def test_a_sample_is_found_at_its_place(
    judged: Judged, place: str, turn: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clickhouse = place == "clickhouse"
    monkeypatch.setattr("cli.ledger.clickhouse.SETTLE_SECONDS", 0.5)
    copy, cases = tampered(judged, clickhouse, turn)
    where = (to_clickhouse if clickhouse else to_kafka)(judged, copy)
    witness = tmp_path / "witness"
    witness.write_text("".join(note for case in cases for note in case.change.witness))
    options = ("verify", "--from", place, "--json")
    answer = judged.run(*options, "--witness", str(witness), **where)
    without = judged.run(*options, **where)
    assert (answer.code, without.code) == (1, 1)
    wrong = []
    for case in cases:
        of = {str(p) for p in case.copy}
        wrong += [f"{case}: {fault}" for fault in faults(case, _of(findings(answer), of))]
        told = {
            part["partition"]: part["not_excluded"]
            for part in without.json["partitions"]
            if str(part["partition"]) in of
        }
        if case.change.witness and not _of(findings(without), of) and not admits(case, told):
            wrong.append(f"{case}: the output does not say what is not excluded")
    assert not wrong, "\n".join(wrong)


def _of(found: list[Finding], partitions: set[str]) -> list[Finding]:
    """Those that speak of a case's partitions."""
    kept = []
    for one in found:
        named = one.message.split(" seq ")[0] if ", note " in one.place else one.place
        numbers = named.split(" seq ")[0].split(" offset ")[0].split(" size ")[0]
        if numbers.rpartition("/")[2] in partitions:
            kept.append(one)
    return kept


def test_the_log_as_it_was_raises_no_alarm(judged: Judged) -> None:
    """Read back, the sample's base is clean: what was found is what was done."""
    assert read(judged.decisions[0][0])["seq"] == 0
    for place in ("kafka", "clickhouse"):
        answer = judged.run("verify", "--from", place, "--json")
        assert (answer.code, findings(answer)) == (0, [])
