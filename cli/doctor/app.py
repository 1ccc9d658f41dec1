"""`praetor doctor`: looks at everything, and says what to do."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.doctor.check import Check, failed, skipped
from cli.doctor.clickhouse import check_clickhouse
from cli.doctor.kafka import Log, check_kafka
from cli.doctor.machine import check_disk, check_keys, check_settings
from cli.options import DataDir, JsonOutput
from runtime.errors import PraetorError, Unavailable
from runtime.settings import Settings, load_settings

SIGNS = {"ok": "[green]ok[/green]", "warning": "[yellow]look[/yellow]", "failed": "[red]FAILED[/red]"}
BROKER_SECONDS = 60


def doctor(data: DataDir = None, as_json: JsonOutput = False) -> None:
    """Look at settings, keys, disk, Kafka and ClickHouse, and say what to do; changes nothing.

    Exits with 1 if something failed; a warning alone is 0.

    Example: praetor doctor --json
    """
    checks = list(examine(data))
    if as_json:
        typer.echo(json.dumps([check.to_json() for check in checks]))
    else:
        Console(width=max(100, shutil.get_terminal_size().columns)).print(_table(checks))
    if any(check.state == "failed" for check in checks):
        raise typer.Exit(1)


def examine(data: Path | None) -> Iterator[Check]:
    """Every check, one after the other; what cannot be reached fails once, and the rest goes on."""
    yield from check_settings(data)
    try:
        settings = load_settings(data)
    except PraetorError:
        yield skipped("kafka, clickhouse", "the settings come first")
        return
    yield from check_keys(settings)
    yield from check_disk(settings)
    log = Log()
    yield from _kafka(settings, log)
    yield from _clickhouse(settings, log)


def _kafka(settings: Settings, log: Log) -> Iterator[Check]:
    checks: list[Check] = []

    async def collect() -> None:
        async with asyncio.timeout(BROKER_SECONDS):
            async for check in check_kafka(settings, log):
                checks.append(check)  # noqa: PERF401 - what was seen stays if a later check raises

    try:
        asyncio.run(collect())
    except TimeoutError:
        checks.append(failed("kafka", f"no answer in {BROKER_SECONDS} s", "is the broker overloaded?"))
    except (PraetorError, Unavailable) as error:
        checks.append(failed("kafka", str(error), "is it running, and is PRAETOR_BOOTSTRAP right?"))
    except KafkaError as error:
        checks.append(failed("kafka", repr(error), "look again; if it stays, see the broker's log"))
    yield from checks


def _clickhouse(settings: Settings, log: Log) -> Iterator[Check]:
    checks: list[Check] = []
    try:
        for check in check_clickhouse(settings, log):
            checks.append(check)  # noqa: PERF402 - as above
    except (PraetorError, Unavailable) as error:
        remedy = "is it running, and are PRAETOR_CLICKHOUSE_URL, _USER and _PASSWORD right?"
        checks.append(failed("clickhouse", str(error), remedy))
    yield from checks


def _table(checks: list[Check]) -> Table:
    table = Table("what", "state", "found", "what to do")
    for check in checks:
        sign = SIGNS.get(check.state, check.state)
        table.add_row(check.name, sign, Text(check.found), Text(check.remedy))
    return table
