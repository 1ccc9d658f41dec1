"""A correlation as SQL: for each event of its rules whether it holds there, and whether it fires.

The events of a group come as arrays in the order in which they were received; each event's window is the part
of these that ends with it (`kept` long), and the condition is asked of that as `correlation.asking` asks it.
The work of a group is its events times what its windows hold.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from detections.sigma.correlation.model import NUMERIC, VALUED, Correlation
from detections.sigma.sql.fields import values_of
from detections.sigma.sql.text import joined, listed

SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "=", "neq": "!="}
MICRO = 1_000_000
ROW = "(log_id, partition, seq)"


def span_ms(correlation: Correlation, skew_ms: int) -> int:
    """How much earlier than an event, by `received_at`, an event can have come that shares a window."""
    return correlation.timespan * 1000 + (2 * skew_ms if correlation.clock == "occurred_at" else 0)


def correlation_sql(correlation: Correlation, source: str, matched: Mapping[str, str], skew_ms: int) -> str:
    """A query of `log_id, partition, seq, holds, fires`: one row an event and group in which it counts.

    Each step is a query of its own, so that what one step computes the next ones name.

    Args:
        correlation: what to look for.
        source: a query of rows of `decisions`, with the columns of the fields that it groups by and counts.
        matched: by each of the correlation's rules, whether it matched a row: 1, 0 or NULL.
        skew_ms: how far `occurred_at` is believed.
    """
    rules = correlation.rules
    flags = [f"toUInt8(ifNull({matched[rule]}, 0)) AS rule_{i}" for i, rule in enumerate(rules)]
    any_of = joined("OR", [f"rule_{i}" for i in range(len(rules))], "0")
    queries = (
        f"SELECT *, {', '.join(flags)} FROM ({source})",
        f"SELECT tenant, log_id, partition, seq, {_time(correlation, skew_ms)} AS at,"
        " toInt64(toUnixTimestamp64Milli(received_at)) AS received,"
        f" {_candidates(correlation)} AS candidates FROM ({{}}) WHERE {any_of}",
        "SELECT *, arrayFilter(c -> c.1, candidates) AS seen FROM ({})",
        "SELECT *, arrayDistinct(arrayMap(c -> c.2, seen)) AS groups FROM ({})",
        "SELECT *, arrayJoin(groups) AS grouped FROM ({})",
        "SELECT *, arrayFilter(c -> c.2 = grouped, seen) AS own FROM ({})",
        "SELECT tenant, grouped, received, log_id, partition, seq, at, own[1].3 AS value,"
        " toUInt32(arraySum(c -> c.4, own)) AS rules FROM ({})",
        _kept(span_ms(correlation, skew_ms)),
        "SELECT arraySort(groupArray((received, log_id, partition, seq, at, rules, value, kept))) AS events"
        " FROM ({}) GROUP BY tenant, grouped",
        f"SELECT events, arrayMap((e, i) -> toUInt8({_holds(correlation)}), events, arrayEnumerate(events))"
        " AS held FROM ({})",
        f"SELECT events, held, arrayMap((e, i) -> toUInt8({_fires(correlation)}), events,"
        " arrayEnumerate(events)) AS fired FROM ({})",
        "SELECT arrayJoin(arrayZip(events, held, fired)) AS told FROM ({})",
        "SELECT told.1.2 AS log_id, told.1.3 AS partition, told.1.4 AS seq, told.2 AS holds, told.3 AS fires"
        " FROM ({})",
    )
    sql = queries[0]
    for query in queries[1:]:
        before, after = query.split("({})")
        sql = f"{before}({sql}){after}"
    return sql


def _kept(reach: int) -> str:
    """How many events of the group, the event the last, came within so many milliseconds."""
    within = "PARTITION BY tenant, grouped ORDER BY received"
    within += f" RANGE BETWEEN {reach - 1} PRECEDING AND CURRENT ROW"
    # a range goes on to all of the same millisecond
    after = "PARTITION BY tenant, grouped, received ORDER BY log_id, partition, seq"
    after += " ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING"
    kept = f"toInt64(count() OVER ({within})) - toInt64(count() OVER ({after})) AS kept"
    return f"SELECT *, {kept} FROM ({{}})"


def _time(correlation: Correlation, skew_ms: int) -> str:
    received = "toInt64(toUnixTimestamp64Milli(received_at))"
    if correlation.clock == "received_at":
        return received
    claimed = "intDiv(occurred_at - positiveModulo(occurred_at, 1000), 1000)"
    return f"least(greatest({claimed}, {received} - {skew_ms}), {received} + {skew_ms})"


def _candidates(correlation: Correlation) -> str:
    """An array of (whether it is one, group, value, rules' bits): `correlation.event.entries_of` in SQL."""
    rules = correlation.rules
    told = [f"rule_{i}" for i in range(len(rules))]
    if correlation.aliases:
        found = [
            _candidate(correlation, rule, t, f"toUInt32({1 << i})")
            for i, (rule, t) in enumerate(zip(rules, told, strict=True))
        ]
    else:
        bits = " + ".join(f"bitShiftLeft(toUInt32({t}), {i})" for i, t in enumerate(told))
        found = [_candidate(correlation, rules[0], joined("OR", told, "0"), f"toUInt32({bits})")]
    unread = [
        f"({t} AND ({unknown}))"
        for rule, t in zip(rules, told, strict=True)
        if (unknown := _unknown(correlation, rule))
    ]
    return f"if({joined('OR', unread, '0')}, [], {listed(found)})" if unread else listed(found)


def _candidate(correlation: Correlation, rule: str, told: str, bits: str) -> str:
    keys = [f"framed(keyed({values_of(correlation.field_for(n, rule)).array}))" for n in correlation.group_by]
    group = f"concat({', '.join(keys)}, '')" if keys else "''"
    if correlation.kind not in VALUED:
        return f"(toUInt8({told}), {group}, toInt64(0), {bits})"
    fields = [correlation.field_for(name, rule) for name in correlation.fields]
    if correlation.kind in NUMERIC:
        value = f"millionths({values_of(fields[0]).array})"
        return f"(toUInt8({told} AND isNotNull({value})), {group}, ifNull({value}, 0), {bits})"
    texts = [f"keyed({values_of(name).array})" for name in fields]
    all_there = joined("AND", [f"{text} != ''" for text in texts], "1")
    whole = f"concat({', '.join(f'framed({text})' for text in texts)}, '')"
    return f"(toUInt8({told} AND {all_there}), {group}, {whole}, {bits})"


def _unknown(correlation: Correlation, rule: str) -> str:
    """True where what is read of an event that a rule matched cannot be told."""
    names = [correlation.field_for(n, rule) for n in (*correlation.group_by, *correlation.fields)]
    return " OR ".join(dict.fromkeys(u for name in names if (u := values_of(name).unknown)))


def unreadable_sql(correlation: Correlation, matched: Mapping[str, str]) -> str:
    """True where a rule, or what is grouped by or counted, cannot be told of a row."""
    parts = [f"isNull({told})" for told in matched.values()]
    for rule, told in matched.items():
        unknown = _unknown(correlation, rule)
        parts += [f"(ifNull({told}, 0) AND ({unknown}))"] if unknown else []
    return joined("OR", parts, "0")


def _holds(correlation: Correlation) -> str:
    """Of the event `e`, the `i`-th of `events`."""
    kept = "arraySlice(events, i - e.8 + 1, e.8)"
    if correlation.clock == "received_at":
        return _bound("window", kept, _condition(correlation))
    span = correlation.timespan * 1000
    near = f"arrayFilter(n -> n.5 > e.5 - {span} AND n.5 < e.5 + {span}, {kept})"
    ends = "arrayDistinct(arrayFilter(t -> t >= e.5, arrayMap(n -> n.5, near)))"
    window = f"arrayFilter(w -> w.5 > end - {span} AND w.5 <= end, near)"
    asked = _bound("window", window, _condition(correlation))
    return _bound("near", near, f"arrayExists(end -> {asked}, {ends})")


def _bound(name: str, value: str, body: str) -> str:
    """An expression in which a name stands for a value that is computed once."""
    return f"arrayMap({name} -> ({body}), [{value}])[1]"


def _fires(correlation: Correlation) -> str:
    """It holds, and did not at the last event before that a window could share."""
    span = correlation.timespan * 1000
    first, length = "i - e.8 + 1", "e.8 - 1"
    before = f"arraySlice(held, {first}, {length})"
    times = f"arrayMap(n -> n.5, arraySlice(events, {first}, {length}))"
    return f"held[i] AND ifNull(arrayLastOrNull((h, t) -> t > e.5 - {span}, {before}, {times}), 0) = 0"


def _condition(correlation: Correlation) -> str:
    """Of the array `window`."""
    kind, rules = correlation.kind, correlation.rules
    masks = "arrayReduce('groupBitOr', arrayMap(w -> w.6, window))"
    if correlation.expression is not None:
        bits = {rule: i for i, rule in enumerate(rules)}
        return _bound("masks", masks, _tree(correlation.expression, bits))
    if kind == "temporal_ordered":
        ordered = "arraySort(w -> (w.5, w.1, w.2, w.3, w.4), window)"
        place = f"if(place < {len(rules)} AND bitAnd(bitShiftRight(w.6, place), 1) = 1, place + 1, place)"
        return f"arrayFold((place, w) -> toUInt32({place}), {ordered}, toUInt32(0)) = {len(rules)}"
    sign = SIGNS[correlation.operator]
    if kind in NUMERIC:
        return _bound("values", "arrayMap(w -> toInt128(w.7), window)", _numeric(correlation, sign))
    counted = {
        "event_count": "length(window)",
        "value_count": "length(arrayDistinct(arrayMap(w -> w.7, window)))",
        "temporal": f"bitCount({masks})",
    }[kind]
    return f"toInt64({counted}) {sign} {int(correlation.threshold)}"


def _numeric(correlation: Correlation, sign: str) -> str:
    """Of the array `values`, in millionths."""
    threshold = f"toInt128({round(correlation.threshold * MICRO)})"
    if correlation.kind == "value_sum":
        return f"arrayReduce('sum', values) {sign} {threshold}"
    if correlation.kind == "value_avg":
        return f"arrayReduce('sum', values) {sign} {threshold} * length(values)"
    percentile = 50 if correlation.kind == "value_median" else correlation.percentile
    place = f"((length(values) - 1) * {percentile})"
    low, rest = f"intDiv({place}, 100)", f"toInt128({place} % 100)"
    lower, upper = f"ordered[{low} + 1]", f"ordered[least({low} + 2, length(ordered))]"
    told = f"{lower} * 100 + ({upper} - {lower}) * {rest} {sign} {threshold} * 100"
    return _bound("ordered", "arraySort(values)", told)


def _tree(tree: Any, bits: Mapping[str, int]) -> str:
    """Of the rules that `masks` says."""
    if isinstance(tree, str):
        return f"bitTest(masks, {bits[tree]})"
    word, *operands = tree
    told = [_tree(operand, bits) for operand in operands]
    return f"(NOT {told[0]})" if word == "not" else joined(word.upper(), told, "1")


def name_of(rule: str) -> str:
    """How a rule's column is called."""
    return f"`matched {rule}`"


def matched_of(rules: Sequence[str]) -> dict[str, str]:
    """The columns of some rules."""
    return {rule: name_of(rule) for rule in rules}
