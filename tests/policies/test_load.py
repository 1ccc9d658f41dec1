"""Policies as people write them: every mistake is told, with its place and what to do."""

import pytest

from documents.read import LARGEST_FILE
from policies.load import Loaded, PolicyMistakes, load_policies

GOOD = """\
apiVersion: praetor/v1
kind: Policy
metadata:
  name: files
  description: Files.
rules:
  - id: read
    effect: allow
    match:
      actions: ["read:file"]
      fields:
        size_bytes: {lte: 10}
    message: reading is fine
cases:
  - {name: small, expect: allow, rule: read, action: {action: "read:file", size_bytes: 3}}
  - {name: large, expect: deny, action: {action: "read:file", size_bytes: 30}}
"""


def load(text: str | bytes) -> Loaded:
    return load_policies([("f.yaml", text.encode() if isinstance(text, str) else text)])


def mistakes(text: str | bytes) -> list[str]:
    with pytest.raises(PolicyMistakes) as caught:
        load(text)
    return [str(m) for m in caught.value.mistakes]


def test_a_good_policy_is_read() -> None:
    loaded = load(GOOD)
    assert loaded.policies[0].rules[0].match.actions == ["read:file"]
    assert loaded.places == {"files": "f.yaml:1"}


TABLE = [
    (
        "kind: Policy",
        "kind: Polizy",
        "2:7: unknown kind 'Polizy'; write one of: Policy, Lists, Conditions, Detections",
    ),
    ("praetor/v1", "praetor/v9", "1:13: apiVersion 'praetor/v9' is not known; this version reads praetor/v1"),
    ("apiVersion: praetor/v1\n", "", "1:1: missing key 'apiVersion'; add it"),
    ("  name: files\n", "", "4:3: missing key 'name'; add it"),
    ("name: files", "name: Files!", "4:9: 'name' is 'Files!'; it must fit"),
    ("name: files", "name: bundle", "4:9: 'bundle' is Praetor's own name; choose another"),
    ("    match:", "    macth:", "9:5: unknown key 'macth'; did you mean 'match'?"),
    ("      actions:", "      action:", "10:7: unknown key 'action'; did you mean 'actions'?"),
    ("size_bytes: {lte", "bytes_size: {lte", "12:9: unknown key 'bytes_size'; known here: input_tokens"),
    ("{lte: 10}", "{most: 10}", "12:22: unknown key 'most'; known here: gt, gte, lt, lte, eq, neq"),
    ("{lte: 10}", "{}", "12:21: no comparison; write one of gt, gte, lt, lte, eq, neq"),
    ("{lte: 10}", "{lte: ten}", "12:27: 'lte' must be a number, not 'ten'"),
    ("{lte: 10}", "{lte: '10'}", "12:27: 'lte' must be a number, not '10'"),
    ("{lte: 10}", "{lte: true}", "12:27: 'lte' must be a number, not true"),
    ("{lte: 10}", "{lte: .nan}", "12:27: 'lte' should be"),
    ("{lte: 10}", "{lte: .inf}", "12:27: 'lte' should be"),
    ("{lte: 10}", "{lte: 1e300}", "12:27: 'lte' should be less than or equal to 9007199254740992"),
    ("{lte: 10}", "{lte: 10, lte: 11}", "12:31: the key 'lte' stands here already, on line 12; keep one"),
    (
        "effect: allow",
        "effect: permit",
        "8:13: 'effect' must be 'allow', 'deny', 'modify', 'require_approval' or 'defer', not 'permit'",
    ),
    (
        "effect: allow",
        "effect: allow\n    priority: high",
        "9:15: 'priority' must be a whole number, not 'high'",
    ),
    (
        "effect: allow",
        "effect: allow\n    priority: 2000",
        "9:15: 'priority' should be less than or equal to 1000",
    ),
    ("effect: allow", "effect: allow\n    tags: ASI01", "9:11: 'tags' must be a list"),
    ("effect: allow", "effect: allow\n    tags: [a b]", "9:12: 'tags' is 'a b'; it must fit"),
    ("effect: allow", "effect: allow\n    severity: bad", "9:15: 'severity' must be"),
    ('["read:file"]', '"read:file"', "10:16: 'actions' must be a list"),
    ('["read:file"]', "[read:file, 7]", "10:28: 'actions' must be a text, not 7; write it in quotes"),
    ('["read:file"]', "[]", "10:16: 'actions' should"),
    ('["read:file"]', '[""]', "10:17: an empty pattern matches nothing anyone means"),
    ('["read:file"]', '["a**b"]', "10:17: 'a**b' has '**'; one '*' already crosses '/'"),
    ('["read:file"]', '["[ab"]', "10:17: '[ab' has '[' without ']'"),
    ('["read:file"]', '["x[]"]', "10:17: 'x[]' has an empty set"),
    ('["read:file"]', '["[^a]"]', "10:17: '[^a]': negate a set with '!', not '^'"),
    ('["read:file"]', '["[z-a]"]', "10:17: '[z-a]': the range z-a runs backwards"),
    ('["read:file"]', '["http://[::1]/*"]', "10:17: 'http://[::1]/*': the set [::1] repeats itself"),
    ('["read:file"]', '[" a"]', "10:17: ' a' begins or ends with white space"),
    ("message: reading is fine", "message: 5", "13:14: 'message' must be a text, not 5; write it in quotes"),
    ("message: reading is fine", "message: ''", "13:14: 'message' should have at least 1 character"),
    (
        "message: reading is fine",
        "message: !!python/name:os.system x",
        "13:14: the tag tag:yaml.org,2002:python",
    ),
    ("    match:\n", "    <<: {a: 1}\n    match:\n", "9:5: merge keys ('<<') are not read"),
    ("rule: read,", "rule: raed,", "15:40: no rule raed in this policy; did you mean read?"),
    ("expect: deny", "expect: allow", "15:3: no case expects deny; add one"),
    ("size_bytes: 3}", "size_bites: 3}", "15:76: unknown key 'size_bites'; did you mean 'size_bytes'?"),
    ("size_bytes: 3}", "size_bytes: lots}", "15:88: 'size_bytes' must be a whole number, not 'lots'"),
    ("name: large", "name: small", "16:12: the name 'small' stands already on line 15; choose another"),
]


@pytest.mark.parametrize(("old", "new", "told"), TABLE)
def test_a_mistake_is_told_with_its_place(old: str, new: str, told: str) -> None:
    assert old in GOOD
    found = mistakes(GOOD.replace(old, new, 1))
    assert any(m.startswith(f"f.yaml:{told}") for m in found), found


def test_a_rule_id_twice() -> None:
    rule = GOOD[GOOD.index("  - id: read") : GOOD.index("cases:")]
    assert mistakes(GOOD.replace("cases:", rule + "cases:")) == [
        "f.yaml:14:9: the id 'read' stands already on line 7; choose another"
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1: the file holds no policy"),
        ("# nothing\n", "1:1: the file holds no policy"),
        (GOOD + "---\n", "18:1: an empty document; remove the '---'"),
        ("- a\n", "1:1: a policy begins with 'apiVersion:'"),
        ("a: [b\n", "2:1: not YAML: "),
        ("a: 'b\n", "2:1: not YAML: "),
        ("a: b: c\n", "1:5: not YAML: mapping values are not allowed"),
        (b"a: \xff\n", "1:1: not YAML: "),
        (b"a: \x00\n", "1:1: not YAML: "),
        ("? [a]\n: b\n", "1:3: a key must be a plain text"),
        ("a: *b\n", "1:4: *b stands for nothing: no &b before it"),
        ("a: &b [*b]\n", "1:8: *b holds itself"),
        ("[" * 500_000, "1:33: nested deeper than 32 levels"),
        ("- " * 500_000, "1:65: nested deeper than 32 levels"),
        (
            "#" * (LARGEST_FILE + 1),
            f"1:1: the file has {LARGEST_FILE + 1} bytes; at most {LARGEST_FILE} are read",
        ),
    ],
)
def test_what_is_no_policy(text: str | bytes, told: str) -> None:
    found = mistakes(text)
    assert found[0].startswith(f"f.yaml:{told}"), found


def test_aliases_that_explode_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "more than 2000000 values, aliases expanded" in mistakes("\n".join(lines))[0]


def test_reading_stops_at_a_thousand_mistakes() -> None:
    found = mistakes("a: 1\n" * 100_000)
    assert len(found) == 1001
    assert "too many mistakes; the rest of this file was not read" in found[-1]


def test_honest_aliases_are_read() -> None:
    text = GOOD.replace('["read:file"]', '&a ["read:file"]\n      tools: *a')
    rule = load(text).policies[0].rules[0]
    assert rule.match.tools == rule.match.actions == ["read:file"]


def test_words_that_other_readers_turn_into_truths_stay_words() -> None:
    rule = load(GOOD.replace('["read:file"]', "[no, on, 2024-01-01, 0123, 1:30]")).policies[0].rules[0]
    assert rule.match.actions == ["no", "on", "2024-01-01", "0123", "1:30"]


def test_all_mistakes_of_all_files_are_told_together() -> None:
    bad = GOOD.replace("effect: allow", "effect: permit").replace("lte: 10", "lte: ten")
    with pytest.raises(PolicyMistakes) as caught:
        load_policies(
            [
                ("b.yaml", bad.encode()),
                ("a.yaml", b"a: ["),
                ("c.yaml", GOOD.encode()),
                ("d.yaml", GOOD.encode()),
            ]
        )
    told = [str(m).split(": ")[0] for m in caught.value.mistakes]
    assert told == ["a.yaml:2:1", "b.yaml:8:13", "b.yaml:12:27", "c.yaml:4:9", "d.yaml:4:9"]
    assert "the policy name files is taken by b.yaml:1" in str(caught.value)


BAD_IN_EVERY_WAY = """\
apiVersion: praetor/v1
kind: Policy
metadata: {name: base, description: Files.}
extends: [heir, nobody]
rules:
  - {id: read, effect: permit, match: {actions: [read], tool: [x]}, message: fine}
  - {id: write, effect: allow, match: {actions: [write]}, when: action.size_bytes > 'ten', message: fine}
  - {id: write, effect: deny, match: {paths: [/etc, /a/../b]}, when: action.tol == 'x', message: nay}
  - {id: exec, effect: allow, limit: {calls: 3}, match: {tools: [{list: nolist}]}, message: ten a day}
  - {effect: deny, match: {}, when: conditions.none, message: never}
  - 7
cases:
  - {name: a, expect: allow, rule: raed, action: {action: read}}
  - {name: a, expect: denied, rule: read, action: {resource: x}}
---
apiVersion: praetor/v1
kind: Policy
metadata: {name: heir, describe: More files.}
extends: [base]
rules:
  - {id: list, effect: allow, match: {resources: [{list: places}]}, message: fine}
cases:
  - {name: a, expect: allow, rule: read, action: {action: read}}
  - {name: b, expect: deny, rule: read, action: {action: read, size_bytes: many}}
---
apiVersion: praetor/v1
kind: Lists
lists: {places: [a, 7], Bad Name: [a]}
"""


def test_mistakes_of_every_kind_are_told_in_one_run() -> None:
    """One in a document's form hides none in its conditions, names and cases; nor does it make others."""
    assert [m.removeprefix("f.yaml:").partition(";")[0] for m in mistakes(BAD_IN_EVERY_WAY)] == [
        "4:11: the policy base extends itself (base -> heir -> base)",
        "4:17: no policy nobody",
        "6:24: 'effect' must be 'allow', 'deny', 'modify', 'require_approval' or 'defer', not 'permit'",
        "6:57: unknown key 'tool'",
        "7:83: found no matching overload for '_>_' applied to '(int, string)'",
        "8:10: the id 'write' stands already on line 7",
        "8:53: '/a/../b' has '..'",
        "8:76: undeclared reference to 'action.tol'",
        "9:38: a limit has one window: 'window: 1h' (sliding), or 'calendar: day'",
        "9:73: no list nolist",
        "10:5: missing key 'id'",
        "10:37: no condition none",
        "11:5: 'rules' must be a mapping ('key: value' lines), not 7",
        "14:12: the name 'a' stands already on line 13",
        "14:23: 'expect' must be 'allow', 'deny', 'modify', 'require_approval' or 'defer', not 'denied'",
        "14:51: missing key 'action'",
        "18:11: missing key 'description'",
        "18:24: unknown key 'describe'",
        "19:11: the policy heir extends itself (heir -> base -> heir)",
        "24:76: 'size_bytes' must be a whole number, not 'many'",
        "28:21: 'places' must be a text, not 7",
        "28:25: the name 'Bad Name' must fit ^[a-z][a-z0-9_]{0,63}$",
    ]


SECOND = (
    "  - {id: second, effect: deny, match: {tools: [{list: none}]}, message: no, when: action.tol == ''}\n"
)
FATAL = ("kind: Policy", "praetor/v1", "apiVersion: praetor/v1\n")


@pytest.mark.parametrize(("old", "new", "told"), [row for row in TABLE if row[0] not in FATAL])
def test_a_mistake_hides_no_other(old: str, new: str, told: str) -> None:
    found = mistakes(GOOD.replace("cases:", SECOND + "cases:").replace(old, new, 1))
    assert len(found) <= 4, found
    for other in (
        "no list none; there is none",
        "undeclared reference to 'action.tol'",
        told.split(": ", 1)[1].partition(" on line ")[0],
    ):
        assert any(other in m for m in found), found


def test_all_that_is_wrong_with_a_condition_is_told() -> None:
    when = "    when: |\n      action.tol == 'x' &&\n        action.tenant > 5 && nope()\n    message:"
    assert [m.partition("; ")[0] for m in mistakes(GOOD.replace("    message:", when))] == [
        "f.yaml:14:13: undeclared reference to 'action.tol'",
        "f.yaml:15:23: found no matching overload for '_>_' applied to '(string, int)'",
        "f.yaml:15:34: undeclared reference to 'nope'",
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("detections: [denial-bust]", "10:20: no detection denial-bust; did you mean denial-burst?"),
        ("recent_detections: [x, zzz]", "10:27: no detection x; there are denial-burst, source-duplicate"),
    ],
)
def test_a_detection_that_is_none_is_told_with_its_place(written: str, told: str) -> None:
    assert (
        f"f.yaml:{told}" in mistakes(GOOD.replace("      actions:", f"      {written}\n      actions:", 1))[0]
    )


def test_conditions_and_cases_name_detections_that_are_there() -> None:
    assert (
        "did you mean source-gap?"
        in mistakes(
            GOOD.replace("    match:", "    when: \"'source-gab' in recent_detections\"\n    match:", 1)
        )[0]
    )
    cased = GOOD + "  - {name: more, expect: deny, action: {action: x}, detections: [source-gab]}\n"
    assert "no detection source-gab; did you mean source-gap?" in mistakes(cased)[0]


def test_ten_thousand_mistakes_are_counted_not_all_told() -> None:
    rules = "".join(f"  - {{id: r{i}, effect: nay, match: {{}}, message: m}}\n" for i in range(10_000))
    with pytest.raises(PolicyMistakes) as caught:
        load(GOOD.replace("cases:", rules + "cases:"))
    assert len(caught.value.mistakes) == 10_000
    assert str(caught.value).splitlines()[-1] == "... and 9800 more"
