"""What Kafka's refusals mean to a person: one message each, that says what to do."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)

from runtime.errors import PraetorError
from runtime.tokens import TokenError

ADVICE = "grant it (`praetor topics acls` prints every grant, with its reason)"


def principal(options: Mapping[str, Any]) -> str:
    """Who a client with these options is to the broker, as far as it can know."""
    protocol = options.get("security_protocol", "PLAINTEXT")
    if protocol == "PLAINTEXT":
        return "User:ANONYMOUS"
    if protocol == "SSL":
        return "the principal of the client certificate (PRAETOR_KAFKA_SSL_CERTFILE)"
    if options.get("sasl_mechanism") == "OAUTHBEARER":
        return "the principal of the OAuth token"
    return f"User:{options['sasl_plain_username']}"


def refusal(error: BaseException, options: Mapping[str, Any]) -> PraetorError | None:
    """What a refusal by the authorizer or the login is to us; None for every other error.

    The errors do not say which operation was refused: of a topic, it is one of two.
    """
    match error:
        case TransactionalIdAuthorizationFailed():
            return missing(options, f"Write on transactional id {_names(error)}")
        case GroupAuthorizationFailedError():
            return missing(options, f"Read on group {_names(error)}")
        case TopicAuthorizationFailedError():
            return missing(options, f"Read or Write on topic {_names(error)}")
        case ClusterAuthorizationFailedError():
            return missing(options, "Write on any topic, which idempotent producers need")
        case SaslAuthenticationFailed() | UnsupportedSaslMechanismError() | IllegalSaslStateError():
            return PraetorError(f"Kafka at {options['bootstrap_servers']}: {login(error, options)}")
        case TokenError():
            return PraetorError(f"Kafka at {options['bootstrap_servers']}: {error}")
    return None


def login(error: KafkaError, options: Mapping[str, Any]) -> str:
    """Why a login was refused, and what to do."""
    mechanism = options.get("sasl_mechanism", "")
    if isinstance(error, UnsupportedSaslMechanismError):
        offered = str(error).rpartition("mechanisms are: ")[2].strip("[]'\" ").replace("'", "")
        return (
            f"it does not offer {mechanism}: set PRAETOR_KAFKA_SASL_MECHANISM to what it offers"
            f" ({offered or 'nothing'})"
        )
    if isinstance(error, IllegalSaslStateError):
        return (
            "this listener takes no logins: set PRAETOR_KAFKA_SECURITY_PROTOCOL to SSL or PLAINTEXT, or take"
            " the broker's SASL port"
        )
    if mechanism == "OAUTHBEARER":
        return "the OAuth token was refused: see that it is not expired, and meant for this broker"
    return (
        f"{mechanism} login of user {options.get('sasl_plain_username')} was refused: check"
        " PRAETOR_KAFKA_SASL_USERNAME and PRAETOR_KAFKA_SASL_PASSWORD (or its …_FILE)"
    )


def missing(options: Mapping[str, Any], *grants: str) -> PraetorError:
    """The error for grants that we lack: each as operation and resource in words."""
    return PraetorError(f"Kafka does not let {principal(options)} do {', '.join(grants)}: {ADVICE}")


def _names(error: BaseException) -> str:
    named = error.args[0] if error.args else "(not told)"
    if isinstance(named, Iterable) and not isinstance(named, str):
        return ", ".join(sorted(map(str, named)))
    return str(named)
