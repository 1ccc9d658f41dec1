"""From settings to the transport."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from praetor.errors import PraetorError
from praetor.security import Security

if TYPE_CHECKING:
    from praetor.options import Options


def kafka_target(
    bootstrap: str | None, options: Options, client_id: str
) -> tuple[Any, tuple[type[BaseException], ...]]:
    """Where to connect to, and what connecting and sending may raise.

    Raises:
        TransportMissing: the Kafka client is not installed.
        PraetorError: no Kafka is named, or the security settings cannot be used.
    """
    from praetor import kafka  # noqa: PLC0415 - the extra may be absent: only opening a client needs it

    bootstrap = bootstrap or os.environ.get("PRAETOR_BOOTSTRAP")
    if not bootstrap:
        raise PraetorError("no Kafka is named: give bootstrap=, or set PRAETOR_BOOTSTRAP")
    security = options.security or Security.from_environment()
    chosen = {**kafka.security_options(security), **options.kafka}
    if chosen.get("sasl_mechanism") == "OAUTHBEARER" and not chosen.get("sasl_oauth_token_provider"):
        raise PraetorError(
            "OAUTHBEARER needs PRAETOR_KAFKA_OAUTH_TOKEN_FILE, or PRAETOR_KAFKA_OAUTH_TOKEN_URL with"
            " _CLIENT_ID and _CLIENT_SECRET, or a sasl_oauth_token_provider of yours in kafka="
        )
    target = kafka.Kafka(
        bootstrap=bootstrap,
        topic=options.topic,
        client_id=client_id,
        request_timeout=options.request_timeout,
        options=chosen,
    )
    return target, kafka.FAILURES
