"""The broker, its topics, the log, and how far it is judged."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from cli.doctor.check import Check, failed, ok, warning
from cli.waiting import newest_progress
from judgement.engine import ENGINE
from runtime.errors import PraetorError
from runtime.kafka import Ends, Options, check_access, common_options, group_members, read_partition, started
from runtime.settings import Settings
from schemas.access import topic_needs
from schemas.topics import ACTIONS, CONTROL, DECISIONS, STATE, TOPICS, WORKERS, topic_name
from streams.control import read_view
from streams.control_view import ControlView
from streams.keyring import CONTROL as CONTROL_ROLE
from streams.keyring import read_verify_keys
from streams.topics import existing_topics, topic_settings
from streams.workers import Seen, read_workers

FUTURE_SECONDS = 5.0
NTP = "set both by NTP (chronyc tracking)"
CLOCK_PAGE = "docs/operations/alarms.md, PraetorClockOff"
GRANTS = "log in as who has the grants of `doctor`: praetor topics acls doctor"


@dataclass
class Log:
    """What the checks of Kafka found out for those that come after them."""

    view: ControlView | None = None
    next_seqs: dict[int, int] | None = None


async def check_kafka(settings: Settings, log: Log) -> AsyncIterator[Check]:
    """Everything about Kafka, from the connection to the lag; fills in `log`.

    Raises:
        Unavailable, PraetorError: the broker does not answer, or refuses.
    """
    options = common_options(settings)
    admin = await started(AIOKafkaAdminClient(**options), options)
    try:
        brokers = (await admin.describe_cluster())["brokers"]
    finally:
        await admin.close()
    found = f"{len(brokers)} at {settings.bootstrap}"
    if len(brokers) < 3:
        yield warning("brokers", found, "fine on one machine; what must not be lost needs three replicas")
    else:
        yield ok("brokers", found)
    try:
        await check_access(options, topic_needs("doctor", settings.topic_prefix))
    except PraetorError as error:
        yield failed("grants", str(error), GRANTS)
        return
    there = await existing_topics(options)
    async for check in _topics(options, settings, there):
        yield check
    if CONTROL.name not in there:
        return
    log.view = await read_view(options, read_verify_keys(settings.keys, CONTROL_ROLE))
    for check in _log(log.view):
        yield check
    if topic_name(STATE, settings.topic_prefix) in there:
        async for check in _progress(options, settings, log):
            yield check
    async for check in _workers(options, settings, log.view):
        yield check
    if topic_name(WORKERS, settings.topic_prefix) in there:
        yield _workers_clocks(await read_workers(options, settings.topic_prefix, log.view.log_id))


async def _topics(options: Options, settings: Settings, there: dict[str, int]) -> AsyncIterator[Check]:
    names = {topic_name(t, settings.topic_prefix): t for t in TOPICS}
    missing = sorted(set(names) - set(there))
    if missing:
        yield failed("topics", f"missing: {', '.join(missing)}", "praetor topics create")
    in_force = await topic_settings(options, [n for n in names if n in there])
    other = [
        f"{name}: {key}={in_force[name].get(key)} (should be {value})"
        for name, topic in names.items()
        if name in there
        for key, value in topic.config.items()
        if in_force[name].get(key) != value
    ]
    for line in other:
        topic, _, rest = line.partition(": ")
        setting = rest.split(" ")[0].split("=")[0]
        wanted = names[topic].config[setting]
        remedy = f"kafka-configs.sh --alter --topic {topic} --add-config {setting}={wanted}"
        # the clock of limits must not be the producers'; the rest may be a choice
        state = failed if setting == "message.timestamp.type" else warning
        yield state("topic settings", line, remedy)
    if not missing and not other:
        yield ok("topics", f"{len(names)}, with the settings they should have")


def _log(view: ControlView) -> list[Check]:
    if not view.log_id:
        return [failed("log", "agent.control holds no log", "praetor topics create")]
    checks = [ok("log", f"{view.log_id}, {view.partitions} partitions")]
    if view.rules is None:
        checks.append(failed("policies", "none in force: nothing is judged", "praetor policy publish"))
    else:
        checks.append(ok("policies", f"{view.rules.digest} at control offset {view.offset}"))
    if view.rejected:
        what = f"{view.rejected} records of agent.control were not believed"
        checks.append(warning("orders", what, "praetor control list: who writes there?"))
    return checks


async def _progress(options: Options, settings: Settings, log: Log) -> AsyncIterator[Check]:
    if log.view is None or not log.view.partitions:
        return
    progress = await newest_progress(settings, range(log.view.partitions))
    log.next_seqs = {p: known.next_seq for p, known in progress.items()}
    without = [p for p in range(log.view.partitions) if p not in progress]
    if without:
        yield failed("progress", f"no record for partitions {without}", "praetor topics create")
    ends = Ends(options)
    await ends.start()
    try:
        behind, lost = {}, {}
        for p, known in progress.items():
            tp = TopicPartition(ACTIONS.name, p)
            behind[p] = await ends.high_watermark(tp) - known.next_source_offset
            lost[p] = await ends.beginning(tp) - known.next_source_offset
        yield await _clock(options, settings, ends, list(progress))
    finally:
        await ends.stop()
    for p, count in lost.items():
        if count > 0:
            remedy = f"praetor control skip --partition {p} …, once the loss is accepted; see `praetor logs`"
            yield failed("progress", f"partition {p}: {count} actions were deleted unjudged", remedy)
    if any(count < 0 for count in behind.values()):
        yield failed(
            "progress",
            "more is judged than there is: agent.actions was recreated",
            "begin a new log: docs/operations/backup.md, When Kafka is lost",
        )
    total = sum(behind.values())
    if total > 0:
        worst = max(behind, key=lambda p: behind[p])
        found = f"{total} actions wait; most, {behind[worst]}, in partition {worst}"
        yield warning("lag", found, "look again in a minute; if it grows: more `praetor govern` workers")
    else:
        yield ok("lag", "every action is judged")
    engines = sorted({known.engine for known in progress.values()} - {ENGINE})
    if engines:
        found = f"some partitions were last judged by engine {', '.join(engines)}; this is {ENGINE}"
        yield warning("engine", found, "see docs/operations/upgrades.md")


async def _clock(options: Options, settings: Settings, ends: Ends, partitions: list[int]) -> Check:
    """The broker's clock, which is received_at's, as far as it shows: nothing is decided in the future."""
    ahead = 0.0
    for p in partitions:
        tp = TopicPartition(topic_name(DECISIONS, settings.topic_prefix), p)
        end = await ends.last_stable(tp)
        async for records in read_partition(options, tp, max(await ends.beginning(tp), end - 3), end):
            ahead = max(ahead, records[-1].timestamp / 1000 - time.time())
    if ahead > FUTURE_SECONDS:
        what = f"the broker's clock is at least {ahead:.0f} s ahead of this machine's"
        return failed("clock", what, f"{NTP}; received_at is the broker's")
    return ok("clock", "no decision is from the future")


def _workers_clocks(workers: list[Seen]) -> Check:
    """Their clocks, as each said what time it was, against the broker's, which stamped it."""
    off = {
        f"{worker.status.host} ({worker.status.pid})": (worker.status.told_at - worker.at) / 1000
        for worker in workers
        if abs(worker.status.told_at - worker.at) > FUTURE_SECONDS * 1000
    }
    if off:
        told = ", ".join(f"that of worker {name} by {seconds:+.0f} s" for name, seconds in off.items())
        return warning("workers' clocks", f"off from the broker's: {told}", f"{NTP}; {CLOCK_PAGE}")
    return ok("workers' clocks", f"{len(workers)} within {FUTURE_SECONDS:.0f} s of the broker's")


async def _workers(options: Options, settings: Settings, view: ControlView) -> AsyncIterator[Check]:
    for kind in ("govern", "archive"):
        group = f"{settings.topic_prefix}praetor-{kind}-{view.log_id}"
        if members := await group_members(options, group):
            yield ok(kind, f"{members} running")
        else:
            yield failed(kind, f"nobody is in group {group}", f"start one: praetor {kind}")
