"""How Kafka is reached securely: by arguments, else by the same PRAETOR_KAFKA_… variables as the server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from praetor.errors import PraetorError

PREFIX = "PRAETOR_KAFKA_"


@dataclass(frozen=True)
class Security:
    """Kafka's security options; what is not given stays Kafka's default (no TLS, no login).

    Attributes:
        security_protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
        sasl_mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.
        sasl_username: for PLAIN and SCRAM.
        sasl_password: for PLAIN and SCRAM; never shown.
        ssl_cafile: PEM file of the authorities that the broker's certificate is checked against.
        ssl_certfile: PEM file of this client's certificate (mTLS).
        ssl_keyfile: PEM file of its key.
        ssl_password: of that key; never shown.
        oauth_token_file: file of the token for OAUTHBEARER, read anew for each connection.
        oauth_token_url: or the endpoint that gives tokens for client credentials.
        oauth_client_id: who asks there.
        oauth_client_secret: its secret; never shown.
        oauth_scope: what is asked for.
    """

    security_protocol: str | None = None
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_password: str | None = field(default=None, repr=False)
    oauth_token_file: str | None = None
    oauth_token_url: str | None = None
    oauth_client_id: str | None = None
    oauth_client_secret: str | None = field(default=None, repr=False)
    oauth_scope: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Security:
        """Read PRAETOR_KAFKA_SECURITY_PROTOCOL, …; a `…_FILE` variable names a file that holds the value.

        Raises:
            PraetorError: a file cannot be read, or both a variable and its file are given.
        """
        given = os.environ if environment is None else environment
        return cls(**{f.name: _read(given, PREFIX + f.name.upper()) for f in fields(cls)})

    def options(self, ssl_context: Any) -> dict[str, Any]:
        """As aiokafka's clients take them; `ssl_context` is aiokafka's helper of that name.

        Raises:
            PraetorError: a certificate or key cannot be read.
        """
        named = {
            "security_protocol": self.security_protocol,
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": self.sasl_password,
        }
        found = {name: value for name, value in named.items() if value is not None}
        if self.security_protocol in ("SSL", "SASL_SSL"):
            files = (self.ssl_cafile, self.ssl_certfile, self.ssl_keyfile)
            names = dict(zip(("cafile", "certfile", "keyfile"), files))
            try:
                found["ssl_context"] = ssl_context(**names, password=self.ssl_password)
            except OSError as error:  # ssl.SSLError is one
                raise PraetorError(f"Kafka's TLS files {names} cannot be used: {error}") from error
        return found


def _read(given: Mapping[str, str], name: str) -> str | None:
    value, file = given.get(name) or None, given.get(f"{name}_FILE") or None
    if file is None:
        return value
    if value is not None:
        raise PraetorError(f"{name} and {name}_FILE are both set: unset one of them")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise PraetorError(f"{name}_FILE names {file}, which cannot be read: {error.strerror}") from error
