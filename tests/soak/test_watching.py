"""That growth is told from noise."""

import os
from random import Random

from tests.soak.watching import Growth, Watched

MIB = 1 << 20
AT = [float(t) for t in range(0, 900, 5)]


def test_noise_is_flat_and_a_leak_is_not() -> None:
    rng = Random(1)
    noise = [100 * MIB + rng.gauss(0, 3 * MIB) for _ in AT]
    assert Growth.of("p", "rss", AT, noise).flat
    leak = [value + t * 9_000 for t, value in zip(AT, noise, strict=True)]
    assert not Growth.of("p", "rss", AT, leak).flat
    assert Growth.of("p", "rss", AT, [value - t * 9_000 for t, value in zip(AT, noise, strict=True)]).flat


def test_one_file_every_few_minutes_is_a_leak() -> None:
    assert Growth.of("p", "fds", AT, [60.0 + t // 400 for t in AT]).flat
    assert not Growth.of("p", "fds", AT, [60.0 + t // 150 for t in AT]).flat


def test_the_first_half_does_not_count_and_samples_are_those_of_the_process() -> None:
    process = Watched("this", os.getpid())
    process.sample(0.0)
    assert process.samples["rss"][0] > 10 * MIB
    assert process.samples["threads"][0] >= 1
    process.at = AT
    process.samples = {"tasks": [t if t < 400 else 400.0 for t in AT]}
    assert [growth.flat for growth in process.verdicts()] == [True]
