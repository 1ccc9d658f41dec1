"""Ten thousand seeded mutations of real records, among clean ones, through govern and the archive."""

from random import Random

from schemas.topics import ACTIONS
from tests.hostile.arena import Database, deliver, mistakes, mixed
from tests.streams.helpers import Log

SEED = 20_261_121
COUNT = 10_000


async def test_what_decodes_is_judged_what_does_not_is_a_letter_and_nobody_else_is_touched(
    log: Log, clickhouse: str
) -> None:
    rng = Random(SEED)
    prefix = await log.outputs()
    records = mixed(rng, COUNT, log.partitions)
    async with log.working(prefix), log.following(prefix) as following:
        await following.reach(await deliver(log, records, rng))
    source, outputs = await log.records(ACTIONS.name), await log.read(prefix)
    assert sum(map(len, source.values())) == COUNT
    assert not mistakes(log, source, outputs)
    decisions = sum(map(len, outputs.decisions.values()))
    letters = sum(map(len, outputs.dead_letters.values()))
    assert min(decisions, letters) > COUNT // 10
    assert await Database(log, clickhouse).archive(prefix, COUNT) == (decisions, letters)
