"""What earlier engines left is taken over: nothing that they judged or counted is lost or judged anew."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from detections.activity import read_activity
from judgement.decision import leaf_of_record
from judgement.engine import ENGINE, READABLE
from judgement.rules import compile_rules
from runtime.errors import PraetorError
from schemas.catalogue import schema
from schemas.codec import decode
from streams.keyring import CONTROL, read_verify_keys
from streams.partition import Partition, Place
from streams.progress import Progress, read_progress
from tests.upgrades.recording import Recording, Standing

RECORDINGS = [f"engine{engine}-seed{seed}.avro" for engine in (1, 2, 3) for seed in (1, 2)]
EARLIER = [f["name"] for f in schema(301).definition["fields"]]
"""What threats said that these engines raised."""
KINDS = {
    "1": {"activity", "denial-burst"},
    "2": {"activity", "denial-burst", "source"},
    "3": {"activity", "denial-burst", "source", "sessions", "limit"},
}


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return Recording(request.param)


def resumed(recording: Recording, standing: Standing, partition: int, rules: Any) -> Partition:
    place = Place(recording.log_id, partition, recording.partitions)
    resumed = Partition(place, standing.progress, {a: dict(cells) for a, cells in standing.agents.items()})
    resumed.under(rules, recording.of("agent.control")[-1].offset)
    return resumed


def without_engine(decision: dict[str, Any]) -> dict[str, Any]:
    """What two engines that judge alike both say; the leaf binds the engine too."""
    return {name: value for name, value in decision.items() if name not in ("engine", "leaf")}


def test_from_wherever_an_engine_stood_judgement_goes_on_as_it_would_have(
    recording: Recording, tmp_path: Path
) -> None:
    recording.write_keys(tmp_path)
    rules = compile_rules(recording.bundle(read_verify_keys(tmp_path, CONTROL)))
    judged = findings = 0
    for partition in range(recording.partitions):
        *earlier, last = recording.standings(partition)
        theirs = [decode(r.value, "decision") for r in recording.of("agent.decisions", partition)]
        threats = [decode(r.value, "threat") for r in recording.of("agent.threats", partition)]
        for standing in earlier:
            ours = resumed(recording, standing, partition, rules)
            begin = standing.progress.next_source_offset
            batch = ours.judge([r for r in recording.of("agent.actions", partition) if r.offset >= begin])
            decisions = [decode(value, "decision") for _, value in batch.decisions]
            assert {d["engine"] for d in decisions} <= {ENGINE}
            assert all(leaf_of_record(d) == d["leaf"] for d in decisions)
            expected = theirs[standing.progress.next_seq :]
            assert [*map(without_engine, decisions)] == [*map(without_engine, expected)]
            found = [decode(value, "threat") for _, value in batch.threats]
            assert [{n: t[n] for n in EARLIER} for t in found] == [
                t for t in threats if t["source_offset"] >= begin
            ]
            assert {a: c for a, c in ours.agents.items() if c} == {a: c for a, c in last.agents.items() if c}
            assert batch.after.engine == ENGINE
            assert batch.after.received_at == last.progress.received_at
            judged, findings = judged + len(decisions), findings + len(found)
    assert judged > 50 and findings > 0, "the recording shows something"


def test_every_engine_that_is_read_was_recorded(recording: Recording) -> None:
    engines = {
        standing.progress.engine for p in range(recording.partitions) for standing in recording.standings(p)
    }
    assert engines == {recording.engine}
    assert READABLE - {ENGINE} == {name.removeprefix("engine").partition("-")[0] for name in RECORDINGS}


def test_cells_of_every_kind_that_an_engine_wrote_were_recorded(recording: Recording) -> None:
    cells = {
        name.partition(":")[0]
        for p in range(recording.partitions)
        for standing in recording.standings(p)
        for held in standing.agents.values()
        for name in held
    }
    assert cells == KINDS[recording.engine]


def test_activity_that_an_engine_counted_is_what_its_decisions_say(recording: Recording) -> None:
    for partition in range(recording.partitions):
        *_, last = recording.standings(partition)
        counted = sum(read_activity(cells["activity"]).actions for cells in last.agents.values())
        decisions = [decode(r.value, "decision") for r in recording.of("agent.decisions", partition)]
        misrouted = [d for d in decisions if d["reasons"] and d["reasons"][0]["rule"] == "misrouted"]
        assert counted == len(decisions) - len(misrouted) > 0


@pytest.mark.parametrize("engine", ["5", "10", "", "2-beta", "x" * 1000])
def test_an_engine_that_is_not_known_stops_the_partition_and_is_named(engine: str) -> None:
    with pytest.raises(PraetorError) as refused:
        read_progress(Progress("log", engine=engine).to_bytes(), "agent.state/7")
    said = str(refused.value)
    assert said.startswith(
        f"agent.state/7 was judged by engine version {engine[:32]}; this is version {ENGINE}"
    )
    assert "docs/operations/upgrades.md" in said and len(said) < 400


def test_a_damaged_progress_record_is_read_or_refused_in_words(recording: Recording) -> None:
    record = recording.of("agent.state", 1)[-1]
    good = record.value or b""
    for at, bit in itertools.product(range(len(good)), (0, 6)):
        broken = bytearray(good)
        broken[at] ^= 1 << bit
        try:
            read_progress(bytes(broken), "agent.state/1")
        except PraetorError as error:
            assert str(error).startswith(("the progress record of agent.state/1 is", "agent.state/1 was"))
