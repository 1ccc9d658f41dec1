"""Every setting of Praetor, in one place; the reference in docs/ is generated from the descriptions."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource

from runtime.errors import PraetorError
from runtime.secrets import secrets_from_files
from runtime.security import mistakes, variable
from runtime.stack import Stack, read_stack
from runtime.wire import EMPTY, Wire

LogLevel = Literal["debug", "info", "warning", "error"]
Port = Annotated[int, Field(ge=0, le=65535)]
SECURITY = {"kafka": ("kafka_",), "clickhouse": ("clickhouse_ssl_",)}


class Settings(Wire):
    """Where things are and how the process behaves. Immutable.

    Each field `x` is read from the environment variable `PRAETOR_X`, a secret also from the file that
    `PRAETOR_X_FILE` names. Use `load_settings` rather than the constructor: it also looks for a running
    stack, and checks what belongs together.
    """

    data: Path = Field(
        Path(".praetor"), description="Folder of the embedded stack: its data, keys, logs and stack.json."
    )
    bootstrap: str = Field("", description="Kafka bootstrap servers, `host:port[,host:port]`.")
    clickhouse_url: str = Field(
        "", description="ClickHouse's HTTP interface, `http://host:8123` or `https://host:8443`."
    )
    clickhouse_user: str = Field("default", description="ClickHouse user.")
    clickhouse_password: SecretStr = Field(EMPTY, description="Password (or token) of that user.")
    clickhouse_database: str = Field("praetor", description="ClickHouse database; `db migrate` creates it.")
    topic_prefix: str = Field(
        "", pattern=r"^[a-zA-Z0-9._-]*$", description="Put before the name of every topic that is written."
    )
    keys_dir: Path | None = Field(
        None,
        description="Folder of signing keys. Default: `keys` in the data folder.",
        validate_default=False,
    )
    ledger_key_command: str = Field(
        "",
        description="Command that signs checkpoints (for a KMS), instead of `ledger.key`: a command line or "
        "a JSON list. It gets the bytes on standard input and writes the raw Ed25519 signature, 64 bytes.",
    )
    ledger_key_public: str = Field(
        "", description="Public key of that command, `<name>+<8 hex>+<base64>`; it checks every signature."
    )
    ledger_next_key_command: str = Field(
        "", description="In a roll-over: command of the key that is to follow, instead of `ledger.next.key`."
    )
    ledger_next_key_public: str = Field("", description="Public key of that command.")
    policy_key_command: str = Field(
        "",
        description="Command that signs bundles of policies (for a KMS), instead of `policy.key`; it is given"
        " what a bundle's signature is of, and answers as the one that signs checkpoints.",
    )
    policy_key_public: str = Field("", description="Public key of that command.")
    schema_registry_url: str = Field("", description="Schema Registry to register schemas with; empty: none.")
    schema_registry_username: str = Field("", description="Who logs in there (HTTP Basic); empty: nobody.")
    schema_registry_password: SecretStr = Field(EMPTY, description="Password of that user.")
    destinations: Path | None = Field(
        None,
        description="File or folder of destinations (`kind: Destination`), for `praetor forward`.",
        validate_default=False,
    )
    alerting: Path | None = Field(
        None,
        description="File or folder of routes and receivers (`kind: Alerting`, `kind: Receiver`), for "
        "`praetor alert`.",
        validate_default=False,
    )
    store_url: SecretStr = Field(
        EMPTY,
        description="Where silences, acknowledgements and notes stand: `sqlite:///PATH` or "
        "`postgresql://USER:PASSWORD@HOST/DATABASE`. Default: `store.db` in the data folder.",
    )
    responses: Path | None = Field(
        None,
        description="File of a response policy (`kind: Responses`), for `praetor correlate`. Without one, "
        "incidents open and nothing is done about them.",
        validate_default=False,
    )
    outbound_allow: str = Field(
        "",
        description="What destinations may be spoken to: networks, names, `.suffixes`, with commas between. "
        "Empty: all but link-local addresses and metadata services, which never are.",
    )
    outbound_ssl_cafile: Path | None = Field(
        None,
        description="PEM file of the certificates trusted for destinations. Default: those that this machine "
        "trusts.",
        validate_default=False,
    )
    log_level: LogLevel = Field("info", description="Least level that is logged.")
    metrics_port: Port = Field(0, description="Port of a worker's /livez, /readyz and /metrics; 0: none.")
    metrics_host: str = Field(
        "127.0.0.1",
        description="Address that port is opened on; in a container 0.0.0.0. Nothing secret is served, and no"
        " login is asked for.",
    )

    @property
    def store(self) -> str:
        """The store's address."""
        return self.store_url.get_secret_value() or f"sqlite:///{(self.data / 'store.db').resolve()}"

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
    values, _, wrong = _gather(data, overrides)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()] + wrong
    if wrong:
        raise PraetorError(f"settings (options or PRAETOR_… variables) are not valid: {'; '.join(wrong)}")
    return settings


def origins(data: Path | None = None) -> dict[str, str]:
    """Where the value of each setting comes from, as `load_settings` would choose; defaults are left out.

    An origin is the variable's name, `--data`, or the stack whose supervisor runs.
    """
    return _gather(data, {})[1]


def _gather(data: Path | None, overrides: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """The values by name, where each is from, and what is wrong with them."""
    environment, sources, wrong = _environment()
    folder = Path(data or environment.get("data") or Settings.model_fields["data"].default)
    stack = read_stack(folder)
    found = _addresses(stack) if stack is not None and stack.running() else {}
    known = {name: f"the stack in {folder}" for name in found}
    layers = [(found, known), (environment, sources)]
    if data is not None:
        layers = [*reversed(layers), ({"data": folder}, {"data": "--data"})]
    values: dict[str, Any] = {"data": folder}
    where: dict[str, str] = {}
    for layer, names in layers:
        values |= layer
        where |= names
    if stack is not None and found:
        values = _without_security(values, stack)
    given = {name: value for name, value in overrides.items() if value is not None}
    values |= given
    where = {name: origin for name, origin in where.items() if name in values and name not in given}
    return values, where, wrong + mistakes(values)


def secret_names() -> list[str]:
    """The settings that are secrets."""
    return [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]


def security_variables(service: Literal["kafka", "clickhouse"]) -> dict[str, str]:
    """Variables that undo all security settings of a service, for whoever starts an embedded one."""
    names = [name for name in Settings.model_fields if name.startswith(SECURITY[service])]
    secret = [f"{name}_file" for name in names if name in secret_names()]
    return {variable(name): "" for name in (*names, *secret)}


def _environment() -> tuple[dict[str, Any], dict[str, str], list[str]]:
    secrets, wrong = secrets_from_files(secret_names())
    values = EnvSettingsSource(Settings)()
    sources = {name: variable(name) for name in values} | {n: f"{variable(n)}_FILE" for n in secrets}
    return {**values, **secrets}, sources, wrong


def _without_security(values: dict[str, Any], stack: Stack) -> dict[str, Any]:
    """An embedded service speaks plainly on the loopback, whatever the environment says of others."""
    undone = tuple(
        prefix
        for service, address, own in (
            ("kafka", "bootstrap", stack.bootstrap),
            ("clickhouse", "clickhouse_url", stack.clickhouse_url),
        )
        for prefix in SECURITY[service]
        if stack.runs(service) and values.get(address) == own
    )
    return {name: value for name, value in values.items() if not (undone and name.startswith(undone))}


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
