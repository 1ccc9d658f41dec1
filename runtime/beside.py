"""Long computing in a thread while an event loop has work to do in the same interpreter."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TURN_SECONDS = 0.0005
"""How long the thread computes before the loop gets its turn; Python's default is ten times that."""

SHARE_SECONDS = 0.0002
MOMENT_SECONDS = 0.00005
REST = 6
"""Beside a busy loop the thread sleeps so many times as long as it computed: a batch takes a sixth longer."""


@contextmanager
def beside_the_loop() -> Iterator[None]:
    """Make a computation that builds a lot of lasting objects disturb other threads little.

    Threads change turns more often, and nothing is collected meanwhile: a full collection, which many new
    objects bring about, stops every thread until it has looked at every object there is. What was built then
    counts as lasting (`gc.freeze`), so that none comes afterwards either: it is freed when nothing refers to
    it, but cycles of it never are. One call into C that is long by itself still holds everyone up. For one
    thread at a time. The loop enters it before the thread begins: a busy loop that rests more often than
    threads take turns would not let it begin.
    """
    turn, collected = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(TURN_SECONDS)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(turn)
        if collected:
            gc.freeze()
            gc.enable()


def give_way() -> Callable[[], None]:
    """What the thread calls often: once it has computed for less than half a turn, it sleeps for a moment.

    Else both threads would have one half of the time, and a batch take twice as long. Where other threads of
    this process computed more than it did meanwhile, the loop is busy, and the thread sleeps longer (`REST`);
    beside an idle loop it gets on. All by processor time: a machine that others keep busy is no busy loop.
    """
    since, own, everyone = time.perf_counter(), time.thread_time(), time.process_time()

    def rest() -> None:
        nonlocal since, own, everyone
        if time.perf_counter() - since < SHARE_SECONDS:
            return
        time.sleep(MOMENT_SECONDS)
        computed = time.thread_time() - own
        if time.process_time() - everyone > 2 * computed:
            time.sleep(REST * computed)
        since, own, everyone = time.perf_counter(), time.thread_time(), time.process_time()

    return rest
