"""`praetor forward`: decisions, threats and incidents to SIEMs and other destinations."""

from cli.destination_files import outbound_of, read_destinations
from cli.options import DataDir, TopicPrefix
from cli.serving import serve, worker
from consumers.forward import Forward, Target
from runtime.kafka import common_options
from runtime.settings import load_settings
from sinks.registry import make_sink


def forward(data: DataDir = None, topic_prefix: TopicPrefix = "") -> None:
    """Deliver to the destinations that PRAETOR_DESTINATIONS names, until told to stop.

    Each goes its own way: at least once, in order within a partition, from where it stands. One that is away
    delays no other; what it has not had stays on the broker. Start several to share the partitions.

    Example: PRAETOR_DESTINATIONS=destinations/ praetor forward
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    with worker("forward", settings) as health:
        options = common_options(settings)
        outbound = outbound_of(settings)
        targets = [Target(d, make_sink(d, outbound)) for d in read_destinations(settings)]
        serve("forward", Forward(options, targets, health, settings.topic_prefix), health)
