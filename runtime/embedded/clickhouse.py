"""The ClickHouse engine and its HTTP interface: `python -m runtime.embedded.clickhouse --data D --port N`.

One process holds one data folder. It listens on 127.0.0.1 only and wants the password that is in
PRAETOR_CLICKHOUSE_PASSWORD, if one is. What was acknowledged survives kill -9 of the process; a power cut
may take what the operating system had not written yet, as with any ClickHouse without fsync_after_insert.
"""

import argparse
import os
import sys
from pathlib import Path

import uvicorn

from runtime.embedded.clickhouse_http import application
from runtime.embedded.engine import Engine

GRACE_SECONDS = 5


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description="ClickHouse's engine and HTTP interface, on 127.0.0.1 only")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", type=Path, help="PEM of key and certificate: speak TLS")
    options = parser.parse_args()
    data = options.data.resolve() / "store"
    try:
        data.mkdir(parents=True, exist_ok=True)
        engine = Engine(data)
    except (OSError, RuntimeError) as error:  # RuntimeError: chdb's, with ClickHouse's words in it
        sys.exit(f"ClickHouse cannot open {data}: {error}")
    uvicorn.run(
        application(engine, os.environ.get("PRAETOR_CLICKHOUSE_PASSWORD", "")),
        host="127.0.0.1",
        port=options.port,
        log_level="warning",
        access_log=False,
        ssl_certfile=options.certificate,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=60,
    )


if __name__ == "__main__":
    main()
