"""`praetor govern`: a worker."""

from cli.options import DataDir, TopicPrefix
from cli.serving import serve, worker
from runtime.kafka import common_options
from runtime.settings import load_settings
from streams.govern import Keys, Worker
from streams.keyring import CONTROL, read_policy_keys, read_verify_keys
from streams.ledger_keys import read_ledger_keys


def govern(
    data: DataDir = None,
    topic_prefix: TopicPrefix = "",
) -> None:
    """Judge actions until told to stop: one pipeline for each partition that the group gives this worker.

    Start as many as there are cores; Kafka spreads the partitions over them.

    Example: PRAETOR_METRICS_PORT=9464 praetor govern
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    with worker("govern", settings) as health:
        options = common_options(settings)
        ledger = read_ledger_keys(settings)
        ledger.check()
        keys = Keys(ledger, read_verify_keys(settings.keys, CONTROL), read_policy_keys(settings.keys))
        serve("govern", Worker(options, settings.topic_prefix, keys, health), health)
