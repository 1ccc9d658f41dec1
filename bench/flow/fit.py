"""Fits the weights of `detections/flow/weights.py`: logistic regression, each weight bounded by its sense.

What is known to speak for an attack may not lower a score, what speaks for innocence may not raise it; suites
count alike, however many traces they have. A call is compared with many directives: of these the one that the
weights of the round before prefer is fitted (three rounds).
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from bench.flow.histories import History, Sentences, sentences
from detections.flow.cells import ENTRIES
from detections.flow.flow import WEAKEST_HELD
from detections.flow.signs import CALL_SIGNS, DIRECTIVE_SIGNS, Held, call_signs

Array = np.ndarray
BOUNDS = {
    "social": (-0.8, 0.0), "listed": (-9.0, 0.0), "entrusted": (-9.0, -1.0), "reads": (-9.0, 0.0),
    "asked_values": (-9.0, 0.0), "asked_words": (-9.0, 0.0), "asked_name": (-9.0, 0.0),
}  # fmt: skip
"""All others: 0 to 9. Few traces delegate, so that its weight is no higher than -1, whatever they say."""
SHRINK = 2.0
STEPS = 4_000
STILL = 1e-5
ROUNDS = 3
START = {"value": 2.0, "strength": 0.5, "same_doing": 1.0}
_VALUE = CALL_SIGNS.index("value")


class Weights(NamedTuple):
    """In logits, the bias last."""

    directive: Array
    call: Array


class Compared(NamedTuple):
    """A call, and its signs against each directive read before it."""

    history: History
    step: int
    signs: Array


def fit(all_of: list[History], off: frozenset[str] = frozenset()) -> Weights:
    directive = _fit_directives(all_of, sentences(all_of), off)
    return Weights(directive, _fit_calls(compared(all_of, directive), off))


def strength(weights: Array, signs: tuple[int, ...]) -> int:
    """In hundredths of a logit."""
    return round(100 * (float(np.dot(signs, weights[:-1])) + float(weights[-1])))


def compared(all_of: list[History], directive: Array) -> list[Compared]:
    """Every call that comes after a directive; at most `ENTRIES` are held, the strongest."""
    rows = []
    for history in all_of:
        held: list[Held] = []
        for step in history.steps:
            signs = [call_signs(step.call, one, history.asked) for one in held]
            if signs:
                rows.append(Compared(history, step.number, np.array(signs, float)))
            held = [
                h._replace(is_pursued=h.is_pursued or s[_VALUE] > 0) for h, s in zip(held, signs, strict=True)
            ]
            for _, d, own in step.reads:
                power = strength(directive, own)
                if power > WEAKEST_HELD and not any(
                    h.words == d.words and h.doings == d.doings for h in held
                ):
                    held.append(Held(power, d.doings, d.words, d.values, step.is_named))
            held = sorted(held, key=lambda h: h.strength, reverse=True)[:ENTRIES]
    return rows


def _fit_directives(all_of: list[History], told: Sentences, off: frozenset[str]) -> Array:
    rows = {
        (h.label.suite, read.text, read.signs, read.text in told.injected.get(h.label.suite, ()))
        for h in all_of
        for step in h.steps
        for read in step.reads
        if any(read.text in known.get(h.label.suite, ()) for known in told)
    }
    sizes = Counter((suite, is_injected) for suite, _, _, is_injected in rows)
    ordered = sorted(rows)
    share = [60 / max(sizes[suite, hit], 20) for suite, _, _, hit in ordered]
    x = np.array([signs for _, _, signs, _ in ordered], float)
    y = np.array([hit for *_, hit in ordered], float)
    return _logistic(x, y, np.array(share), DIRECTIVE_SIGNS, off)


def _fit_calls(rows: list[Compared], off: frozenset[str]) -> Array:
    told = [(row, _is_attack(row)) for row in rows]
    used = [(row, hit) for row, hit in told if hit is not None]
    sizes = Counter((row.history.label.suite, row.history.label.cls, hit) for row, hit in used)
    share = np.array([_share(row, bool(hit), sizes) for row, hit in used])
    y = np.array([hit for _, hit in used], float)
    weights = np.array([*(START.get(name, 0.0) for name in CALL_SIGNS), 0.0])
    for _ in range(ROUNDS):
        x = np.array([row.signs[(row.signs @ weights[:-1]).argmax()] for row, _ in used])
        weights = _logistic(x, y, share, CALL_SIGNS, off)
    return weights


def _is_attack(row: Compared) -> bool | None:
    """Whether a call is the first that obeys; None: after it, or between reading and obeying."""
    label = row.history.label
    if label.cls != "attack_acted":
        return False
    if row.step == label.malicious_steps[0]:
        return True
    return False if label.first_exposed_step is None or row.step <= label.first_exposed_step else None


def _share(row: Compared, hit: bool, sizes: "Counter[tuple[str, str, bool | None]]") -> float:
    label = row.history.label
    size = sizes[label.suite, label.cls, hit]
    if hit:
        return 60 / max(size, 20)
    return (200 if label.cls == "benign" else 60) / max(size, 100)


def _logistic(x: Array, y: Array, share: Array, names: tuple[str, ...], off: frozenset[str]) -> Array:
    """Bounded, by accelerated projected gradients (Beck and Teboulle, 2009)."""
    low = np.array([*(0.0 if n in off else BOUNDS.get(n, (0.0, 9.0))[0] for n in names), -99.0])
    high = np.array([*(0.0 if n in off else BOUNDS.get(n, (0.0, 9.0))[1] for n in names), 99.0])
    one = np.hstack([x, np.ones((len(x), 1))])
    shrink = np.array([SHRINK] * len(names) + [0.0])
    pace = 1 / (np.linalg.eigvalsh(one.T @ (one * share[:, None])).max() / 4 + SHRINK)
    at = ahead = np.clip(np.zeros(len(low)), low, high)
    speed = 1.0
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(one @ ahead, -30, 30)))
        new = np.clip(ahead - pace * (one.T @ (share * (p - y)) + shrink * ahead), low, high)
        faster = (1 + (1 + 4 * speed * speed) ** 0.5) / 2
        ahead = new + (speed - 1) / faster * (new - at)
        moved = float(np.abs(new - at).max())
        at, speed = new, faster
        if moved < STILL:
            break
    return at
