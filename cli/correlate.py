"""`praetor correlate`: a worker that makes incidents."""

import structlog

from cli.options import DataDir, TopicPrefix
from cli.serving import serve, worker
from runtime.errors import PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings, load_settings
from streams.correlate.load import load_responses
from streams.correlate.worker import Answering, Correlate
from streams.keyring import CONTROL, key_file, read_signing_key, read_verify_keys

log = structlog.get_logger()


def correlate(data: DataDir = None, topic_prefix: TopicPrefix = "") -> None:
    """Make incidents of threats and denials until told to stop.

    They open, grow, escalate and resolve by themselves. PRAETOR_RESPONSES names what is done about them.
    Start several to share the partitions.

    Example: PRAETOR_METRICS_PORT=9465 praetor correlate
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    with worker("correlate", settings) as health:
        keys = read_verify_keys(settings.keys, CONTROL)
        answering = _answering(settings)
        service = Correlate(common_options(settings), settings.topic_prefix, keys, health, answering)
        serve("correlate", service, health)


def _answering(settings: Settings) -> Answering | None:
    path = settings.responses
    if path is None:
        if not key_file(settings.keys, CONTROL).exists():
            log.warning("no control key is here: limits that span agents are not told")
            return None
        return Answering(None, read_signing_key(settings.keys, CONTROL))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PraetorError(f"PRAETOR_RESPONSES: {path}: {error.strerror}") from error
    return Answering(load_responses(str(path), data), read_signing_key(settings.keys, CONTROL))
