"""Why Kafka does not take events, in words that say what to mend; aiokafka only logs some of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

from aiokafka import errors
from aiokafka.conn import collect_hosts, create_conn

from praetor.tokens import TokenMissing

CONNECTING = ("client_id", "request_timeout_ms", "ssl_context", "security_protocol")
FORBIDDEN = (errors.ClusterAuthorizationFailedError, errors.TopicAuthorizationFailedError)


class NotTaken(Exception):
    """Events are not taken, for the reason it says."""


def explain(error: BaseException, topic: str) -> NotTaken:
    """The reason of a failure of a connection that stands."""
    if isinstance(error, NotTaken):
        return error
    if isinstance(error, FORBIDDEN):
        return NotTaken(f"the broker does not let this user write to {topic}: grant Write on topic {topic}")
    if isinstance(error, errors.UnknownTopicOrPartitionError):
        return NotTaken(f"the broker has no topic {topic}: create it (on the server: praetor topics create)")
    return NotTaken(f"{type(error).__name__}: {error}")


async def why_not(bootstrap: str, options: Mapping[str, Any]) -> NotTaken:
    """The reason that no broker was reached: that of the first host, asked again."""
    chosen = {k: v for k, v in options.items() if k in CONNECTING or k.startswith("sasl_")}
    host, port, _ = collect_hosts(bootstrap)[0]
    where = f"Kafka at {host}:{port}"
    try:
        connection = await create_conn(host, port, **chosen)
    except ssl.SSLError as error:
        return NotTaken(f"{where}: TLS failed: {error}; check PRAETOR_KAFKA_SSL_CAFILE and the protocol")
    except TokenMissing as error:
        return NotTaken(f"{where}: {error.args[0]}")
    except errors.KafkaError as error:
        login = isinstance(error, errors.SaslAuthenticationFailed)
        told = f"refuses the login: {error}" if login else f"{error}; is the security protocol right?"
        return NotTaken(f"{where} {told}")
    except (OSError, asyncio.TimeoutError) as error:
        return NotTaken(f"{where} does not answer: {str(error) or 'no answer in time'}; is it running?")
    connection.close()
    return NotTaken(
        f"{where} accepts connections and does not answer as Kafka: is the security protocol right?"
    )
