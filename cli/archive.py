"""`praetor archive`: decisions into ClickHouse."""

from typing import Annotated

import typer

from cli.options import DataDir, TopicPrefix
from cli.serving import serve, worker
from consumers.archive import Archive, Job
from consumers.place import Pace
from runtime.kafka import common_options
from runtime.settings import load_settings
from sinks.clickhouse import ClickHouseSink
from sinks.migrate import need_migrated


def archive(
    data: DataDir = None,
    topic_prefix: TopicPrefix = "",
    log_id: Annotated[str, typer.Option(help="The log; by default what agent.control says.")] = "",
    linger_ms: Annotated[
        int, typer.Option(min=0, help="How long a record waits at most for others to be inserted with it.")
    ] = 1_000,
    dry_ms: Annotated[
        int, typer.Option(min=10, help="Insert at once when nothing new has come for so long.")
    ] = 300,
    inserts: Annotated[
        int, typer.Option(min=1, help="Inserts at the same time; fewer make larger ones.")
    ] = 2,
) -> None:
    """Archive decisions, threats, dead letters and checkpoints into ClickHouse until told to stop.

    Start several to share the partitions. What cannot be archived stops it: nothing is passed over.

    Example: PRAETOR_METRICS_PORT=9464 praetor archive
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    with worker("archive", settings) as health:
        options = common_options(settings)
        pace = Pace(dry=dry_ms / 1000, linger=linger_ms / 1000)
        job = Job(settings.topic_prefix, log_id, pace, inserts)
        sink = ClickHouseSink(settings)
        serve("archive", Archive(options, sink, job, health, lambda: need_migrated(settings)), health)
