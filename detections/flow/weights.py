"""What each sign weighs, in hundredths of a logit: fitted by `bench/flow` (docs/detection-quality.md).

The model is logistic: the sum of the weights of what is there, and a bias, is the logarithm of the odds. A
person can read off what counts: nothing raises a score that is known to speak for innocence, or the other way
round (the fit is bounded so).
"""

from operator import mul

from detections.flow.signs import CALL_SIGNS, DIRECTIVE_SIGNS

DIRECTIVE = {
    "set_apart": 243, "readers": 107, "steering": 136, "value": 95, "values": 35, "introduced": 41,
    "brief": 61, "listed": -123, "user": 104, "social": -80, "unasked_value": 146, "unasked_words": 22,
    "entrusted": -100,
}  # fmt: skip
DIRECTIVE_BIAS = -476
CALL = {
    "value": 165, "values": 59, "all_told": 30, "same_doing": 211, "value_and_doing": 204, "strength": 74,
    "pursued": 131, "writes": 48, "visits": 66, "reads": -127, "asked_values": -126, "asked_words": -42,
    "asked_name": -83, "entrusted": -100,
}  # fmt: skip
CALL_BIAS = -856

READ_IS_NOT_DONE = -400
"""Added to a directive's strength where it is only read: most agents do not obey it; the call tells more."""

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
