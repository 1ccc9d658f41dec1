"""Conditions in CEL: type-checked when compiled, bounded when run.

The language is CEL (github.com/google/cel-spec), run by Google's own C++ implementation. Each field is
declared under its whole name, so that a misspelt one does not compile. An expression is at most 4,096
characters, nested at most 32 deep and takes at most 10,000 steps in macros (both limits of the library); its
regular expressions are RE2's: they take linear time.

An absent text is "", an absent number 0, absent labels are empty: what must be told apart is told by
`has(args.x)` for arguments. Not promised: that an expression compiles under another version of the library.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from cel_expr_python import cel

from policies.errors import Unjudgeable
from policies.hosts import host_inside, host_touches
from policies.paths import path_inside, path_touches

LONGEST = 4096

TEXTS = (
    "event_id", "tenant", "agent_id", "session_id", "phase", "mode", "action", "resource", "tool",
    "tool_server", "on_behalf_of", "principal", "outcome", "model", "content",
)  # fmt: skip
LONGS = ("input_tokens", "output_tokens", "size_bytes")
AGENT = ("actions", "denials", "age_seconds", "idle_seconds")
SESSION = ("actions", "denials", "age_seconds", "idle_seconds")

_T = cel.Type
VARIABLES: Mapping[str, Any] = {
    **{f"action.{name}": _T.STRING for name in TEXTS},
    **{f"action.{name}": _T.INT for name in LONGS},
    "action.cost_usd": _T.DOUBLE,
    "action.labels": _T.Map(_T.STRING, _T.STRING),
    "args": _T.Map(_T.STRING, _T.DYN),
    **{f"agent.{name}": _T.INT for name in AGENT},
    **{f"session.{name}": _T.INT for name in SESSION},
    "detections": _T.List(_T.STRING),
    "recent_detections": _T.List(_T.STRING),
    "risk": _T.DOUBLE,
    "time": _T.TIMESTAMP,
}
"""Every name that a condition may use, beside `lists.<name>`, with its type."""

FUNCTIONS: Mapping[str, Callable[[str, str], bool]] = {
    "path_inside": path_inside,
    "path_touches": path_touches,
    "host_inside": host_inside,
    "host_touches": host_touches,
}

_NAMES = re.compile(
    r"\b(?:(?:action|agent|session|lists)\s*\.\s*[A-Za-z_]\w*|args|detections|recent_detections|risk|time)\b"
)
_ARGS = re.compile(r"\bargs\b(?:\s*\.\s*([A-Za-z_]\w*)(?!\s*\(|\w))?")
_PLACE = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_BETWEEN = re.compile(r"'_(\S+)_' applied to '\((.+), (.+)\)'")


class BadCondition(Exception):
    """A condition does not compile. `line` and `column` count from 1 in its text; `more` is wrong, too."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        """Take what is wrong and what to do, and where."""
        super().__init__(message)
        self.line = line
        self.column = column
        self.more: tuple[BadCondition, ...] = ()


class Program(NamedTuple):
    """A compiled condition.

    Attributes:
        expression: the library's.
        names: the variables that its text may use (a superset of those it does).
        arguments: the top-level arguments that it looks at; None where it may look at any.
    """

    expression: Any
    names: tuple[str, ...]
    arguments: frozenset[str] | None


@cache
def environment(lists: tuple[str, ...]) -> Any:
    """What conditions are compiled and run in, where there are these named lists, sorted."""
    variables = {**VARIABLES, **{f"lists.{name}": _T.List(_T.STRING) for name in lists}}
    functions = [
        cel.FunctionDecl(name, [cel.Overload(name, _T.BOOL, [_T.STRING, _T.STRING], False, function)])
        for name, function in FUNCTIONS.items()
    ]
    return cel.NewEnv(variables=variables, functions=functions)


def compile_condition(text: str, lists: Sequence[str] = ()) -> Program:
    """Compile one condition; `lists` are the named lists that there are.

    Raises:
        BadCondition: it is too long, no CEL, uses a name that is not there, mixes types, or is no yes or no.
    """
    if len(text) > LONGEST:
        raise BadCondition(f"a condition of {len(text)} characters; at most {LONGEST} are allowed")
    try:
        expression = environment(tuple(sorted(lists))).compile(text)
    except (RuntimeError, ValueError, TypeError) as error:
        raise _explain(str(error), lists) from error
    if expression.return_type() != _T.BOOL:
        kind = expression.return_type().name().lower()
        hint = "; compare it, as in `... == true`" if kind == "dyn" else ""
        hint = "; has(...) is for arguments: write action.tool != ''" if "has(" in text else hint
        raise BadCondition(f"a condition must be true or false, this one is of type {kind}{hint}")
    found = {"".join(name.split()) for name in _NAMES.findall(text)}
    wanted = {match[1] for match in _ARGS.finditer(text)}
    return Program(
        expression, tuple(sorted(found)), None if None in wanted else frozenset(n for n in wanted if n)
    )


def holds(program: Program, activation: Any, values: Mapping[str, Any] | None = None) -> bool:
    """Run a condition on an activation made by `activate`; or, where it is None, on values as they are.

    Raises:
        Unjudgeable: it fails: an argument that is not there, a type that does not fit, too many steps.
    """
    try:
        value = program.expression.eval(activation, None if activation else values).plain_value()
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise Unjudgeable(_short(str(error))) from error
    if value is True or value is False:
        return bool(value)
    raise Unjudgeable(_short(str(value)))


def activate(values: Mapping[str, Any], lists: Sequence[str] = ()) -> Any:
    """Make values ready for `holds`; one activation serves all conditions on one action.

    Raises:
        Unjudgeable: a value that CEL has no place for.
    """
    return activate_in(environment(tuple(sorted(lists))), values)


def activate_in(within: Any, values: Mapping[str, Any]) -> Any:
    """`activate` in an `environment`.

    Raises:
        Unjudgeable: a value that CEL has no place for.
    """
    try:
        return within.Activation(values)
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise Unjudgeable(_short(str(error))) from error


def _short(told: str) -> str:
    """The library's words without its status codes, in one line of bounded length."""
    told = re.sub(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$", "", " ".join(told.split()))
    return told if len(told) <= 200 else told[:200] + "..."


def _explain(told: str, lists: Sequence[str]) -> BadCondition:
    """All that the library found, the first leading; of broken notation that alone: the rest follows."""
    found = [_translate(match, lists) for match in _PLACE.finditer(told)]
    if not found:
        return BadCondition(f"no CEL condition: {_short(told)}")
    first, *more = found
    if not any(word in told for word in ("mismatched input", "token recognition", "extraneous", "recursion")):
        first.more = tuple(more)
    return first


def _translate(found: re.Match[str], lists: Sequence[str]) -> BadCondition:
    line, column, what = max(int(found[1]), 1), max(int(found[2]), 1), found[3]
    what = _short(what.removesuffix("(in container '')").strip())
    return BadCondition(f"{what}{_hint(what, lists)}", line, column)


def _hint(what: str, lists: Sequence[str]) -> str:
    """What to do about it; "" where the library's words say it."""
    between = _BETWEEN.search(what)
    if "undeclared reference" in what:
        known = (*VARIABLES, *(f"lists.{n}" for n in lists), *FUNCTIONS)
        name = re.search(r"'([^']+)'", what)
        near = difflib.get_close_matches(name[1], known, 1) if name else []
        return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(known))}"
    if "token recognition error at: '= " in what or "token recognition error at: '='" in what:
        return "; write == to compare"
    if "no matching overload" in what and "double" in what and "int" in what:
        return "; write a number with a point (1.0) beside a double, as action.cost_usd is"
    if between:
        return f"; '{between[1]}' cannot stand between {between[2]} and {between[3]}: write both as one type"
    return ""
