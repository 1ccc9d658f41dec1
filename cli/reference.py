"""Writes the reference pages of docs/ from the code: commands, settings, metrics, topics.

Run by `make docs`; a test compares what is committed with what would be written.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import typer
from prometheus_client import Counter, Gauge, Histogram

from cli.destination_pages import destination_pages
from cli.detection_fields import fields_page
from cli.detection_pages import detection_pages
from cli.main import app
from cli.policy_reference import reference_page
from detections.schema import KINDS, schema_of
from judgement.loading import BESIDE
from policies.schema import schema_text
from runtime import metrics
from runtime.settings import Settings
from schemas.access import grants, principals
from schemas.topics import TOPICS

GENERATED = "<!-- written by `make docs`; change the code instead -->\n\n"


def _options(command: Any) -> list[str]:
    rows = []
    for parameter in command.params:
        option = parameter.param_type_name == "option"
        name = ", ".join(parameter.opts) if option else parameter.name.upper()
        text = (getattr(parameter, "help", None) or "").replace("|", "/")
        rows.append(f"| `{name}` | {text} |")
    return ["", "| | |", "|---|---|", *rows] if rows else []


def _sections(command: Any, name: str) -> list[str]:
    out = [f"## {name}", "", (command.help or "").strip(), *_options(command), ""]
    for child, sub in sorted(getattr(command, "commands", {}).items()):
        if not sub.hidden:
            out += _sections(sub, f"{name} {child}")
    return out


def commands_page() -> str:
    """Every command and option, as docs/commands.md."""
    root = typer.main.get_command(app)
    lines = [line.rstrip() for line in "\n".join(_sections(root, "praetor")).splitlines()]
    return "# Commands\n\n" + GENERATED + "\n".join(lines).strip() + "\n"


def settings_page() -> str:
    """Every setting, as docs/settings.md."""
    rows = [
        f"| `PRAETOR_{name.upper()}` | `{_default(field.default)}` | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    head = (
        "# Settings\n\n"
        + GENERATED
        + "An option of a command wins over the environment, the environment over the "
        "running stack that `--data` or `.praetor` names, that over the default.\n\n"
        "A secret may also stand in a file: `PRAETOR_X_FILE=/path` instead of `PRAETOR_X`; the line break "
        "at its end does not count. See [operations/security.md](operations/security.md).\n\n"
        "| variable | default | |\n|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n\n" + _topics()


def _default(value: object) -> str:
    return "" if value is None or value == "" else str(value)


def _topics() -> str:
    rows = []
    for topic in TOPICS:
        settings = ", ".join(f"{k}={v}" for k, v in topic.config.items())
        rows.append(f"| `{topic.name}` | {'one' if topic.single else 'of the log'} | {settings} |")
    return "## Topics\n\n| topic | partitions | settings |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def metrics_page() -> str:
    """Every metric, as docs/operations/metrics.md."""
    collectors = [m for m in vars(metrics).values() if isinstance(m, Counter | Gauge | Histogram)]
    ours = sorted((_metric(c) for c in collectors), key=lambda row: row[0])
    rows = [f"| `{name}` | {kind} | {labels} | {text} |" for name, kind, labels, text in ours]
    head = (
        "# Metrics\n\n"
        + GENERATED
        + "Each `praetor govern` and `praetor archive` serves these at `/metrics` of `PRAETOR_METRICS_PORT`,"
        " with those of Python's client for the process itself (`process_resident_memory_bytes`,"
        " `process_open_fds`, `process_cpu_seconds_total`, …). A worker that does not do a thing leaves its"
        " metrics at 0. Labels have few values: `partition` as many as the log has partitions. What to be"
        " woken by: [alarms](alarms.md).\n\n"
        "| metric | type | labels | |\n|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def _metric(collector: Counter | Gauge | Histogram) -> tuple[str, str, str, str]:
    described = next(iter(collector.describe()))
    name = described.name + ("_total" if described.type == "counter" else "")
    labels = ", ".join(f"`{label}`" for label in collector._labelnames)
    return name, described.type, labels, described.documentation


def grants_page() -> str:
    """Every grant in Kafka, as docs/operations/kafka-grants.md."""
    head = (
        "# Grants in Kafka\n\n"
        f"{GENERATED}"
        "The least with which each part of Praetor works; the file is "
        "[deploy/kafka/acls.yaml](../../deploy/kafka/acls.yaml). What is written carries the topic "
        "prefix, and so do groups and transactional ids; `…` stands for whatever a name that begins "
        "so goes on with. How to apply them: [security](security.md#grants-in-kafka).\n"
    )
    return head + "".join(f"\n## {name}\n\n{what}.\n\n{_grants(name)}" for name, what in principals().items())


def _grants(name: str) -> str:
    together: dict[tuple[str, str, str], list[str]] = {}
    for grant in grants(name):
        resource = f"`{grant.name}{'…' * grant.prefixed}`"
        together.setdefault((grant.kind.replace("_", " "), resource, grant.why), []).append(grant.operation)
    rows = [
        f"| {kind} {resource} | {', '.join(operations)} | {why} |"
        for (kind, resource, why), operations in together.items()
    ]
    return "| on | may | why |\n|---|---|---|\n" + "\n".join(rows) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "settings.md": settings_page,
    "operations/metrics.md": metrics_page,
    "operations/kafka-grants.md": grants_page,
    "policies/reference.md": reference_page,
    "policies/policy.schema.json": partial(schema_text, BESIDE),
    **{f"detections/{kind}.schema.json": partial(schema_of, kind) for kind in KINDS},
    "detections/fields.md": fields_page,
    **detection_pages(),
    **destination_pages(),
}


def main(folder: Path) -> None:
    """Write the pages into a folder."""
    for name, page in PAGES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
