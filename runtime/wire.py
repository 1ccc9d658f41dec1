"""The settings of the wire: TLS and logins of Kafka and ClickHouse. runtime.settings has all the others."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
EMPTY = SecretStr("")


class Wire(BaseSettings):
    """How Kafka and ClickHouse are spoken to; what fits together is checked by runtime.security."""

    model_config = SettingsConfigDict(
        env_prefix="PRAETOR_",
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    kafka_security_protocol: Protocol = Field(
        "PLAINTEXT",
        description="How Kafka is spoken to: `PLAINTEXT`, `SSL` (TLS), `SASL_PLAINTEXT` (a login, nothing "
        "encrypted), `SASL_SSL` (a login within TLS).",
    )
    kafka_sasl_mechanism: Mechanism = Field(
        "", description="The login of `SASL_…`: `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`."
    )
    kafka_sasl_username: str = Field("", description="Kafka user, for `PLAIN` and `SCRAM-…`.")
    kafka_sasl_password: SecretStr = Field(EMPTY, description="Password of that user.")
    kafka_oauth_token_file: Path | None = Field(
        None,
        description="For `OAUTHBEARER`: file of the token, read anew for each connection.",
        validate_default=False,
    )
    kafka_oauth_token_url: str = Field(
        "", description="For `OAUTHBEARER`: token endpoint asked by client credentials, `https://…`."
    )
    kafka_oauth_client_id: str = Field("", description="Client id at the token endpoint.")
    kafka_oauth_client_secret: SecretStr = Field(EMPTY, description="Secret of that client.")
    kafka_oauth_scope: str = Field("", description="Scope asked of the token endpoint; empty: none.")
    kafka_ssl_cafile: Path | None = Field(
        None,
        description="PEM file of the certificates trusted for Kafka and the token endpoint. Default: "
        "those that this machine trusts. The server's name is always checked.",
        validate_default=False,
    )
    kafka_ssl_certfile: Path | None = Field(
        None, description="PEM file of the client certificate (mTLS), with its chain.", validate_default=False
    )
    kafka_ssl_keyfile: Path | None = Field(
        None,
        description="PEM file of its key. Default: it stands in the certificate's file.",
        validate_default=False,
    )
    kafka_ssl_password: SecretStr = Field(EMPTY, description="Password of that key, where it is encrypted.")
    clickhouse_ssl_cafile: Path | None = Field(
        None,
        description="PEM file of the certificates trusted for ClickHouse. Default: those that this machine "
        "trusts. The server's name is always checked.",
        validate_default=False,
    )
    clickhouse_ssl_certfile: Path | None = Field(
        None,
        description="PEM file of the client certificate for ClickHouse, with its chain.",
        validate_default=False,
    )
    clickhouse_ssl_keyfile: Path | None = Field(
        None, description="PEM file of its key.", validate_default=False
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what the constructor is given alone: else a variable that was put aside would come back."""
        return (init_settings,)
