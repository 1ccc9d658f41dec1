"""Rules as SQL on the real engine, against the evaluator that the live one is held to."""

from collections import Counter
from collections.abc import Sequence

from detections.sigma.naive import holds
from detections.sigma.rule import SigmaRule, atoms
from detections.sigma.sql.fields import PREPARING, columns_of
from detections.sigma.sql.macros import SETTINGS, with_macros
from detections.sigma.sql.rules import rule_sql
from schemas.action import Action
from tests.detections.hunting.stored import Stored

AT_ONCE = 12


def compare_rules(stored: Stored, rules: Sequence[SigmaRule], actions: Sequence[Action]) -> Counter[str]:
    """Ask of every rule whether it matches each of the stored actions.

    Raises:
        AssertionError: SQL says something else.
    """
    seen: Counter[str] = Counter()
    for at in range(0, len(rules), AT_ONCE):
        some = rules[at : at + AT_ONCE]
        told = ", ".join(f"{rule_sql(rule)} AS told_{i}" for i, rule in enumerate(some))
        sql = f"WITH\n{with_macros()}\nSELECT seq, {told} FROM ({_rows(some)}) ORDER BY seq"
        rows = stored.client.query(sql, settings=SETTINGS).result_rows
        for i, rule in enumerate(some):
            for action, row in zip(actions, rows, strict=True):
                live = holds(rule, action)
                stored_says = None if row[i + 1] is None else bool(row[i + 1])
                assert stored_says == live, (
                    f"{rule.condition!r} of {action.event_id}: live {live}, SQL {stored_says}\n"
                    f"{ {n: action.get(n) for n in NAMES} }"
                )
                seen[str(live)] += 1
    return seen


def _rows(rules: Sequence[SigmaRule]) -> str:
    names = {
        name
        for rule in rules
        for a in atoms(rule.condition)
        for name in (a.field, a.value)[: 1 + (a.op == "ref")]
    }
    columns = [column for name in sorted(map(str, names)) for column in columns_of(name)]
    prepared = f"SELECT *, {', '.join(PREPARING)} FROM decisions"
    return f"SELECT *, {', '.join(columns)} FROM ({prepared})"


NAMES = (
    "arguments",
    "tool",
    "resource",
    "action",
    "session_id",
    "content",
    "labels",
    "cost_usd",
    "size_bytes",
    "occurred_at",
    "phase",
)
