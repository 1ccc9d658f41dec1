"""The alarms: rules that Prometheus takes, of metrics that there are, each with its page."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from runtime import metrics

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/alerts.yaml"
PAGE = (ROOT / "docs/operations/alarms.md").read_text(encoding="utf-8")
GROUPS = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
ALARMS: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
WORDS = {"and", "or", "unless", "by", "without", "on", "sum", "max", "min", "rate", "increase", "changes"}
WORDS |= {"abs", "delta", "histogram_quantile", "job", "partition", "instance", "destination", "le", "up"}


def names(expression: str) -> set[str]:
    """The metrics that an expression speaks of."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]', " ", expression)
    return set(re.findall(r"[a-zA-Z_][a-zA-Z_0-9]*", bare)) - WORDS


def served() -> set[str]:
    """Every sample's name, also of metrics that have no label values yet."""
    found = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    for family in REGISTRY.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        found |= {family.name + suffix for suffix in suffixes.get(family.type, [""])}
    return found


def test_the_file_has_the_shape_that_prometheus_takes() -> None:
    assert len({alarm["alert"] for alarm in ALARMS}) == len(ALARMS) >= 15
    for alarm in ALARMS:
        assert set(alarm) == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+[smh]", alarm["for"])
        assert alarm["labels"]["severity"] in ("critical", "warning")
        assert alarm["expr"].count("(") == alarm["expr"].count(")")


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm["alert"])
def test_its_metrics_exist(alarm: dict[str, Any]) -> None:
    assert metrics.LAG is not None
    wanted = names(alarm["expr"])
    assert wanted or "up{" in alarm["expr"]
    assert wanted - served() == set()


def test_each_has_its_section_with_the_same_expression_and_something_to_do() -> None:
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    assert list(sections) == [alarm["alert"] for alarm in ALARMS]
    for alarm in ALARMS:
        section = sections[alarm["alert"]]
        assert f"*{alarm['labels']['severity']}*" in section
        assert f"`{alarm['expr']}`" in section
        assert section.count("\n- ") >= 1
        assert alarm["annotations"]["runbook"] == f"docs/operations/alarms.md#{alarm['alert'].lower()}"


def test_links_within_the_page_lead_to_alarms() -> None:
    links = set(re.findall(r"\]\(#(\w+)\)", PAGE))
    assert links and links <= {alarm["alert"].lower() for alarm in ALARMS}


def test_a_metric_that_is_not_there_would_be_seen() -> None:
    assert names('max by (partition) (praetor_lag_recordz{job="x"}) > 1') - served() == {
        "praetor_lag_recordz"
    }
