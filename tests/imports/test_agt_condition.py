"""Conditions of governance.toolkit/v1: their CEL answers as the toolkit's own evaluation does."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.pattern import Kind, parse_pattern
from policies.cel import activate, compile_condition, holds
from policies.imports.agt_cel import literal, to_cel, to_match
from policies.imports.agt_condition import Atom, NotCarried, disjoint, parse_condition

FIELDS = ("amount", "user.role", "user.in", "to.value", "flag")
VALUES = ("admin", "x", "", 0, 5, 7.5, True, False, None, [], ["x"], {}, {"role": "x"})


def naive(atom: Atom, arguments: dict[str, Any]) -> bool:
    """What the toolkit answers, as its documentation describes it."""
    value: Any = arguments
    for step in atom.field.removesuffix(".value").split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if atom.op == "is":
        return bool(value)
    if atom.op in ("==", "!="):
        return (value == atom.value) is (atom.op == "==")
    if atom.op == "in":
        return value in atom.value
    number = float(value) if value is not None else 0.0
    return {"<": number < atom.value, ">": number > atom.value, "<=": number <= atom.value}.get(
        atom.op, number >= atom.value
    )


atoms = st.one_of(
    st.builds(Atom, st.sampled_from(FIELDS), st.sampled_from(("==", "!=")), st.sampled_from(("admin", "x"))),
    st.builds(Atom, st.sampled_from(FIELDS), st.just("in"), st.lists(st.sampled_from(("admin", "x")))),
    st.builds(Atom, st.sampled_from(FIELDS), st.just("is"), st.none()),
)
numbers = st.builds(
    Atom, st.just("amount"), st.sampled_from(("<", "<=", ">", ">=")), st.sampled_from((0.0, 5.0, 7.25))
)
arguments = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.sampled_from((0, 5, 7.5, -1)),
        "user": st.one_of(
            st.sampled_from(VALUES),
            st.dictionaries(st.sampled_from(("role", "in")), st.sampled_from(VALUES)),
        ),
        "to": st.sampled_from(VALUES),
        "flag": st.sampled_from(VALUES),
    },
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(atoms, numbers), arguments)
def test_a_comparison_has_the_toolkits_answer(atom: Atom, given_arguments: dict[str, Any]) -> None:
    program = compile_condition(to_cel(atom))
    assert holds(program, activate({"args": given_arguments})) is naive(atom, given_arguments)


def test_conditions_become_match_where_they_can() -> None:
    def made(text: str) -> tuple[dict[str, list[str]], str]:
        return to_match(parse_condition(text))

    assert made("tool_name == 'rm[*'") == ({"tools": ["rm[[][*]"]}, "")
    assert made("tool_name == 'a' or tool.name in ['b', 'c']") == ({"tools": ["a", "b", "c"]}, "")
    assert made("action.type == 'drop'") == ({"actions": ["drop", "drop:*"]}, "")
    match, when = made("action.type == 'refund' and amount.value > 500")
    assert match == {"actions": ["refund", "refund:*"]}
    assert when == "(has(args.amount) ? double(args.amount) : 0.0) > 500.0"
    match, when = made("tool_name == 'and or' or path == '/etc/passwd'")
    assert match == {}
    assert when == "((action.tool == 'and or')) || ((has(args.path) && args.path == '/etc/passwd'))"
    compile_condition(when)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "",
        "not x",
        "(a == 'b')",
        "a == 5",
        "a == ''",
        "a ~ 'b'",
        "tool_name in blocked",
        "a == 'b' OR c",
    ],
)
def test_what_the_toolkit_cannot_read_is_said(text: str) -> None:
    with pytest.raises(NotCarried, match="there it never holds"):
        parse_condition(text)


@pytest.mark.parametrize("text", ["sql.verb == 'DROP'", "k8s.namespace == 'x'", "tool.output.contains_pii"])
def test_what_the_toolkit_works_out_is_said(text: str) -> None:
    with pytest.raises(NotCarried, match="is worked out by the toolkit"):
        parse_condition(text)


def test_conditions_that_never_hold_together() -> None:
    def apart(one: str, other: str) -> bool:
        return disjoint(parse_condition(one), parse_condition(other))

    assert apart("tool_name == 'a'", "tool.name == 'b' and x")
    assert apart("tool_name in ['a', 'b']", "tool_name == 'c' or tool_name == 'd'")
    assert not apart("tool_name == 'a'", "tool_name == 'a'")
    assert not apart("tool_name == 'a'", "path == 'b'")
    assert not apart("tool_name != 'a'", "tool_name == 'b'")


@given(st.text(alphabet="ab*?[]!-", min_size=1).filter(lambda t: t == t.strip()))
def test_a_literal_is_an_exact_pattern(text: str) -> None:
    pattern = parse_pattern(literal(text))
    assert (pattern.kind, pattern.text) == (Kind.exact, text)
