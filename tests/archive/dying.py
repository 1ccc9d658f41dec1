"""`python -m tests.archive.dying BOOTSTRAP URL DATABASE PREFIX LOG PARTITIONS N before|after`: it is killed.

It has no group: a killed member would keep its partitions for the ten seconds of its session.
"""

import asyncio
import sys
from contextlib import AsyncExitStack

from tests.archive.helpers import Owner, Stage
from tests.archive.sinks import DyingSink


async def archive(stage: Stage, at: int, when: str) -> None:
    sink = DyingSink(stage.settings, at, when == "after")
    async with AsyncExitStack() as stack:
        owners = [await stack.enter_async_context(Owner(stage, sink, p)) for p in range(stage.partitions)]
        for owner in owners:
            await owner.take_over()
        await asyncio.gather(*(owner.run() for owner in owners))


def main() -> None:
    bootstrap, url, database, prefix, log_id, partitions, at, when = sys.argv[1:]
    stage = Stage(bootstrap, url, int(partitions))
    stage.prefix, stage.log_id = prefix, log_id
    stage.settings = stage.settings.model_copy(update={"clickhouse_database": database})
    asyncio.run(archive(stage, int(at), when))


if __name__ == "__main__":
    main()
