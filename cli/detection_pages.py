"""One page for each shipped detection, and the catalogue of all: docs/detections, by `make docs`."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import yaml

from cli.detect.listing import OWASP, Row, rows_of
from cli.detection_files import load_files
from detections.about import About
from detections.abouts import ABOUTS
from detections.cases import CaseEvent, DetectionCase
from detections.loading import Loaded, PlacedRule
from detections.sigma.correlation.model import Correlation
from detections.sigma.tags import finding_tags
from documents.case_action import CaseAction

GENERATED = "<!-- written by `make docs`; change the rule or the detector instead -->\n\n"
FOLDER = "detections/catalogue"
LONGEST = 600
"""Characters of an event that are shown."""


def detection_pages() -> Mapping[str, Callable[[], str]]:
    """Every page by its path in docs/."""
    loaded = load_files(None)
    pages: dict[str, Callable[[], str]] = {"detections/catalogue.md": partial(catalogue, loaded)}
    for rule in loaded.detections:
        pages[f"{FOLDER}/{rule.name}.md"] = partial(rule_page, loaded.placed[rule.name], loaded)
    for about in ABOUTS:
        pages[f"{FOLDER}/{about.id}.md"] = partial(code_page, about, loaded)
    return pages


def catalogue(loaded: Loaded) -> str:
    """All detections by category of OWASP's agentic top ten."""
    rows = rows_of(loaded)
    head = (
        "# All detections that are shipped\n\n"
        f"{GENERATED}"
        f"{len(rows)} detections: {sum(row.kind == 'rule' for row in rows)} rules in Sigma, "
        f"{sum(row.kind.startswith('correlation') for row in rows)} correlations, "
        f"{sum(row.kind == 'code' for row in rows)} kinds of finding of detectors in code. One that is of "
        "several categories stands in each. `praetor detect list` prints the same; how one is written, tried "
        "and tuned: [the guide](guide.md).\n"
    )
    return head + "".join(_category(tag, title, rows) for tag, title in OWASP.items())


def _category(tag: str, title: str, rows: list[Row]) -> str:
    table = "".join(
        f"| [`{row.id}`](catalogue/{row.id}.md) | {row.title} | {row.severity} | {row.kind} |\n"
        for row in rows
        if tag in row.tags
    )
    return f"\n## {tag} {title}\n\n| detection | | severity | |\n|---|---|---|---|\n{table}"


def rule_page(placed: PlacedRule, loaded: Loaded) -> str:
    """The page of a rule or correlation."""
    rule = placed.rule
    kind = "Correlation" if isinstance(rule, Correlation) else "Rule"
    file = f"[{rule.name}.yml](../../../detections/library/{rule.name}.yml)"
    head = _head(rule.title, rule.name, rule.level, finding_tags(rule.tags), f"{kind} in Sigma: {file}")
    what = placed.node.value["correlation" if isinstance(rule, Correlation) else "detection"]
    source = placed.node.value.get("logsource", {})
    shown = {"logsource": source, "detection": what} if source else {"correlation": what}
    rest = _rest(rule.description, rule.falsepositives, rule.runbook, rule.name)
    asks = f"## What it asks\n\n```yaml\n{_yaml(shown)}```\n\n"
    return head + rest + asks + _examples(rule.name, loaded)


def code_page(about: About, loaded: Loaded) -> str:
    """The page of a kind of finding of a detector in code."""
    head = _head(about.title, about.id, about.severity.name, about.tags, "Detector in code")
    rest = _rest(about.description, about.false_positives, about.runbook, about.id)
    return head + rest + _examples(about.id, loaded)


def _head(title: str, name: str, severity: str, tags: tuple[str, ...], kind: str) -> str:
    told = " · ".join((f"`{name}`", f"severity {severity}", *(f"`{tag}`" for tag in tags)))
    return f"# {title}\n\n{GENERATED}{told}\n\n{kind}.\n\n"


def _rest(description: str, false_positives: tuple[str, ...], runbook: str, name: str) -> str:
    known = "".join(f"- {' '.join(text.split())}\n" for text in false_positives)
    return (
        f"{description.strip()}\n\n## When ordinary work looks like this\n\n{known}\n"
        f"How to make an exception: [tuning](../guide.md#tuning). In a policy: `detections: [{name}]`.\n\n"
        f"## What to do\n\n{' '.join(runbook.split())}\n\n"
    )


def _examples(name: str, loaded: Loaded) -> str:
    cases = [c.case for c in loaded.cases if c.rule == name]
    return "## Examples\n\n| | | |\n|---|---|---|\n" + "".join(map(_example, cases))


def _example(case: DetectionCase) -> str:
    events = [case.action] if case.action else (case.events or [])
    shown = "<br>".join(f"`{_event(event)}`" for event in events if event)
    settings = f", with {', '.join(f'{k}: {v}' for k, v in case.settings.items())}" if case.settings else ""
    return f"| {case.expect} | {case.name}{settings} | {shown} |\n"


def _event(event: CaseAction) -> str:
    given = event.model_dump(exclude_defaults=True, mode="json")
    times = f" x {event.times}" if isinstance(event, CaseEvent) and event.times > 1 else ""
    text = json.dumps({k: v for k, v in given.items() if k != "times"}, ensure_ascii=False)
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    plain = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in short)
    return plain.replace("|", "\\|").replace("`", "'") + times


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
