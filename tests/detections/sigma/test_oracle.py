"""Compiled together, rules say what each says alone; a tenth of what `make soak` compares."""

import json
import random
import sys
import unicodedata

import pytest
import re2

from detections.sigma import seen
from detections.sigma.compiled import CompiledRules
from detections.sigma.literals import SPECIAL
from detections.sigma.naive import match_all
from detections.sigma.required import required, split_expression
from detections.sigma.rule import SigmaRule
from schemas.action import Action, read_action
from schemas.codec import encode
from tests.detections.sigma.comparing import compare


@pytest.mark.parametrize("seed", range(6))
def test_random_rules_and_actions(seed):
    matched, untold = compare(seed, 1_000)
    assert matched > 300 and untold > 50


def test_every_character_that_is_folded_to_ascii_is_known():
    folded = {c for c in map(chr, range(0x80, sys.maxunicode + 1)) if any(f.isascii() for f in c.casefold())}
    assert folded == set(SPECIAL), unicodedata.unidata_version


PIECES = (
    *(
        "a",
        "b",
        "ab",
        "K",
        "[ab]",
        "[^a]",
        "[a-c]",
        "(a|b)",
        "(?:ab|)",
        "(ab|c)",
        "a?",
        "b*",
        "c+",
        "a{2}",
        "b{0,1}",
    ),
    *(
        "c{1,}",
        ".",
        r"\d",
        r"\.",
        r"\|",
        "|",
        "^",
        "$",
        r"\b",
        r"\x61",
        "(b(a|cb)+)?",
        "[]a]",
        "[[:digit:]a]",
        r"\]",
    ),
    *(r"\s", r"\s+", r"a\s", r"(b\s)+", r"(a\s+|b)", r"\s?", r"\S", r"[\s=a]", r"[\\s]"),
    *("(?i)", "(?P<n>a)", r"\pL", "é", "{", "}", "a??", "b+?", r"\\", "(?s:a)"),
)


def test_what_an_expression_requires_is_in_every_text_it_is_found_in():
    rng = random.Random(3)
    found = demanding = 0
    for _ in range(4_000):
        pattern = "".join(rng.choices(PIECES, k=rng.randrange(1, 7)))
        try:
            expression = re2.compile(pattern)
        except re2.error:
            continue
        texts = ["".join(rng.choices("aabbccK1.|\\é{}]k \t\n\r", k=rng.randrange(1, 9))) for _ in range(20)]
        parts = [re2.compile(part) for part in split_expression(pattern)]
        for text in texts:
            if expression.search(text):
                found += 1
                wanted = required(pattern)
                demanding += bool(wanted)
                assert all(any(t in text.lower() for t in some) for some in wanted), (pattern, text, wanted)
            assert bool(expression.search(text)) == any(part.search(text) for part in parts), (pattern, text)
    assert found > 5_000 and demanding > 2_000


def action(**fields: object) -> Action:
    record = {
        "event_id": "123e4567-e89b-12d3-a456-426614174000",
        "tenant": "t",
        "agent_id": "a",
        "phase": "call",
    }
    record |= {"occurred_at": 0, "mode": "observe", "action": "call:tool"} | fields
    return read_action(encode("action_event", record), 0)


def rules(*conditions: object) -> list[SigmaRule]:
    return [
        SigmaRule.model_validate({"name": f"r{i}", "title": "t", "condition": condition})
        for i, condition in enumerate(conditions)
    ]


def test_arguments_that_cannot_be_read_are_an_error_and_never_no_match():
    asked = rules(
        {"op": "contains", "field": "args.command", "value": "rm -rf"},
        {
            "and": [
                {"op": "is", "field": "action", "value": "exec:shell"},
                {"op": "is", "field": "args.x", "value": 1},
            ]
        },
        {"op": "contains", "field": "content", "value": "hello"},
    )
    said = CompiledRules(asked).match(action(arguments='{"command": "ls', content="Hello"))
    assert (said.rules, said.untold) == ((2,), (0,))
    assert said.errors == ("rules r0 could not be evaluated: " + said.errors[0].partition(": ")[2],)
    assert "no JSON" in said.errors[0]


def test_what_may_be_searched_is_bounded_and_what_is_cut_is_an_error():
    expression = {"op": "re", "field": "content", "value": "(a|b)*c$"}
    asked = rules(*({**expression, "value": f"(a|b)*c{i}$"} for i in range(40)))
    said = CompiledRules(asked).match(action(content="ab" * 400_000 + "".join(f"c{i}" for i in range(40))))
    most = seen.MOST_SEARCHED // (4 * 800_000)
    assert said.rules == (39,)[: len(said.rules)] and len(said.untold) >= 40 - most - 2
    assert "too long" in said.errors[0]


def test_a_record_of_which_no_rule_is_of_its_phase_is_not_looked_at():
    only = SigmaRule.model_validate(
        {
            "name": "r",
            "title": "t",
            "phase": "prompt",
            "condition": {"op": "exists", "field": "tool", "value": False},
        }
    )
    compiled = CompiledRules([only])
    assert compiled.phases == {"prompt"}
    assert compiled.match(action()).rules == () and compiled.match(action(phase="prompt")).rules == (0,)


def test_no_rules_match_nothing():
    assert CompiledRules([]).match(action(arguments="{")).rules == ()


def test_rules_are_the_same_however_large_the_set():
    """Two thousand at once: the same as one by one."""
    rng = random.Random(8)
    words = [f"word{rng.randrange(10**6)}" for _ in range(2_000)]
    asked = rules(*({"op": "contains", "field": "content", "value": word} for word in words))
    one = action(content=" ".join(words[::7]).upper(), arguments=json.dumps({"a": words[3]}))
    said = CompiledRules(asked).match(one)
    assert list(said.rules) == match_all(asked, one)[0] and len(said.rules) >= 286
