"""Old readers read new bytes, and new readers old ones; and the rule that keeps it so."""

import copy
from itertools import pairwise

import pytest
from hypothesis import given, settings

from schemas.action import EAGER
from schemas.catalogue import DECISIONS, IDS, all_schemas, compose_decision, read_avsc, spelled_out
from schemas.evolution import mistakes, odd_enums
from schemas.lazy import Odd, compile_walker
from schemas.strict import read_strictly
from tests.schemas.encodings import ACTION, Writer, read, records, write


def next_version():
    """The action's schema as a next version may look: fields before the free text, a phase more."""
    definition = copy.deepcopy(ACTION.definition)
    fields = definition["fields"]
    names = [f["name"] for f in fields]
    fields[names.index("arguments") : names.index("arguments")] = [
        {"name": "region", "type": ["null", "string"], "default": None},
        {"name": "retries", "type": "long", "default": 3},
        {"name": "hints", "type": {"type": "map", "values": "string"}, "default": {}},
        {"name": "risk", "type": "double", "default": 0.5},
    ]
    fields[names.index("phase")]["type"]["symbols"].append("rollback")
    return definition


V1, V2 = ACTION.definition, next_version()
SPELLED = spelled_out(V2, {})
ADDED = {"region": None, "retries": 3, "hints": {}, "risk": 0.5}


@settings(max_examples=100)
@given(records(V2))
def test_an_old_reader_reads_new_bytes(record):
    expected = {name: value for name, value in record.items() if name not in ADDED}
    if expected["phase"] == "rollback":
        expected["phase"] = "unknown"
    assert read(V2, write(V2, record), V1) == expected


@settings(max_examples=100)
@given(records(V1))
def test_a_new_reader_reads_old_bytes(record):
    assert read(V1, write(V1, record), V2) == {**record, **ADDED}


@settings(max_examples=100)
@given(records(V2))
def test_the_walker_of_a_new_version_is_made_from_its_schema(record):
    body = write(V2, record)
    starts, *eager = compile_walker(SPELLED, EAGER)(body)
    assert eager == [record[name] for name in EAGER]
    assert read_strictly(SPELLED, body) == record
    ends = [*starts[1:], len(body)]
    parts = {f["name"]: body[a:b] for f, a, b in zip(V2["fields"], starts, ends, strict=True)}
    assert parts == {f["name"]: Writer().value(f["type"], record[f["name"]]) for f in SPELLED["fields"]}


def test_the_walker_refuses_schemas_that_it_cannot_walk():
    def schema_of(of):
        return {"type": "record", "name": "R", "fields": [{"name": "f", "type": of}]}

    wide = {"type": "enum", "name": "E", "symbols": [f"s{i}" for i in range(65)]}
    for of in ("boolean", {"type": "array", "items": "string"}, ["string", "null"], wide):
        with pytest.raises(ValueError, match=r"^f: the walker knows|does not know"):
            compile_walker(schema_of(of), ())
    narrow = {**wide, "symbols": wide["symbols"][:64]}
    walk = compile_walker(schema_of(narrow), ())
    assert walk(b"\x7e") == ((0,),)
    for body in (b"\x80\x01", b"\x01", b"\x7e\x00"):
        with pytest.raises(Odd):
            walk(body)


def test_every_version_keeps_the_rule():
    versions = {}
    for of in all_schemas():
        versions.setdefault(of.name, []).append(of.definition)
    pairs = [pair for found in versions.values() for pair in pairwise(found)]
    assert [m for older, newer in pairs for m in mistakes(older, newer)] == []
    assert {of.name: odd_enums(of.definition) for of in all_schemas()} == {name: [] for name in versions}


def test_a_decision_of_new_versions_keeps_the_rule_too():
    verdict = read_avsc("verdict", 1)
    assert mistakes(compose_decision(V1, verdict), compose_decision(V2, verdict)) == []


def test_no_id_is_given_twice_and_every_file_has_one():
    assert not set(IDS) & set(DECISIONS)
    assert len(set(IDS.values())) == len(IDS)
    assert len(set(DECISIONS.values())) == len(DECISIONS)
    for of in all_schemas():
        assert of.definition["type"] == "record"


def changed(edit):
    definition = next_version()
    edit({f["name"]: f for f in definition["fields"]}, definition["fields"])
    return definition


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda f, _: f["region"].pop("default"), "ActionEvent.region: a new field needs a default"),
        (lambda f, every: every.remove(f["tool"]), "ActionEvent.tool: was dropped"),
        (lambda f, every: every.append(every.pop(1)), "ActionEvent: old fields changed their order"),
        (
            lambda f, _: f["tenant"].update(type="bytes"),
            "ActionEvent.tenant: the type was string and is bytes",
        ),
        (lambda f, _: f["tool"].update(type="string"), "ActionEvent.tool: the type was"),
        (lambda f, _: f["phase"]["type"]["symbols"].insert(1, "new"), "does not begin with its old symbols"),
        (lambda f, _: f["labels"]["type"].update(values="long"), "ActionEvent.labels{}: the type was string"),
        (lambda f, _: f["content_sha256"]["type"][1].update(size=16), "the size was 32 and is 16"),
        (lambda f, _: f["event_id"]["type"].pop("logicalType"), "the meaning was uuid and is None"),
        (lambda f, _: f["resource"].update(default="/"), "ActionEvent.resource: the default changed"),
    ],
)
def test_what_breaks_the_rule_is_named(edit, said):
    assert mistakes(V1, V2) == []
    found = mistakes(V1, changed(edit))
    assert len(found) == 1
    assert said in found[0]


def test_an_enum_without_its_way_out_is_named():
    definition = next_version()
    del definition["fields"][5]["type"]["default"]
    assert odd_enums(definition) == ["Phase"]
