"""When a committed tree is signed, and how often a worker may write."""

import asyncio

import pytest

import streams.pace
import streams.signer
from ledger.checkpoint import open_checkpoint
from ledger.keys import SigningKey
from ledger.merkle import Frontier, leaf_hash
from schemas.codec import decode
from streams.pace import Pace
from streams.partition import Place
from streams.progress import Progress
from streams.signer import Signer

KEY = SigningKey("log", b"1" * 32)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(streams.signer, "time", clock)
    monkeypatch.setattr(streams.pace, "time", clock)
    return clock


def committed(size: int) -> Progress:
    return Progress(
        "log", frontier=Frontier().extend([leaf_hash(bytes([n])) for n in range(size)]), received_at=7
    )


def test_an_empty_tree_is_never_signed(clock: Clock) -> None:
    assert not Signer(Place("log", 3, 12), KEY).is_due(committed(0), now=True)


def test_a_grown_tree_is_signed_once_a_second(clock: Clock) -> None:
    signer = Signer(Place("log", 3, 12), KEY)
    assert signer.is_due(committed(1))
    signer.sign(committed(1))
    assert signer.published() == 1
    assert not signer.is_due(committed(2))
    assert signer.is_due(committed(2), now=True)
    clock.now += 1
    assert signer.is_due(committed(2))
    assert not signer.is_due(committed(1), now=True)


def test_a_note_whose_transaction_failed_is_due_again(clock: Clock) -> None:
    signer = Signer(Place("log", 3, 12), KEY)
    signer.sign(committed(1))
    clock.now += 1
    assert signer.is_due(committed(1))


def test_the_note_is_of_this_tree_and_verifies() -> None:
    record = decode(Signer(Place("log", 3, 12), KEY).sign(committed(5)), "checkpoint")
    checkpoint = open_checkpoint(record["note"], [KEY.verify_key], "log/3")
    assert (checkpoint.size, checkpoint.root) == (5, committed(5).frontier.root())
    assert (record["size"], record["root"], record["received_at"]) == (5, checkpoint.root, 7)


async def test_the_pace_lets_a_burst_through_and_then_keeps_its_rate(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds

    monkeypatch.setattr(asyncio, "sleep", sleep)
    pace = Pace(per_second=8, burst=3)
    for _ in range(3):
        await pace.wait()
    assert not any(slept)
    for _ in range(20):
        await pace.wait()
    assert sum(slept) == 20 / 8
