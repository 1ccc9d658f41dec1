"""The stretch of a process's life that is measured: its seconds, its CPU, on demand its profile."""

import cProfile
import gc
import io
import pstats
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROFILE_LINES = 45


class Window:
    """Measures a `with` block; a profile, where wanted, makes everything slower."""

    def __init__(self, profile: str = "") -> None:
        self._file = profile
        self._profile = cProfile.Profile() if profile else None
        self._seconds = self._cpu = 0.0

    def __enter__(self) -> Self:
        gc.collect()
        self._seconds, self._cpu = -time.monotonic(), -time.process_time()
        if self._profile is not None:
            self._profile.enable()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._seconds += time.monotonic()
        self._cpu += time.process_time()
        if self._profile is not None:
            self._profile.disable()
            text = io.StringIO()
            pstats.Stats(self._profile, stream=text).sort_stats("tottime").print_stats(PROFILE_LINES)
            Path(self._file).write_text(text.getvalue())

    def measured(self, actions: int) -> dict[str, Any]:
        """What it came to, for so many actions."""
        return {
            "actions": actions,
            "seconds": self._seconds,
            "rate": actions / self._seconds,
            "cpu_us": self._cpu / actions * 1e6,
        }
