"""Hunts: the statement that looks for a rule, or a correlation, in `decisions`. Pure: text in, text out.

What it finds is what the live evaluation of the same actions would have found, had the rule been in force all
the time: in the order of `received_at`, misrouted actions left out, windows filled from before `since`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from detections.sigma.correlation.model import Correlation
from detections.sigma.correlation.order import ordered
from detections.sigma.rule import SigmaRule, atoms
from detections.sigma.sql.correlations import (
    ROW,
    correlation_sql,
    matched_of,
    name_of,
    span_ms,
    unreadable_sql,
)
from detections.sigma.sql.fields import PREPARING, columns_of
from detections.sigma.sql.macros import with_macros
from detections.sigma.sql.rules import rule_sql
from detections.sigma.sql.text import joined, quoted

MISROUTED = "(reasons.policy[1] = 'praetor' AND reasons.rule[1] = 'misrouted')"
"""Such actions touch nobody's state, so no detection sees them."""


COLUMNS = (
    "received_at, tenant, agent_id, session_id, toString(event_id) AS event, log_id, partition, seq, phase,"
    " action, resource, tool, effect"
)


class Scope(NamedTuple):
    """Which actions are looked at.

    Attributes:
        since: milliseconds, inclusive.
        until: milliseconds, exclusive.
        tenant: one only; None for all.
        skew_ms: how far `occurred_at` is believed.
    """

    since: int
    until: int
    tenant: str | None = None
    skew_ms: int = 300_000


class Hunted(NamedTuple):
    """Everything that a hunt needs to know: single rules and correlations by name."""

    rules: Mapping[str, SigmaRule]
    correlations: Mapping[str, Correlation]


def hunt_sql(name: str, of: Hunted, scope: Scope, limit: int) -> str:
    """A query of the actions at which a rule matches or a correlation holds, the first ones.

    Columns: `COLUMNS`, and fires (1 where a correlation begins to hold; of a rule always).

    Raises:
        KeyError: there is no such rule, or one that it refers to.
        ValueError: correlations refer to each other in a circle.
    """
    order = f"ORDER BY decisions.received_at, log_id, partition, seq LIMIT {limit}"
    if name in of.rules:
        rule = of.rules[name]
        source = _source(scope, scope.since, [rule], ())
        wanted = f"WHERE {name_of(name)} {order}"
        return f"{_with()}SELECT {COLUMNS}, 1 AS fires FROM ({source}) AS decisions {wanted}"
    told = f"SELECT log_id, partition, seq, max(fires) AS fires FROM ({_told(name, of, scope)})"
    told += " WHERE holds GROUP BY log_id, partition, seq"
    return (
        f"{_with()}SELECT {COLUMNS}, fires FROM ({told}) AS told INNER JOIN"
        f" (SELECT * FROM decisions WHERE {_within(scope, scope.since)}) AS decisions"
        f" USING (log_id, partition, seq) {order}"
    )


def unread_sql(name: str, of: Hunted, scope: Scope) -> str:
    """A query of how many actions cannot be told: their texts cannot be read, or are erased.

    Of correlations over correlations, what the inner ones group by and count is not looked at here.
    """
    names = _singles(name, of)
    rules = [of.rules[rule] for rule in names]
    correlation = of.correlations.get(name)
    parts = [f"isNull({name_of(rule)})" for rule in names]
    if correlation is not None:
        direct = {r: name_of(r) for r in correlation.rules if r in of.rules}
        parts.append(unreadable_sql(correlation, direct))
    source = _source(scope, _lead(name, of, scope), rules, _read_by(correlation))
    return f"{_with()}SELECT countIf({joined('OR', parts, '0')}) FROM ({source})"


def _with() -> str:
    return f"WITH\n{with_macros()}\n"


def _told(name: str, of: Hunted, scope: Scope) -> str:
    """The query of one correlation; those that it looks at stand within."""
    correlation = of.correlations[name]
    singles = [of.rules[rule] for rule in correlation.rules if rule in of.rules]
    source = _source(scope, _lead(name, of, scope), singles, _read_by(correlation))
    matched = matched_of([rule.name for rule in singles])
    for rule in correlation.rules:
        if rule not in of.rules:
            fired = f"SELECT log_id, partition, seq FROM ({_told(rule, of, scope)}) WHERE fires"
            matched[rule] = f"({ROW} IN ({fired}))"
    return correlation_sql(correlation, source, matched, scope.skew_ms)


def _source(scope: Scope, since: int, rules: Sequence[SigmaRule], fields: Iterable[str]) -> str:
    """Rows of the time, with the values of fields, and what some rules say of each."""
    named = dict.fromkeys([*fields, *(name for rule in rules for name in _asked_by(rule))])
    values = [column for name in named for column in columns_of(name)]
    told = [f"{rule_sql(rule)} AS {name_of(rule.name)}" for rule in rules]
    sql = f"SELECT *, {', '.join(PREPARING)} FROM decisions WHERE {_within(scope, since)}"
    for columns in (values, told):
        sql = f"SELECT *, {', '.join(columns)} FROM ({sql})" if columns else sql
    return sql


def _asked_by(rule: SigmaRule) -> list[str]:
    found = list(atoms(rule.condition))
    return [a.field for a in found] + [str(a.value) for a in found if a.op == "ref"]


def _read_by(correlation: Correlation | None) -> list[str]:
    """The fields that it groups by and counts."""
    if correlation is None:
        return []
    names = (*correlation.group_by, *correlation.fields)
    return [correlation.field_for(name, rule) for rule in correlation.rules for name in names]


def _within(scope: Scope, since: int) -> str:
    parts = [f"received_at >= {_time(since)}", f"received_at < {_time(scope.until)}", f"NOT {MISROUTED}"]
    if scope.tenant is not None:
        parts.insert(0, f"tenant = {quoted(scope.tenant)}")
    return " AND ".join(parts)


def _lead(name: str, of: Hunted, scope: Scope) -> int:
    """From when on actions must be known: an event's window, that of the event before it, and inner ones."""
    return scope.since - _reach(name, of, scope.skew_ms)


def _reach(name: str, of: Hunted, skew_ms: int) -> int:
    if name in of.rules:
        return 0
    correlation = of.correlations[name]
    inner = max(_reach(rule, of, skew_ms) for rule in correlation.rules)
    return 2 * span_ms(correlation, skew_ms) + inner


def _singles(name: str, of: Hunted) -> list[str]:
    """The single rules that a correlation looks at, by whatever way."""
    if name in of.rules:
        return [name]
    found = dict.fromkeys(s for rule in of.correlations[name].rules for s in _singles(rule, of))
    return list(found)


def _time(milliseconds: int) -> str:
    return f"fromUnixTimestamp64Milli(toInt64({milliseconds}), 'UTC')"


def check_hunted(of: Hunted) -> None:
    """See that every reference is there, and that there is no circle.

    Raises:
        ValueError: not so.
    """
    ordered(list(of.correlations.values()), of.rules)
