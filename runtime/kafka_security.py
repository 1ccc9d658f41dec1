"""TLS and logins of Kafka clients, as aiokafka's options."""

import logging
from typing import Any

from runtime.secrets import Revealed
from runtime.settings import Settings
from runtime.tls import Files, client_context
from runtime.tokens import Client, EndpointToken, FileToken


def security_options(settings: Settings) -> dict[str, Any]:
    """What the settings say of TLS and of the login; nothing for PLAINTEXT. `repr` of it tells no secret.

    Raises:
        PraetorError: a file of TLS is not what it should be.
    """
    # at debug it logs the bytes of logins
    logging.getLogger("aiokafka.conn").setLevel(logging.INFO)
    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return {}
    options: dict[str, Any] = {"security_protocol": protocol}
    if protocol.endswith("SSL"):
        options["ssl_context"] = client_context(_files(settings))
    if not protocol.startswith("SASL_"):
        return options
    options["sasl_mechanism"] = settings.kafka_sasl_mechanism
    if settings.kafka_sasl_mechanism == "OAUTHBEARER":
        return {**options, "sasl_oauth_token_provider": _token_provider(settings)}
    password = Revealed(settings.kafka_sasl_password.get_secret_value())
    return {**options, "sasl_plain_username": settings.kafka_sasl_username, "sasl_plain_password": password}


def _files(settings: Settings) -> Files:
    return Files(
        "PRAETOR_KAFKA_SSL_",
        settings.kafka_ssl_cafile,
        settings.kafka_ssl_certfile,
        settings.kafka_ssl_keyfile,
        settings.kafka_ssl_password.get_secret_value(),
    )


def _token_provider(settings: Settings) -> FileToken | EndpointToken:
    if settings.kafka_oauth_token_file is not None:
        return FileToken(settings.kafka_oauth_token_file)
    secret = Revealed(settings.kafka_oauth_client_secret.get_secret_value())
    client = Client(
        settings.kafka_oauth_token_url, settings.kafka_oauth_client_id, secret, settings.kafka_oauth_scope
    )
    return EndpointToken(client, client_context(Files("PRAETOR_KAFKA_SSL_", settings.kafka_ssl_cafile)))
