"""`python -m bench.analysts`: how fast analysts are answered, and what a decision takes on disk.

Fills an embedded ClickHouse with decisions of agents' traffic over 30 days, then asks every query that has
a name, again and again, of tenants large and small. `--rows` more are added by each run with the same
`--data`; every part of them spans all 30 days, so that it may be stopped between runs.
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from bench.analysts.asking import ask
from bench.analysts.making import BLOCK, make, make_around, vocabulary
from runtime.embedded.services import ClickHouse
from runtime.settings import Settings
from sinks.connection import connect
from sinks.migrate import migrate
from sinks.rollups import differences

# coprime to any number of blocks below it: blocks in this order are spread over the 30 days
STRIDE = 7919
STATE = "made.json"
DISK = """\
SELECT table, sum(rows), count(), sum(bytes_on_disk), sum(data_uncompressed_bytes),
    sum(secondary_indices_compressed_bytes)
FROM system.parts WHERE active AND database = currentDatabase()
GROUP BY table ORDER BY sum(bytes_on_disk) DESC
"""


def main() -> None:
    """Fill, then ask; figures go to standard output as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.analysts", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the database; kept")
    parser.add_argument("--total", type=int, default=1_000_000, help="decisions of the 30 days (1000000)")
    parser.add_argument("--rows", type=int, default=0, help="add so many of them in this run (all)")
    parser.add_argument("--ask", type=int, default=0, metavar="N", help="then ask each query N times")
    parser.add_argument("--settle", action="store_true", help="merge first, as a server does in time")
    given = parser.parse_args()
    with ClickHouse(given.data) as server:
        settings = Settings(clickhouse_url=server.url, clickhouse_database="bench")
        migrate(settings)
        client = connect(settings)
        end = fill(client, given.data / STATE, given.total, given.rows or given.total)
        if given.settle:
            settle(client)
        told: dict[str, Any] = {"disk": disk(client)}
        if given.ask:
            told["differences"] = len(differences(client))
            make_around(client, end)
            told["queries"] = ask(client, server.pid, end, given.ask)
        print(json.dumps(told, indent=1))


def fill(client: Client, state: Path, total: int, rows: int) -> int:
    """Add rows; returns the end of the 30 days, in seconds. A block counts once it is noted as made."""
    made = json.loads(state.read_text()) if state.exists() else {"end": int(time.time()), "blocks": 0}
    blocks, words = math.ceil(total / BLOCK), vocabulary()
    for number in range(made["blocks"], min(blocks, made["blocks"] + math.ceil(rows / BLOCK))):
        make(client, words, total, number * STRIDE % blocks * BLOCK, made["end"])
        made["blocks"] = number + 1
        state.write_text(json.dumps(made))
    return int(made["end"])


def settle(client: Client) -> None:
    """Merge what is small until few parts are left."""
    tables = [row[0] for row in client.query("SHOW TABLES").result_rows]
    for table in [t for t in tables if t.startswith(("actions_by", "rules_by", "delays_by", "decisions"))]:
        if "_to_" not in table and table != "decisions_overview":
            client.command(f"OPTIMIZE TABLE {table} FINAL")


def disk(client: Client) -> list[dict[str, Any]]:
    """What each table takes, bytes a row of its own."""
    names = ("table", "rows", "parts", "bytes", "uncompressed", "indexes")
    return [dict(zip(names, row, strict=True)) for row in client.query(DISK).result_rows]


if __name__ == "__main__":
    main()
