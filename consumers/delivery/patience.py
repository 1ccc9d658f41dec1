"""How long to wait before the next try: exponential, with jitter, and never less than what was asked for."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """Pauses of one destination, in seconds.

    Attributes:
        first: after the first failure; each further one doubles it.
        longest: the most, where the destination does not ask for more.
        person: where only a person can help (a wrong password): trying faster brings nothing.
        tries: how often one event alone is sent before it is kept aside.
    """

    first: float = 0.5
    longest: float = 60.0
    person: float = 30.0
    tries: int = 5

    def pause(self, failures: int, asked: float = 0.0) -> float:
        """Seconds after so many failures in a row: between a half and the whole of the doubled pause.

        So destinations that failed at once do not come back at once ("equal jitter"; Brooker, "Exponential
        Backoff and Jitter", AWS Architecture Blog 2015). What was asked for is kept, and jittered upwards.
        """
        whole = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        jittered = whole * random.uniform(0.5, 1.0)  # noqa: S311
        return max(jittered, asked * random.uniform(1.0, 1.1) if asked else 0.0)  # noqa: S311
