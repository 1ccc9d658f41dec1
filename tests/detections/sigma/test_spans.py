"""A finding says where: exact places, and never a secret in clear."""

import json

from detections.sigma.spans import MOST_SPANS, find_spans
from tests.detections.sigma.spoken import action, read

SECRET = "AKIAIOSFODNN7EXAMPLE"


def places(detection: str, **fields: object) -> list[tuple[str, int, int, str]]:
    return [span[1:] for span in find_spans(read(detection).rules[0], action(**fields))]


def test_a_text_of_the_rule_is_shown_as_the_action_has_it():
    assert places("a: {resource|contains: curl}\ncondition: a", resource="x Curl y") == [
        ("resource", 2, 6, "Curl")
    ]
    assert places("a: {resource|endswith: .SH}\ncondition: a", resource="/a/b.sh") == [
        ("resource", 4, 7, ".sh")
    ]
    assert places("a: {args.c: on}\ncondition: a", arguments={"c": ["off", "ON"]}) == [("args.c", 0, 2, "ON")]


def test_places_count_characters_of_the_text_and_not_of_its_folded_form():
    assert places("a: {content|contains: key}\ncondition: a", content="ßß \u212aey.") == [
        ("content", 3, 6, "\u212aey")
    ]
    assert places("a: {content|contains: ss}\ncondition: a", content="aßb") == [("content", 1, 2, "ß")]


def test_what_an_expression_finds_is_not_shown_whole():
    found = places("a: {content|re: 'AKIA[A-Z0-9]{16}'}\ncondition: a", content=f"é key {SECRET}.")
    assert found == [("content", 6, 26, "AKIA…")] and SECRET not in json.dumps(found)


def test_what_is_asked_not_to_be_there_has_no_place():
    detection = "a: {resource|contains: a}\nb: {resource|contains: b}\ncondition: a and not b"
    assert places(detection, resource="cab") == [("resource", 1, 2, "a")]


def test_places_are_few():
    words = ", ".join(f"w{i}" for i in range(30))
    detection = f"a: {{resource|contains|all: [{words}]}}\ncondition: a"
    assert len(places(detection, resource=words)) == MOST_SPANS
