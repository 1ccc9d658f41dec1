"""What a hunt finds is what live evaluation finds of the same actions, on the real engine."""

import unicodedata
from collections import Counter
from random import Random

import pytest

from detections.sigma.correlation.model import KINDS
from detections.sigma.fields import text_of
from detections.sigma.sql.macros import SETTINGS, with_macros
from detections.sigma.sql.text import quoted
from tests.detections.hunting.comparing import compare_rules
from tests.detections.hunting.nasty import actions, rules
from tests.detections.hunting.stored import Stored
from tests.detections.hunting.worlds import compare_world

RULES, ACTIONS, WORLDS = 216, 80, 18


@pytest.mark.timeout(600)
def test_rules_of_every_kind_on_odd_actions(stored: Stored) -> None:
    odd = actions(5, ACTIONS)
    stored.clear()
    stored.insert(odd)
    seen = compare_rules(stored, rules(5, RULES), odd)
    assert min(seen[told] for told in ("True", "False", "None")) > 300, seen


@pytest.mark.timeout(600)
def test_correlations_of_every_kind(stored: Stored) -> None:
    seen: Counter[str] = Counter()
    for seed in range(WORLDS):
        seen += compare_world(stored, seed, cut=(0.0, 0.5)[seed % 2])
    assert seen["found"] > 150, seen
    assert all(seen[kind] for kind in KINDS), seen


def test_doubles_are_written_as_python_writes_them(stored: Stored) -> None:
    rng = Random(3)
    numbers = [10.0**e for e in range(-320, 309)] + [1e16, 1e-4, 123456789.125, 0.0, -0.0, 5e-324]
    numbers += [rng.uniform(-1, 1) * 10 ** rng.randint(-30, 30) for _ in range(2_000)]
    told = ", ".join(f"'{n!r}'" for n in numbers)
    sql = f"WITH {with_macros()} SELECT arrayMap(t -> py_float(toFloat64(t)), [{told}])"
    found = stored.client.query(sql, settings=SETTINGS).result_rows[0][0]
    assert list(found) == [text_of(n) for n in numbers]


def test_letters_are_folded_as_python_folds_them(stored: Stored) -> None:
    letters = [c for n in range(1, 0x110000) if unicodedata.category(c := chr(n)) not in ("Cs", "Cn", "Co")]
    for at in range(0, len(letters), 20_000):
        some = [c for c in letters[at : at + 20_000] if c != " "]
        sql = f"SELECT arrayMap(t -> caseFoldUTF8(t), splitByChar(' ', {quoted(' '.join(some))}))"
        found = stored.client.query(sql, settings=SETTINGS).result_rows[0][0]
        assert list(found) == [c.casefold() for c in some]
