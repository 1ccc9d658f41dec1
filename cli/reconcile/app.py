"""`praetor reconcile`: what producers sent, what Kafka holds and what ClickHouse holds, compared."""

import time
from contextlib import closing
from typing import Annotated

import typer

from cli.dead_letters.redrive import moment
from cli.ledger.places import chosen
from cli.options import DataDir, JsonOutput, TopicPrefix
from cli.reconcile.clickhouse import Rows
from cli.reconcile.destinations import reconcile_destinations
from cli.reconcile.holes import Found, Hole, Kind
from cli.reconcile.kafka import Kafka
from cli.reconcile.partition import Scope, reconcile_partition
from cli.reconcile.report import report_json, tell
from cli.sending import progress_bar
from runtime.settings import Settings, load_settings, need_bootstrap, need_clickhouse
from schemas.topics import ACTIONS
from sinks.migrate import need_migrated


def reconcile(
    since: Annotated[
        str | None,
        typer.Option(help="What was received since a time (2026-11-20T12:00Z) or span (90m, 2h, 7d)."),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Of producers' numbers, this tenant's only.")] = None,
    agent: Annotated[str | None, typer.Option(help="Of producers' numbers, this agent's only.")] = None,
    producer: Annotated[str | None, typer.Option(help="Of producers' numbers, this producer's only.")] = None,
    partition: Annotated[int | None, typer.Option(min=0, help="This partition only.")] = None,
    as_json: JsonOutput = False,
    data: DataDir = None,
    topic_prefix: TopicPrefix = "",
) -> None:
    """Name every hole between what producers sent, what Kafka and ClickHouse hold, and what destinations had.

    Events missing in a producer's numbering, actions without decision or dead letter, decisions missing in
    Kafka or ClickHouse, rows doubled; and, where PRAETOR_DESTINATIONS names destinations, records that one
    passed without a receipt, or that are missing in its file. What govern, the archive or a destination has
    not come to yet is no hole, nor is an epoch without closing count; all are told. What each hole means and
    what to do: docs/reconcile.md.

    Exit code 0: no holes. 1: holes, or something could not be read.

    Examples: praetor reconcile

    praetor reconcile --since 2h --producer checkout-7

    praetor reconcile --json | jq '.holes[]'
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    need_bootstrap(settings)
    need_clickhouse(settings)
    need_migrated(settings)
    given = {"tenant": tenant, "agent_id": agent, "producer_id": producer}
    wanted = {name: value for name, value in given.items() if value is not None}
    scope = Scope(None if since is None else moment(since, time.time()), wanted, Found())
    _reconcile(settings, scope, partition)
    if as_json:
        typer.echo(report_json(scope.found))
    else:
        tell(scope.found)
    if not scope.found.ok:
        raise typer.Exit(1)


def _reconcile(settings: Settings, scope: Scope, partition: int | None) -> None:
    with (
        closing(Kafka(settings)) as kafka,
        closing(Rows(settings, scope.wanted, scope.since_ms)) as rows,
        progress_bar() as progress,
    ):
        logs = chosen(kafka.logs, partition)
        spans = [kafka.since(ACTIONS, log, kafka.bounds(ACTIONS, log), scope.since_ms) for log in logs]
        bar = progress.add_task("reconciling", total=sum(end - begin for begin, end in spans))
        done = 0
        for log, (begin, end) in zip(logs, spans, strict=True):
            progress.update(bar, description=f"reconciling {log.origin}")
            reconcile_partition(kafka, rows, log, scope, lambda more: progress.advance(bar, more))
            done += end - begin
            progress.update(bar, completed=done)
        _compare_sums(rows, scope, {(log.log_id, log.partition) for log in logs})
        if settings.destinations is not None:
            progress.update(bar, description="reconciling destinations")
            reconcile_destinations(kafka, settings, logs, scope.found)


def _compare_sums(rows: Rows, scope: Scope, logs: set[tuple[str, int]]) -> None:
    """The tables of sums against the decisions, day by day, whatever --since says.

    Where rows of decisions are missing or doubled the sums differ too, and that says nothing more.
    """
    told = {hole.partition for hole in scope.found.holes if hole.source is None}
    for found in rows.sums():
        if (found.log_id, found.partition) in logs and found.partition not in told:
            day = int(found.day.replace("-", ""))
            count = abs(found.decisions - found.summed)
            table = {"table": found.table}
            scope.found.add(Hole(Kind.sums, found.partition, day, day, count, table))
