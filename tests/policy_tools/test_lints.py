"""Each lint: what it is said of, and what it is not said of."""

from typing import Any

import pytest

from cli.policy_files import load_files
from documents.lints import Level
from policies.linting.finding import CODES
from policies.linting.lint import lint_policies
from policies.load import load_policies
from tests.policies.test_load import GOOD
from tests.policy_tools.linted import codes, found, load

ALLOW = {"effect": "allow", "tags": []}
FIELDS_1, FIELDS_2 = ({"match": {"fields": {"cost_usd": {"lte": most}}}} for most in (1, 2))
SRV = {"match": {"actions": ["read:*"], "paths": ["/srv"]}}

SAID: list[tuple[str, list[dict[str, Any]]]] = [
    ("PL101", [{"match": {"fields": {"cost_usd": {"gt": 5, "lt": 3}}}}]),
    ("PL101", [{"match": {"fields": {"size_bytes": {"gt": 5, "lt": 6}}}}]),
    ("PL101", [{"match": {"fields": {"cost_usd": {"eq": 5, "neq": 5}}}}]),
    ("PL101", [{"match": {"resources": ["/etc/hosts"], "paths": ["/srv"]}}]),
    ("PL101", [{"when": "1 == 2"}]),
    ("PL101", [{"when": "has(args.x) && 'eve' in ['bob']"}]),
    ("PL101", [{"when": "action.tool == 'a' && action.tool == 'b'"}]),
    ("PL101", [{"when": "action.tool == 'a' && 'a' != action.tool"}]),
    ("PL101", [{"when": "action.phase == 'calls'"}]),
    ("PL101", [{"match": {"phases": ["prompt"]}, "when": "action.phase == 'result'"}]),
    ("PL101", [{"match": {"tools": ["get_*"]}, "when": ["has(args.x)", "(action.tool == 'set_x')"]}]),
    ("PL101", [{"when": "agent.actions < 0"}]),
    ("PL101", [{"when": "action.size_bytes > 5 && 6 > action.size_bytes"}]),
    ("PL101", [{"match": {"fields": {"cost_usd": {"gt": 5}}}, "when": "action.cost_usd <= 5.0"}]),
    ("PL102", [{"when": "true && has(args.x)"}]),
    ("PL102", [{"when": "session.denials >= 0"}]),
    ("PL102", [{"limit": {"calls": 0, "window": "1h"}}]),
    ("PL103", [{"match": {}}, {"match": {"tools": ["x"]}}]),
    ("PL103", [{**ALLOW}, {"match": {"actions": ["*"]}}]),
    ("PL103", [{**ALLOW, **SRV}, {"match": {"actions": ["r*d:*"], "paths": ["/srv", "/etc"]}}]),
    ("PL103", [{**ALLOW, "match": {"resources": ["/srv/x"]}}, {"match": {"paths": ["/srv"]}}]),
    ("PL103", [{"effect": "modify", "modify": [{"redact": "x"}]}, {}]),
    ("PL103", [{"when": "has(args.x)"}, {"when": "has(args.x)", "effect": "defer"}]),
    ("PL103", [FIELDS_2, FIELDS_1]),
    ("PL103", [{"match": {"labels": {"a": ["*"]}}}, {"match": {"labels": {"a": ["x"], "b": ["y"]}}}]),
    ("PL103", [{}, {"limit": {"calls": 3, "window": "1h"}}]),
    ("PL104", [{"match": {"actions": ["read:file"], "resources": ["/etc/passwd"]}}]),
    ("PL104", [{"match": {"resources": ["https://evil.example/*"]}}]),
    ("PL105", [{**ALLOW, "match": {"paths": ["/etc"]}}, {"match": {"resources": ["/etc/passwd"]}}]),
    ("PL105", [{**ALLOW, "match": {}}, {"match": {"resources": ["https://evil.example/*"]}}]),
    ("PL106", [{"priority": 5}]),
    ("PL107", [{"match": {"actions": ["read:file", "read:file"]}}]),
    ("PL107", [{"match": {"actions": ["read:file", "read:*"]}}]),
    ("PL107", [{**ALLOW, "match": {"paths": ["/srv/a", "/srv"]}}]),
    ("PL107", [{"match": {"labels": {"env": ["p*", "prod"]}}}]),
    ("PL107", [{"match": {"phases": ["call", "call"]}}]),
    ("PL108", [{**ALLOW, "match": {}}]),
    ("PL108", [{**ALLOW, "match": {"actions": ["*"], "agents": ["a", "*"]}}]),
    ("PL201", [{"when": "action.tool.matches('(')"}]),
    ("PL201", [{"when": 'matches(action.tool, r"(?=x)")'}]),
    ("PL201", [{"when": "has(args.x) && 1 / 0 == 1"}]),
    ("PL202", [{"when": "args.amount > 5"}]),
    ("PL501", [{"message": "denied"}]),
    ("PL501", [{"id": "no-secrets", "message": "No secrets"}]),
    ("PL502", [{"tags": []}]),
]


@pytest.mark.parametrize(("code", "rules"), SAID)
def test_it_is_said(code: str, rules: list[dict[str, Any]]) -> None:
    assert code in codes(*rules)


NOT_SAID: list[tuple[str, list[dict[str, Any]]]] = [
    ("PL101", [{"match": {"fields": {"cost_usd": {"gt": 5, "lt": 6}, "size_bytes": {"gte": 5, "lte": 5}}}}]),
    ("PL101", [{"match": {"resources": ["/srv/./x", "/etc/*"], "paths": ["/srv"]}}]),
    ("PL101", [{"when": "action.tool == 'a' || action.tool == 'b'"}]),
    ("PL101", [{"when": "action.tool != 'a' && action.tool != 'b'"}]),
    ("PL101", [{"match": {"phases": ["prompt", "call"]}, "when": "action.phase == 'call'"}]),
    ("PL101", [{"when": "action.size_bytes < 0"}]),
    ("PL101", [{"when": "'false' != action.tool && args.x == 'false'"}]),
    ("PL102", [{"when": "agent.denials > 0"}]),
    ("PL103", [{"match": {"tools": ["x"]}}, {"match": {"tools": ["x"], "agents": ["a"]}, "priority": 1}]),
    ("PL103", [{}, {"match": {"tools": ["x"]}, "priority": 1}]),
    ("PL103", [{}, {"match": {"tools": ["x"]}, "severity": "critical"}]),
    ("PL103", [{}, {"match": {"tools": ["x"]}, "tags": ["ASI09"]}]),
    ("PL103", [{**ALLOW, "match": {}}, {"match": {"tools": ["x"]}}]),
    ("PL103", [{**ALLOW, "match": {}}, {**ALLOW, "when": "args.x == 1"}]),
    ("PL103", [{**ALLOW}, {"when": "has(args.x)"}]),
    ("PL103", [{"effect": "modify", "modify": [{"redact": "x"}]}, {"effect": "require_approval"}]),
    ("PL103", [{**ALLOW, **SRV}, {"match": {"paths": ["/srv/a"]}}]),
    ("PL103", [{"match": {"paths": ["/srv"]}}, {"match": {"resources": ["/srv/*"]}}]),
    ("PL104", [{"match": {"actions": ["exec:*"], "resources": ["/bin/rm *"]}}]),
    ("PL104", [{"match": {"paths": ["/etc/passwd"]}}, {"match": {"resources": ["orders/*", "*"]}}]),
    ("PL104", [{**ALLOW, "match": {"resources": ["/srv/*"]}}]),
    ("PL105", [{**ALLOW, "match": {"resources": ["/srv/*"]}}, {"match": {"resources": ["/etc/passwd"]}}]),
    ("PL106", [{"priority": 5}, {}]),
    ("PL107", [{"match": {"actions": ["read:*", "r*:file"], "tools": ["a?", "ab"[:1]]}}]),
    ("PL108", [{**ALLOW, "match": {}, "when": "action.tool == 'x'"}, {**ALLOW, "match": {"tenants": ["a"]}}]),
    ("PL108", [{**ALLOW, "match": {"tools": ["*"]}}]),
    ("PL201", [{"when": "action.tool.matches('^a(b|c)+$') && 'matches(x, \"(\")' != action.tool"}]),
    (
        "PL202",
        [{"when": "has(args.amount) && args.amount > 5"}, {"when": "'x' in args && args.x == 'args.y'"}],
    ),
    ("PL501", [{"message": "ask a person"}]),
    ("PL502", [{**ALLOW}]),
]


@pytest.mark.parametrize(("code", "rules"), NOT_SAID)
def test_it_is_not_said(code: str, rules: list[dict[str, Any]]) -> None:
    assert code not in codes(*rules)


def test_names_that_nothing_uses() -> None:
    beside = [
        {"kind": "Lists", "lists": {"a": ["x"], "b": ["x"], "c": ["x"], "d": ["x"], "unused": ["x"]}},
        {"kind": "Conditions", "conditions": {"used": "action.tool in lists.c", "idle": "action.tool != ''"}},
    ]
    match = {"tools": [{"list": "a"}], "labels": {"env": [{"list": "d"}]}}
    loaded = load({"match": match, "when": "conditions.used && args.x in lists.b"}, beside=beside)
    told = {f.code: f.message for f in found(loaded, "PL301", "PL302")}
    assert told == {
        "PL301": "nothing uses the list unused; remove it",
        "PL302": "nothing uses the condition idle; remove it",
    }
    lists = next(node for _, node, m in loaded.documents if type(m).__name__ == "Lists")
    (place,) = [(f.line, f.column) for f in found(loaded, "PL301")]
    assert place == lists.find(("lists",)).keys["unused"]


def test_a_template_that_nobody_extends() -> None:
    assert codes({}, mode="template") == {"PL303"}
    heir = {
        "kind": "Policy",
        "metadata": {"name": "heir", "description": "Has it."},
        "extends": ["p"],
        "cases": [{"name": n, "expect": n, "action": {"action": "x"}} for n in ("allow", "deny")],
    }
    assert "PL303" not in codes({}, mode="template", beside=[heir])


def test_an_inherited_rule_is_told_of_where_it_is_written() -> None:
    heir = {
        "kind": "Policy",
        "metadata": {"name": "heir", "description": "Has it."},
        "extends": ["p"],
        "rules": [
            {
                "id": "all",
                "effect": "deny",
                "match": {},
                "message": "no more",
                "tags": ["ASI01"],
                "priority": 1,
            }
        ],
        "cases": [{"name": n, "expect": n, "action": {"action": "x"}} for n in ("allow", "deny")],
    }
    (finding,) = found(load({}, mode="template", beside=[heir]), "PL103")
    assert finding.message.startswith("heir/r0 never decides: whatever it matches, heir/all matches too")
    assert finding.line < 30


def test_what_cases_try() -> None:
    untried = GOOD.replace('["read:file"]', '["read:x"]').replace("rule: read, ", "")
    loaded = load_policies([("f.yaml", untried.encode())])
    assert [str(f) for f in found(loaded, "PL401", "PL402")] == [
        "f.yaml:7:5: warning PL401: no case matches files/read; add one that it decides"
    ]
    one_sided = GOOD.replace("size_bytes: 30}", "size_bytes: 3}")
    assert [f.code for f in found(load_policies([("f.yaml", one_sided.encode())]), "PL401", "PL402")] == [
        "PL402"
    ]
    assert found(load_policies([("f.yaml", GOOD.encode())]), "PL401", "PL402") == []


def test_a_place_that_escapes_is_shown() -> None:
    loaded = load({**ALLOW, "match": {"paths": ["/etc"]}}, {"match": {"resources": ["/etc/passwd"]}})
    (finding,) = found(loaded, "PL105")
    assert finding.message == (
        "'/./etc/passwd' is the same place, escapes this rule, and p/r0 allows it; use 'paths:'"
    )


def test_the_shipped_policies_have_no_warning() -> None:
    told = lint_policies(load_files(None))
    assert [str(f) for f in told if CODES[f.code].level is Level.warning] == []


def test_every_code_is_tried_here() -> None:
    assert {code for code, _ in SAID} | {"PL301", "PL302", "PL303", "PL401", "PL402"} == CODES.keys()
    assert all(code.text.endswith(".") and code.name for code in CODES.values())
