"""ClickHouse: reachable, migrated, with room, and with all that is decided."""

import time
from collections.abc import Iterator

from cli.doctor.check import Check, failed, ok, warning
from cli.doctor.kafka import Log
from cli.doctor.machine import judge_space
from runtime.settings import Settings
from sinks.connection import connect, errors_of
from sinks.migrate import status

SKEW_SECONDS = 2.0
PATIENCE = 10


def check_clickhouse(settings: Settings, log: Log) -> Iterator[Check]:
    """Everything about ClickHouse; `log` says what it should hold.

    Raises:
        Unavailable, PraetorError: it does not answer, or refuses.
    """
    with errors_of(settings):
        server = connect(settings, "", PATIENCE)
        try:
            version = str(server.command("SELECT version()"))
            before = time.time()
            now = float(str(server.command("SELECT toUnixTimestamp64Milli(now64(3))"))) / 1000
            skew = now - (before + time.time()) / 2
            disks = server.query("SELECT name, free_space, total_space FROM system.disks").result_rows
        finally:
            server.close()
    yield ok("clickhouse", f"{version} at {settings.clickhouse_url}")
    if abs(skew) > SKEW_SECONDS:
        what = f"ClickHouse's clock is {skew:+.0f} s off this machine's"
        yield warning("clickhouse clock", what, "set both by NTP; retention (TTL) follows ClickHouse's")
    for name, free, total in disks:
        yield judge_space("clickhouse disk", str(name), int(free), int(total))
    pending = [name for name, state in status(settings) if state == "pending"]
    if pending:
        yield failed("tables", f"pending: {', '.join(pending)}", "praetor db migrate")
        return
    yield ok("tables", f"all migrations applied in {settings.clickhouse_database}")
    if log.view is not None and log.next_seqs is not None:
        yield _archived(settings, log.view.log_id, log.next_seqs)


def _archived(settings: Settings, log_id: str, next_seqs: dict[int, int]) -> Check:
    with errors_of(settings):
        client = connect(settings, patience=PATIENCE)
        rows = client.query(
            "SELECT partition, max(seq) + 1 FROM leaves WHERE log_id = {log:String} GROUP BY partition",
            parameters={"log": log_id},
        ).result_rows
        client.close()
    archived = {int(partition): int(upto) for partition, upto in rows}
    waiting = sum(max(0, seq - archived.get(p, 0)) for p, seq in next_seqs.items())
    if waiting:
        return warning("archived", f"{waiting} decisions are not in ClickHouse yet", "look again in a minute")
    return ok("archived", "every decision is in ClickHouse")
