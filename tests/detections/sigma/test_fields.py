"""The table of fields and the schema of actions say the same."""

from detections.sigma.fields import FIELDS, KEYWORD_FIELDS, find_field, make_reader
from schemas.catalogue import newest
from tests.detections.sigma.spoken import action

KINDS = {
    "string": "text",
    "enum": "text",
    "fixed": "text",
    "long": "number",
    "double": "number",
    "map": "text",
}
OWN = {"received_at", "labels.<name>", "args", "args.<path>", "keywords"}


def test_every_field_of_an_action_is_in_the_table_but_its_salt():
    of = {f["name"]: f["type"] for f in newest("action_event").spelled["fields"]}
    table = {f.name: f for f in FIELDS}
    assert {*of, *OWN} - {"salt", "labels"} == set(table)
    for name, kind in of.items():
        if name in table:
            nullable = isinstance(kind, list)
            inner = kind[1] if nullable else kind
            plain = inner["type"] if isinstance(inner, dict) else inner
            time = isinstance(inner, dict) and inner.get("logicalType", "").startswith("timestamp")
            assert (table[name].kind, table[name].nullable) == ("time" if time else KINDS[plain], nullable), (
                name
            )


def test_every_field_can_be_read_of_any_action():
    bare, full = action(), action(labels={"a": "b"}, arguments={"a": [1, {"b": None}]}, content="x", tool="t")
    for field in FIELDS:
        name = field.name.replace("<name>", "a").replace("<path>", "a.b")
        assert find_field(name) is field
        for one in (bare, full):
            assert isinstance(make_reader(name)(one), tuple)
    assert all(find_field(name) for name in KEYWORD_FIELDS)


def test_names_with_a_gap_are_no_fields():
    for name in ("args.", "args..a", "labels.", "labels", "salt", "args.<path>", ""):
        assert find_field(name) is None
