"""Sigma's specification 2.1, sentence by sentence: a quotation, a rule, what it finds and what it leaves.

Quotations are of the rules specification and of the appendix on modifiers. `resource` and `args.c` stand for
the specification's `field`. Texts are those of the field; a mapping is an action's fields.
"""

from typing import Any, NamedTuple

import pytest

from tests.detections.sigma.spoken import action, found, load_sigma, read, rule_text


class Says(NamedTuple):
    quoted: str
    detection: str
    finds: tuple[Any, ...]
    leaves: tuple[Any, ...]


def one(line: str) -> str:
    """A detection of one selection of one line."""
    return f"one:\n  {line}\ncondition: one"


GENERAL = [
    Says(
        "All values are treated as case-insensitive strings",
        one("resource: Abc"),
        ("abc", "ABC"),
        ("abcd", ""),
    ),
    Says(
        "`?` to replace a single mandatory character",
        one("resource: prog?.exe"),
        ("progA.exe",),
        ("prog.exe", "progAB.exe"),
    ),
    Says(
        "`*` to replace an unbounded length wildcard",
        one("resource: antivirus_V*.exe"),
        ("antivirus_V1.exe", "antivirus_V21.2.1.exe", "antivirus_v.exe", "antivirus_V\n.exe"),
        ("antivirus.exe", "xantivirus_V1.exe"),
    ),
    Says(
        "Plain backslash not followed by a wildcard can be expressed as single",
        one(r"resource: 'C:\Temp\a'"),
        (r"c:\temp\A",),
        ("C:/Temp/a",),
    ),
    Says("... or double backslash", one(r"resource: 'C:\\Temp\\a'"), (r"c:\temp\A",), (r"C:\\Temp\\a",)),
    Says(
        "A wildcard has to be escaped to be handled as a plain character",
        one(r"resource: 'a\*b\?'"),
        ("a*b?",),
        ("axb?", "a*bx"),
    ),
    Says(
        r"handle the value as a backslash followed by a wildcard: `\\*`",
        one(r"resource: 'a\\*'"),
        ("a\\", "a\\bc"),
        ("abc", "a*"),
    ),
    Says(
        r"Three backslashes ... handle them as plain values: `\\\*`",
        one(r"resource: 'a\\\*'"),
        ("a\\*",),
        ("a\\b", "a\\"),
    ),
    Says(r"Four ... results in the plain value `\\`", one(r"resource: 'a\\\\b'"), ("a\\\\b",), ("a\\b",)),
    Says(
        "strings that are applied to the full log message and are linked with a logical 'OR'",
        "keywords:\n  - EVILSERVICE\n  - 'svchost.exe -n evil'\ncondition: keywords",
        (
            "the evilservice runs",
            {"content": "x svchost.exe -n EVIL y"},
            {"arguments": {"deep": [{"er": "EvilService!"}]}},
        ),
        ("svchost.exe -n  evil", {"agent_id": "evilservice"}),
    ),
    Says(
        "To have a and operator, we use the '|all': modifier",
        "k:\n  '|all':\n    - OabVirtualDirectory\n    - ' -ExternalUrl '\ncondition: k",
        (
            "Set-OabVirtualDirectory -externalurl x",
            {"resource": "oabvirtualdirectory", "content": "a -ExternalUrl b"},
        ),
        ("OabVirtualDirectory", " -ExternalUrl "),
    ),
    Says(
        "All map items of a list are logically linked with 'OR'",
        "s:\n  - resource|endswith: '\\example.exe'\n  - content|contains: Test executable\ncondition: s",
        ("c:\\example.exe", {"content": "a test executable."}),
        ("example.exe.bak", {"content": "executable test"}),
    ),
    Says(
        "All elements of a map are joined with a logical 'AND'; a list of values with 'OR'",
        "s:\n  resource: Security\n  args.id:\n    - 517\n    - 1102\ncondition: s",
        (
            {"resource": "security", "arguments": {"id": 517}},
            {"resource": "security", "arguments": {"id": "1102"}},
        ),
        (
            {"resource": "security", "arguments": {"id": 5170}},
            {"resource": "x", "arguments": {"id": 517}},
            "security",
        ),
    ),
    Says(
        "An empty value is defined with ''", one("tool: ''"), ({"tool": ""},), ({"tool": "x"}, {"tool": None})
    ),
    Says(
        "A null value is defined with null",
        one("args.c: null"),
        ({"arguments": {"c": None}}, {"arguments": {}}),
        ({"arguments": {"c": ""}},),
    ),
    Says(
        "To get an expression that says `not null` you have to create another selection and negate it",
        "s:\n  action: call:tool\nf:\n  tool: null\ncondition: s and not f",
        ({"tool": "x"}, {"tool": ""}),
        ({"tool": None},),
    ),
]

MODIFIERS = [
    Says(
        "`all`: Normally, lists of values are linked with OR. This modifier changes this to AND",
        one("resource|contains|all: [' -a', ' -b']"),
        ("x -a -b", "x -B -A"),
        ("x -a", "x -b", ""),
    ),
    Says(
        "`startswith`: The value is expected at the beginning",
        one("resource|startswith: adm"),
        ("Admin", "adm"),
        ("xadm", "ad"),
    ),
    Says(
        "`endswith`: The value is expected at the end",
        one(r"resource|endswith: '\cmd.exe'"),
        (r"C:\CMD.exe",),
        ("cmd.exe", r"\cmd.exe.bak"),
    ),
    Says(
        "`contains`: ... the value is matched anywhere in the field",
        one("resource|contains: mid"),
        ("mid", "aMIDb"),
        ("mi d", ""),
    ),
    Says(
        "... wildcards stay wildcards within it",
        one("resource|contains: 'a*b?c'"),
        ("xaZZbYcx", "AB.C"),
        ("abc", "xbac"),
    ),
    Says(
        "`exists`: verifies the presence of a field, not its value, be it empty or null",
        one("args.c|exists: true"),
        (
            {"arguments": {"c": None}},
            {"arguments": {"c": ""}},
            {"arguments": {"c": []}},
            {"arguments": {"c": {"d": 1}}},
        ),
        ({"arguments": {}}, {"arguments": None}, {"arguments": {"d": {"c": 1}}}),
    ),
    Says(
        "`exists` ... or must not exist",
        one("args.c|exists: false"),
        ({"arguments": {}},),
        ({"arguments": {"c": None}},),
    ),
    Says(
        "`cased`: Values are applied case sensitively", one("resource|cased: Abc"), ("Abc",), ("abc", "ABC")
    ),
    Says("`cased` with others", one("resource|contains|cased: 'A*c'"), ("xA.cx",), ("xa.cx", "xA.Cx")),
    Says(
        "`neq`: The field is different from the specified values",
        one("resource|neq: [a, b]"),
        ("c", ""),
        ("a", "B"),
    ),
    Says(
        "`windash`: ... converts the aforementioned characters interchangeably",
        one("resource|windash|contains: ' -f '"),
        ("x -f y", "x /f y", "x \u2013f y", "x \u2014f y", "x \u2015f y"),
        ("x f y", "x +f y"),
    ),
    Says(
        "`re`: ... matched case-sensitive by default",
        one("resource|re: 'a[0-9]+c|x?y{2}'"),
        ("za12cz", "yy"),
        ("A12C", "ac", "y"),
    ),
    Says("`re` anchors", one("resource|re: '^abc$'"), ("abc",), ("xabc", "abc\n", "a\nabc")),
    Says(
        "`i`: (insensitive) to enable case-insensitive matching",
        one("resource|re|i: 'a[b-d]e'"),
        ("ACE", "ade"),
        ("aee",),
    ),
    Says(
        "`m`: (multi line) `^` /`$` match the start/end of line",
        one("resource|re|m: '^abc$'"),
        ("x\nabc\ny", "abc"),
        ("xabc\n",),
    ),
    Says(
        "`s`: (single line) dot matches all characters, including the newline",
        one("resource|re|s: 'a.b'"),
        ("a\nb",),
        ("ab",),
    ),
    Says("... without which it does not", one("resource|re: 'a.b'"), ("axb",), ("a\nb",)),
    Says(
        "`base64`: The value is encoded with Base64",
        one("resource|base64: foobar"),
        ("Zm9vYmFy",),
        ("foobar", "Zm9vYmF"),
    ),
    Says(
        "`base64offset`: ... three variants for shifts by zero to two bytes",
        one("resource|base64offset|contains: http://"),
        ("xaHR0cDovLx", "YWh0dHA6Ly9i", "YWFodHRwOi8vYg=="),
        ("http://", "aHR0cA=="),
    ),
    Says(
        "`utf16le`: `cmd` > `63 00 6d 00 64 00`",
        one("resource|utf16le|base64offset|contains: cmd"),
        ("YwBtAGQA", "xYwBtAGQAx"),
        ("Y21k", "AGMAbQBk"),
    ),
    Says(
        "`wide`: an alias for the `utf16le` modifier",
        one("resource|wide|contains: cmd"),
        ("xc\0m\0d\0x",),
        ("cmd",),
    ),
    Says(
        "`utf16be`: `cmd` > `00 63 00 6d 00 64`",
        one("resource|utf16be|base64: cmd"),
        ("AGMAbQBk",),
        ("YwBtAGQA",),
    ),
    Says(
        "`utf16`: Prepends a byte order mark: `FF FE 63 00 6d 00 64 00`",
        one("resource|utf16|base64: cmd"),
        ("//5jAG0AZAA=",),
        ("YwBtAGQA",),
    ),
    Says(
        "`lt`: Field is less than the value",
        one("cost_usd|lt: 5"),
        ({"cost_usd": 4.9}, {"cost_usd": 0.0}),
        ({"cost_usd": 5.0},),
    ),
    Says(
        "`lte`: Field is less or equal than the value",
        one("cost_usd|lte: 5"),
        ({"cost_usd": 5.0},),
        ({"cost_usd": 5.1},),
    ),
    Says(
        "`gt`: Field is greater than the value",
        one("args.c|gt: 5"),
        ({"arguments": {"c": 6}}, {"arguments": {"c": "5.5"}}, {"arguments": {"c": [1, 9]}}),
        ({"arguments": {"c": 5}}, {"arguments": {"c": "six"}}, {"arguments": {"c": True}}, {"arguments": {}}),
    ),
    Says(
        "`gte`: Field is greater or equal than the value",
        one("input_tokens|gte: 5"),
        ({"input_tokens": 5},),
        ({"input_tokens": 4},),
    ),
    Says(
        "`neq`: Field is not equal than the value",
        one("input_tokens|neq: 5"),
        ({"input_tokens": 4},),
        ({"input_tokens": 5},),
    ),
    Says(
        "`cidr`: Supports both IPv4 and IPv6 notations",
        one("resource|cidr: 10.0.0.0/8"),
        ("10.1.2.3",),
        ("11.1.2.3", "::ffff:a01:203", "host", ""),
    ),
    Says("`cidr`: IPv6", one("resource|cidr: 2001:db8::/32"), ("2001:DB8::1",), ("2001:db9::1", "10.0.0.1")),
    Says(
        "`fieldref`: compare fields of matched events directly",
        one("resource|fieldref: tool"),
        ({"resource": "A", "tool": "a"},),
        ({"resource": "a", "tool": "b"}, {"resource": "a", "tool": None}),
    ),
    Says(
        "`fieldref` ... combine with the `neq` modifier",
        one("resource|fieldref|neq: tool"),
        ({"resource": "a", "tool": "b"}, {"resource": "a", "tool": None}),
        ({"resource": "a", "tool": "A"},),
    ),
    Says(
        "`fieldref` within",
        one("resource|fieldref|contains: args.c"),
        ({"resource": "x/AB/y", "arguments": {"c": "ab"}},),
        ({"resource": "xy", "arguments": {"c": "ab"}},),
    ),
    Says(
        "`hour`: number between 0 and 23",
        one("occurred_at|hour: 3"),
        ({"occurred_at": 3 * 3_600_000_000 + 5},),
        ({"occurred_at": 4 * 3_600_000_000},),
    ),
    Says(
        "`day`, `month`, `year`, `minute`, `week`",
        one("{occurred_at|day: 31, occurred_at|month: 12, occurred_at|year: 1970, occurred_at|week: 53}"),
        ({"occurred_at": (365 * 86_400 - 1) * 1_000_000},),
        ({"occurred_at": 0}, {"occurred_at": 365 * 86_400 * 1_000_000}),
    ),
    Says(
        "parts of a time with inequalities",
        one("received_at|hour|gte: 22"),
        ({"received_at": 23 * 3_600_000},),
        ({"received_at": 21 * 3_600_000},),
    ),
]

SELECTIONS = "".join(
    f"{n}:\n  resource|contains: {v}\n" for n, v in {"a": "a", "b1": "b", "b2": "c", "_d": "d"}.items()
)
CONDITIONS = [
    Says("Logical AND/OR: `keywords1 or keywords2`", SELECTIONS + "condition: a or b1", ("a", "b"), ("c",)),
    Says("... and", SELECTIONS + "condition: a and b1", ("ab",), ("a", "b")),
    Says(
        "`1 of them` means that one of the defined search identifiers must appear",
        SELECTIONS + "condition: 1 of them",
        ("a", "b", "c"),
        ("x",),
    ),
    Says(
        "A search identifier `_example` wouldn't be included", SELECTIONS + "condition: 1 of them", (), ("d",)
    ),
    Says("all of them", SELECTIONS + "condition: all of them", ("abc", "abcd"), ("ab", "bcd")),
    Says("`1 of search-identifier-pattern`", SELECTIONS + "condition: 1 of b*", ("b", "c"), ("a", "d")),
    Says("`all of search-identifier-pattern`", SELECTIONS + "condition: all of b*", ("bc",), ("ab", "ac")),
    Says("`any of` says what `1 of` says", SELECTIONS + "condition: any of b*", ("b", "c"), ("a",)),
    Says("Negation with 'not'", SELECTIONS + "condition: a and not b1", ("a", "ac"), ("ab", "b")),
    Says(
        "`1 of selection* and not 1 of filter*`",
        SELECTIONS + "condition: a and not 1 of b*",
        ("a", "ad"),
        ("ab", "ac"),
    ),
    Says(
        "Brackets: `selection1 and (keywords1 or keywords2)`",
        SELECTIONS + "condition: a and (b1 or b2)",
        ("ab", "ac"),
        ("a", "bc"),
    ),
    Says(
        "Operator Precedence (least to most binding): or, and, not",
        SELECTIONS + "condition: a or b1 and not b2",
        ("a", "ac", "b"),
        ("bc", "c"),
    ),
    Says(
        "The condition can be a list ... logically linked with OR",
        SELECTIONS + "condition:\n  - a and b1\n  - b2",
        ("ab", "c"),
        ("a", "b"),
    ),
]


@pytest.mark.parametrize("says", [*GENERAL, *MODIFIERS, *CONDITIONS], ids=lambda says: says.quoted[:60])
def test_the_specification(says):
    rules = read(says.detection)
    assert says.finds or says.leaves
    for text in says.finds:
        assert found(rules, _action(text)), text
    for text in says.leaves:
        assert not found(rules, _action(text)), text


def _action(said: Any):
    return action(**said) if isinstance(said, dict) else action(resource=said)


LISTS = {"admins": ["root", "adm-*"], "tld": ["com", "net"]}


def test_placeholders_are_expanded_where_expand_says_so():
    """`field|expand: %name%` handles `%name%` as placeholder; `field: %name%` as literal value."""
    rules = read(one("resource|expand: '%admins%'"), LISTS)
    assert found(rules, action(resource="ROOT")) and found(rules, action(resource="adm-x"))
    assert not found(rules, action(resource="%admins%"))
    assert found(read(one("resource: '%admins%'")), action(resource="%admins%"))


def test_placeholders_stand_within_texts_and_several_make_every_combination():
    rules = read(one("resource|expand|contains: '%admins%@a.%tld%/'"), LISTS)
    for resource in ("x root@a.com/", "ROOT@a.net/y", "adm-1@a.net/"):
        assert found(rules, action(resource=resource))
    assert not found(rules, action(resource="root@a.org/"))


def test_a_category_is_the_phase_of_the_actions_that_are_looked_at():
    rules = load_sigma(
        [("r.yml", rule_text(one("resource: x")).replace(b"ai_agent}", b"ai_agent, category: result}"))]
    )
    assert found(rules, action(resource="x", phase="result")) and not found(rules, action(resource="x"))


def test_labels_lists_in_arguments_and_every_argument():
    rules = read(
        "a:\n  labels.team: red\nb:\n  args.to.name: bob\nc:\n  args|contains: hidden\ncondition: 1 of them"
    )
    assert found(rules, action(labels={"team": "Red"}))
    assert found(rules, action(arguments={"to": [{"name": "al"}, {"name": ["eve", "Bob"]}]}))
    assert found(rules, action(arguments={"x": [[{"y": "a Hidden b"}]]}))
    assert found(rules, action(arguments='{"x": "a \\u0068idden b"}')), "an escape hides nothing"
    assert not found(rules, action(labels={"teams": "red"}, arguments={"to": "bob", "hidden": 1}))


def test_a_wide_field_is_each_of_its_fields_and_absent_only_if_all_are():
    rules = read("a:\n  command|contains: curl\ncondition: a")
    assert found(rules, action(resource="curl x")) and found(rules, action(arguments={"cmd": "CURL"}))
    absent = read("a:\n  message: null\ncondition: a")
    assert found(absent, action()) and not found(absent, action(arguments={"body": "x"}))
