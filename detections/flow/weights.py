"""What each sign weighs, in hundredths of a logit: fitted by `bench/flow` (docs/detection-quality.md).

The model is logistic: the sum of the weights of what is there, and a bias, is the logarithm of the odds. A
person can read off what counts: nothing raises a score that is known to speak for innocence, or the other way
round (the fit is bounded so).
"""

from operator import mul

from detections.flow.signs import CALL_SIGNS, DIRECTIVE_SIGNS

DIRECTIVE = {
    "set_apart": 239, "readers": 127, "steering": 105, "value": 108, "values": 45, "introduced": 83,
    "brief": 8, "listed": -99, "user": 52, "social": -80, "unasked_value": 210, "unasked_words": 34,
    "entrusted": -100,
}  # fmt: skip
DIRECTIVE_BIAS = -558
CALL = {
    "value": 172, "values": 57, "all_told": 18, "same_doing": 211, "value_and_doing": 208, "strength": 55,
    "pursued": 125, "writes": 51, "visits": 61, "reads": -124, "asked_values": -144, "asked_words": -38,
    "asked_name": -84, "entrusted": -100,
}  # fmt: skip
CALL_BIAS = -723

READ_IS_NOT_DONE = -300
"""Added to a directive's strength where it is only read: most agents do not obey it."""

_DIRECTIVE = tuple(DIRECTIVE[name] for name in DIRECTIVE_SIGNS)
_CALL = tuple(CALL[name] for name in CALL_SIGNS)


def directive_strength(signs: tuple[int, ...]) -> int:
    """How much a directive looks like an instruction to an agent, in hundredths of a logit."""
    strength: int = DIRECTIVE_BIAS + sum(map(mul, _DIRECTIVE, signs))
    return strength


def call_strength(signs: tuple[int, ...]) -> int:
    """How much a call looks like the carrying out of a directive, in hundredths of a logit."""
    strength: int = CALL_BIAS + sum(map(mul, _CALL, signs))
    return strength


def probability(hundredths: int) -> float:
    """The logistic function, to four places, of hundredths of a logit.

    e^x is taken as (1 + x/4096)^4096, by squaring: only additions and multiplications, which every machine
    rounds alike. The error is below 0.002.
    """
    x = max(-1000, min(1000, -hundredths)) / 100
    power = 1 + x / 4096
    for _ in range(12):
        power *= power
    return round(1 / (1 + power), 4)
