"""A report for people: sections of tables, as the console, Markdown and HTML show them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.backtest.report import NAMES

SHORT = 200
SHOWN = 20
NEVER = 50


@dataclass
class Section:
    """A heading, lines of text, a table."""

    title: str
    lines: list[str] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()


def sections(report: dict[str, Any]) -> Iterator[Section]:
    """All there is to say, what matters most first; sections with nothing to say are left out."""
    yield _head(report)
    if report["thresholds"]:
        yield Section(
            "Thresholds",
            columns=("threshold", "limit", "found", ""),
            rows=[
                (f"--max-{t['name']}", t["limit"], str(t["found"]), "EXCEEDED" if t["exceeded"] else "kept")
                for t in report["thresholds"]
            ],
        )
    for kind, name in NAMES.items():
        if report["kinds"][kind]:
            yield from _kind(report, kind, name)
    yield from _others(report)


def _head(report: dict[str, Any]) -> Section:
    old, new = report["against"], report["candidate"]
    lines = [
        f"{new['name']} ({new['digest'][:19]}) against {old['name']} ({old['digest'][:19]}),"
        f" {report['source']}",
        f"{report['actions']:,} actions of {report['agents']:,} agents compared, {report['changed']:,}"
        f" changed ({_share(report['changed'], report['actions'])})",
        f"{report['warm_up_actions']:,} actions before that, judged for what is remembered of agents",
        f"{report['seconds']:.1f} s, {report['rate']:,} actions/s by {report['workers']} workers",
        *report["remarks"],
    ]
    if report["erased"]:
        lines.append(f"{report['erased']:,} of these actions are judged without a free text that was erased")
    verified = report["verified"]
    if verified is not None:
        lines.insert(3, _told(verified))
    rows = [
        (name, f"{report['kinds'][kind]:,}", _share(report["kinds"][kind], report["actions"]))
        for kind, name in NAMES.items()
    ]
    rows.append(
        ("errors newly raised", f"{report['errors']['count']:,}", f"{report['errors']['mended']} mended")
    )
    found, lost = report["threats_found"]["count"], report["threats_lost"]["count"]
    rows.append(("threats newly found", f"{found:,}", f"{lost} no longer found"))
    rows.append(("same effect, other reasons", f"{report['reworded']['count']:,}", ""))
    return Section("Backtest", lines, ("what would change", "actions", ""), rows)


def _told(verified: dict[str, Any]) -> str:
    others = [f"{verified[n]:,} {n}" for n in ("different", *WHY_NOT) if verified.get(n)]
    equal = verified.get("equal", 0)
    return (
        f"verified: {equal:,} of {verified['decisions']:,} recorded decisions are judged equal"
        f" ({_share(equal, verified['decisions'])}){''.join('; ' + other for other in others)}"
    )


WHY_NOT = ("unknown bundle", "other engine", "erased")


def _kind(report: dict[str, Any], kind: str, name: str) -> Iterator[Section]:
    rules = [group for group in report["by_rule"] if group["kind"] == kind]
    yield Section(
        name.capitalize(),
        columns=("actions", "was decided by", "would be decided by"),
        rows=_cut([(f"{g['count']:,}", g["old_rule"], g["new_rule"]) for g in rules]),
    )
    agents = [(f"{g['tenant']}/{g['agent_id']}", g) for g in report["by_agent"] if g["kind"] == kind]
    tools = [(g["tool"], g) for g in report["by_tool"] if g["kind"] == kind]
    for what, groups in (("agent", agents), ("tool", tools)):
        yield Section(
            f"{name.capitalize()}, by {what}",
            columns=("actions", what),
            rows=_cut([(f"{g['count']:,}", of) for of, g in groups]),
        )
    yield _examples(f"{name.capitalize()}: examples", [e for g in rules[:SHOWN] for e in g["examples"]])


def _examples(title: str, examples: list[dict[str, Any]]) -> Section:
    return Section(
        title,
        columns=("event", "what happened", "before", "now"),
        rows=[
            (e["event_id"], _happened(e) + _note(e["note"]), _said(e["old"]), _said(e["new"]))
            for e in examples
        ],
    )


def _happened(example: dict[str, Any]) -> str:
    tool = f" by {example['tool']}" if example["tool"] else ""
    what = f"{example['action']}{tool} {example['resource']}".strip()
    return _short(f"{example['at']}: {example['tenant']}/{example['agent_id']}: {what}")


def _said(said: dict[str, Any]) -> str:
    arguments = said["modified_arguments"]
    told = f"{said['effect']} by {said['policy']}/{said['rule']}: {said['message']}"
    return _short(told) + (f" with {_short(arguments)}" if arguments else "")


def _note(note: str) -> str:
    return f" ({_short(note)})" if note else ""


def _others(report: dict[str, Any]) -> Iterator[Section]:
    for key, title, column in (
        ("errors", "Errors newly raised", "of"),
        ("threats_found", "Threats newly found", "detector"),
        ("threats_lost", "Threats no longer found", "detector"),
    ):
        groups = report[key]["groups"]
        if groups:
            rows = [(f"{g['count']:,}", g[column]) for g in groups]
            yield Section(title, columns=("actions", column), rows=rows)
            yield _examples(f"{title}: examples", [e for g in groups for e in g["examples"]])
    if report["reworded"]["groups"]:
        yield Section(
            "Same effect, other reasons",
            columns=("actions", "was decided by", "would be decided by"),
            rows=[(f"{g['count']:,}", g["old_rule"], g["new_rule"]) for g in report["reworded"]["groups"]],
        )
    if report["verified"] and report["verified"]["differing"]:
        differing = report["verified"]["differing"]
        yield _examples("Judged otherwise than recorded", [e for g in differing for e in g["examples"]])
    never = report["rules"]["never_fired"]
    if never:
        more = len(never) - NEVER
        lines = [", ".join(never[:NEVER]) + (f" and {more} more" if more > 0 else "")]
        told = f"Rules of the candidate that never fired: {len(never)} of {report['rules']['all']}"
        yield Section(told, lines)


def _cut(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The first of them, and how many more there are."""
    more = len(rows) - SHOWN
    return [*rows[:SHOWN], ("...", f"{more} more", *[""] * (len(rows[0]) - 2))] if more > 0 else rows


def _short(text: str) -> str:
    return text if len(text) <= SHORT else text[:SHORT] + "..."


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"
