"""Which settings of security belong together: every mistake in them, each with what to do."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

PROTOCOL = "PRAETOR_KAFKA_SECURITY_PROTOCOL"
FILES = ("cafile", "certfile", "keyfile")
CREDENTIALS = ("kafka_sasl_username", "kafka_sasl_password")
ENDPOINT = ("kafka_oauth_token_url", "kafka_oauth_client_id", "kafka_oauth_client_secret")
OAUTH = ("kafka_oauth_token_file", *ENDPOINT, "kafka_oauth_scope")
TLS = ("kafka_ssl_cafile", "kafka_ssl_certfile", "kafka_ssl_keyfile", "kafka_ssl_password")
REGISTRY = ("schema_registry_username", "schema_registry_password")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def mistakes(chosen: Mapping[str, Any]) -> list[str]:
    """Say what does not fit together in values by setting's name; what is absent is not set.

    The values may be of any type: those that are not valid by themselves are somebody else's to report.
    """
    return [*_kafka(chosen), *_clickhouse(chosen), *_registry(chosen)]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"PRAETOR_{name.upper()}"


def _kafka(chosen: Mapping[str, Any]) -> Iterator[str]:
    protocol = str(chosen.get("kafka_security_protocol") or "PLAINTEXT")
    if protocol.endswith("SSL"):
        yield from _files(chosen, "kafka_ssl_")
    else:
        # the Schema Registry's certificate is checked against the same authorities
        needed = str(chosen.get("schema_registry_url") or "").startswith("https:")
        names = tuple(name for name in TLS if not (needed and name == "kafka_ssl_cafile"))
        yield from _idle(
            chosen, names, f"with {PROTOCOL}={protocol} nothing is encrypted: set it to SASL_SSL or SSL"
        )
    if protocol.startswith("SASL_"):
        yield from _sasl(chosen, protocol)
    else:
        names = ("kafka_sasl_mechanism", *CREDENTIALS, *OAUTH)
        yield from _idle(chosen, names, f"with {PROTOCOL}={protocol} nobody logs in: set it to SASL_SSL")


def _idle(chosen: Mapping[str, Any], names: tuple[str, ...], why: str) -> Iterator[str]:
    given = [variable(name) for name in names if chosen.get(name)]
    if given:
        yield f"{', '.join(given)} would have no effect: {why}, or leave them out"


def _sasl(chosen: Mapping[str, Any], protocol: str) -> Iterator[str]:
    mechanism = str(chosen.get("kafka_sasl_mechanism") or "")
    if not mechanism:
        yield (
            f"{PROTOCOL}={protocol} needs PRAETOR_KAFKA_SASL_MECHANISM:"
            " PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"
        )
    elif mechanism == "OAUTHBEARER":
        yield from _oauth(chosen)
        yield from _idle(chosen, CREDENTIALS, "OAUTHBEARER logs in by a token: choose another mechanism")
    else:
        missing = [variable(name) for name in CREDENTIALS if not chosen.get(name)]
        if missing:
            yield f"{mechanism} needs {' and '.join(missing)} (a password also by …_FILE)"
        yield from _idle(chosen, OAUTH, f"{mechanism} uses no token: choose OAUTHBEARER")


def _oauth(chosen: Mapping[str, Any]) -> Iterator[str]:
    file = chosen.get("kafka_oauth_token_file")
    asked = [name for name in ENDPOINT if chosen.get(name)]
    if file and asked:
        yield f"PRAETOR_KAFKA_OAUTH_TOKEN_FILE and {variable(asked[0])} are both set: keep one way to a token"
    elif file:
        yield from _unreadable("PRAETOR_KAFKA_OAUTH_TOKEN_FILE", file)
    elif not asked:
        ways = ", ".join(variable(name) for name in ENDPOINT)
        yield f"OAUTHBEARER needs PRAETOR_KAFKA_OAUTH_TOKEN_FILE, or a token endpoint: {ways}"
    elif len(asked) < len(ENDPOINT):
        missing = " and ".join(variable(name) for name in ENDPOINT if name not in asked)
        yield f"a token endpoint needs {missing}, too"
    if "kafka_oauth_token_url" in asked:
        url = urlsplit(str(chosen["kafka_oauth_token_url"]))
        if not _is_safe(url):
            yield "PRAETOR_KAFKA_OAUTH_TOKEN_URL must be https://…: the client's secret goes there"


def _clickhouse(chosen: Mapping[str, Any]) -> Iterator[str]:
    address = chosen.get("clickhouse_url")
    url = urlsplit(str(address or ""))
    if address and "@" in url.netloc:
        yield (
            "PRAETOR_CLICKHOUSE_URL carries a user or password, which would be shown: give them by"
            " PRAETOR_CLICKHOUSE_USER and PRAETOR_CLICKHOUSE_PASSWORD"
        )
    names = tuple(f"clickhouse_ssl_{file}" for file in FILES)
    if url.scheme == "http":
        yield from _idle(chosen, names, "PRAETOR_CLICKHOUSE_URL is http://: set it to https://…")
    else:
        yield from _files(chosen, "clickhouse_ssl_")


def _registry(chosen: Mapping[str, Any]) -> Iterator[str]:
    url = urlsplit(str(chosen.get("schema_registry_url") or ""))
    name, given = variable("schema_registry_url"), [n for n in REGISTRY if chosen.get(n)]
    if "@" in url.netloc:
        ways = " and ".join(variable(n) for n in REGISTRY)
        yield f"{name} carries a user or password, which would be shown: give them by {ways}"
    if len(given) == 1:
        missing = next(n for n in REGISTRY if n not in given)
        yield f"{variable(given[0])} needs {variable(missing)}, too"
    if given and not url.netloc:
        yield from _idle(chosen, REGISTRY, f"{name} is not set: set it")
    elif given and not _is_safe(url):
        yield f"{name} must be https://…: the password goes there"


def _is_safe(url: SplitResult) -> bool:
    return url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)


def _files(chosen: Mapping[str, Any], prefix: str) -> Iterator[str]:
    certificate = variable(f"{prefix}certfile")
    for needing in (f"{prefix}keyfile", f"{prefix}password"):
        if chosen.get(needing) and not chosen.get(f"{prefix}certfile"):
            yield f"{variable(needing)} is that of a client certificate: set {certificate}, too"
    for file in FILES:
        if path := chosen.get(f"{prefix}{file}"):
            yield from _unreadable(variable(f"{prefix}{file}"), path)


def _unreadable(name: str, path: object) -> Iterator[str]:
    try:
        with open(str(path), "rb"):
            return
    except OSError as error:
        yield f"{name} names {path}, which cannot be read: {error.strerror}"
