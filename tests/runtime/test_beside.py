"""What is computed beside the event loop leaves the interpreter as it was."""

import gc
import sys
import threading

import pytest

from runtime.beside import TURN_SECONDS, beside_the_loop, give_way


class Ring:
    """Refers to itself: only a collection frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_nothing_is_collected_meanwhile_and_what_was_built_lasts() -> None:
    turn, frozen = sys.getswitchinterval(), gc.get_freeze_count()
    try:
        with beside_the_loop():
            assert sys.getswitchinterval() == pytest.approx(TURN_SECONDS)
            assert not gc.isenabled()
            built = [Ring() for _ in range(1_000)]
        assert gc.isenabled() and sys.getswitchinterval() == turn
        assert gc.get_freeze_count() >= frozen + len(built)
    finally:
        gc.unfreeze()


def test_a_failure_leaves_it_as_it_was_too() -> None:
    turn = sys.getswitchinterval()
    try:
        with pytest.raises(KeyError), beside_the_loop():
            raise KeyError("not compiled")
        assert gc.isenabled() and sys.getswitchinterval() == turn
    finally:
        gc.unfreeze()


def test_whoever_gives_way_lets_another_thread_work() -> None:
    done, stop = [0], threading.Event()

    def work() -> None:
        while not stop.is_set():
            done[0] += 1

    other = threading.Thread(target=work)
    rest = give_way()
    other.start()
    try:
        seen = set()
        while len(seen) < 20:
            seen.add(done[0])
            rest()
    finally:
        stop.set()
        other.join()
