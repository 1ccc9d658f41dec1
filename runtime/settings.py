"""Every setting of Praetor, in one place; the reference in docs/ is generated from the descriptions."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from runtime.errors import PraetorError
from runtime.stack import Stack, read_stack

LogLevel = Literal["debug", "info", "warning", "error"]
Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """Where things are and how the process behaves. Immutable.

    Each field `x` is read from the environment variable `PRAETOR_X`. Use `load_settings` rather than the
    constructor: it also looks for a running stack.
    """

    model_config = SettingsConfigDict(
        env_prefix="PRAETOR_", frozen=True, extra="forbid", env_ignore_empty=True
    )

    data: Path = Field(
        Path(".praetor"), description="Folder of the embedded stack: its data, keys, logs and stack.json."
    )
    bootstrap: str = Field("", description="Kafka bootstrap servers, `host:port[,host:port]`.")
    clickhouse_url: str = Field("", description="ClickHouse's HTTP interface, `http://host:8123`.")
    clickhouse_user: str = Field("default", description="ClickHouse user.")
    clickhouse_password: SecretStr = Field(SecretStr(""), description="Password (or token) of that user.")
    clickhouse_database: str = Field("praetor", description="ClickHouse database; `db migrate` creates it.")
    topic_prefix: str = Field(
        "", pattern=r"^[a-zA-Z0-9._-]*$", description="Put before the name of every topic that is written."
    )
    keys_dir: Path | None = Field(
        None,
        description="Folder of signing keys. Default: `keys` in the data folder.",
        validate_default=False,
    )
    schema_registry_url: str = Field("", description="Schema Registry to register schemas with; empty: none.")
    log_level: LogLevel = Field("info", description="Least level that is logged.")
    metrics_port: Port = Field(0, description="Port of the Prometheus endpoint; 0: none.")

    @property
    def keys(self) -> Path:
        """The folder of signing keys; it may not exist yet."""
        return self.keys_dir if self.keys_dir is not None else self.data / "keys"


def load_settings(data: Path | None = None, **overrides: Any) -> Settings:
    """Return the settings in force: explicit option > environment > stack file > default.

    The stack file is looked for in `data` (the option --data), else in PRAETOR_DATA, else in ./.praetor, and
    counts only while its supervisor runs. A stack named by `data` is an explicit option: its addresses
    win over the environment's. Overrides that are None are options not given. Nothing is contacted.

    Raises:
        PraetorError: a value is not valid; all mistakes are reported together.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    environment = EnvSettingsSource(Settings)()
    folder = Path(data or environment.get("data") or Settings.model_fields["data"].default)
    stack = read_stack(folder)
    found = _addresses(stack) if stack is not None and stack.running() else {}
    layers = (environment, found) if data is not None else (found, environment)
    values: dict[str, Any] = {**layers[0], **layers[1], **given, "data": folder}
    try:
        return Settings(**values)
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise PraetorError(f"settings (options or PRAETOR_… variables) are not valid: {lines}") from error


def need_bootstrap(settings: Settings) -> str:
    """Return the bootstrap servers.

    Raises:
        PraetorError: none are known; the message says how to start a stack or name one.
    """
    if not settings.bootstrap:
        raise PraetorError(_no_stack(settings, "PRAETOR_BOOTSTRAP"))
    return settings.bootstrap


def need_clickhouse(settings: Settings) -> str:
    """Return ClickHouse's URL.

    Raises:
        PraetorError: none is known; the message says how to start a stack or name one.
    """
    if not settings.clickhouse_url:
        raise PraetorError(_no_stack(settings, "PRAETOR_CLICKHOUSE_URL"))
    return settings.clickhouse_url


def _no_stack(settings: Settings, variable: str) -> str:
    return (
        f"no running stack found in {settings.data}: start one with `praetor up -d --data {settings.data}`, "
        f"name one with --data DIR, or set {variable}"
    )


def _addresses(stack: Stack) -> dict[str, Any]:
    known = {
        "bootstrap": stack.bootstrap,
        "clickhouse_url": stack.clickhouse_url,
        "clickhouse_user": stack.clickhouse_user,
        "clickhouse_password": stack.clickhouse_password,
        "keys_dir": stack.keys_dir,
    }
    return {name: value for name, value in known.items() if value}
