"""What the supervisor is to run: DIR/plan.json, where ports and password are remembered."""

import secrets
import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from runtime.embedded.process import free_port
from runtime.errors import PraetorError
from runtime.settings import security_variables
from runtime.stack import write_private

PLAN_FILE = "plan.json"


class Command(BaseModel):
    """A child process of the supervisor.

    `argv` is a whole command line. A one-time command runs at each start, once the services and one-time
    commands named by `after` are up and done (None: all services, and all that stand before it), and must
    exit with 0. The others start when all of that is done. One with a `health_port` is ready when its /readyz
    there says so, and is killed and started again when its /livez fails for `liveness_seconds`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    argv: tuple[str, ...]
    once: bool = False
    after: tuple[str, ...] | None = None
    health_port: int = 0


class Plan(BaseModel):
    """Addresses, ports and commands of one stack.

    A port of 0 means that the service is not started: its address is then somebody else's.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    bootstrap: str = ""
    kafka_port: int = 0
    controller_port: int = 0
    heap_mb: int = 512
    clickhouse_url: str = ""
    clickhouse_port: int = 0
    clickhouse_user: str = "default"
    clickhouse_password: str = ""
    keys_dir: Path
    destinations: Path | None = None  # for `praetor forward`; None: it is not started
    alerting: Path | None = None  # for `praetor alert`; None: it is not started
    store_url: str = ""
    responses: Path | None = None  # for `praetor correlate`; None: incidents only open
    stop_seconds: float = 20.0  # how long a process may take to stop before it is killed
    liveness_seconds: float = 20.0
    commands: tuple[Command, ...] = ()

    def environment(self, data: Path) -> dict[str, str]:
        """Return the settings of every command, as environment variables.

        An embedded service speaks plainly: what the environment says of an external one's security is undone.
        Of an external Kafka the commands inherit it.
        """
        undone = security_variables("kafka") if self.kafka_port else {}
        undone |= security_variables("clickhouse") if self.clickhouse_port else {}
        return {
            **undone,
            "PRAETOR_DATA": str(data),
            "PRAETOR_BOOTSTRAP": self.bootstrap,
            "PRAETOR_CLICKHOUSE_URL": self.clickhouse_url,
            "PRAETOR_CLICKHOUSE_USER": self.clickhouse_user,
            "PRAETOR_CLICKHOUSE_PASSWORD": self.clickhouse_password,
            "PRAETOR_CLICKHOUSE_PASSWORD_FILE": "",
            "PRAETOR_KEYS_DIR": str(self.keys_dir),
            "PRAETOR_DESTINATIONS": str(self.destinations or ""),
            "PRAETOR_ALERTING": str(self.alerting or ""),
            "PRAETOR_STORE_URL": self.store_url,
            "PRAETOR_STORE_URL_FILE": "",
            "PRAETOR_RESPONSES": str(self.responses or ""),
        }


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line of a module of this installation; -P keeps the current folder out of it."""
    return (sys.executable, "-P", "-m", module, *arguments)


def clickhouse_environment(password: str) -> dict[str, str]:
    """Return what the ClickHouse process needs in its environment.

    The engine reads TZ when it is loaded; without UTC, times that have no zone would differ between hosts.
    """
    return {"PRAETOR_CLICKHOUSE_PASSWORD": password, "TZ": "UTC"}


def embedded_kafka(remembered: Plan | None, port: int | None) -> dict[str, object]:
    """Return the plan's fields for a broker of our own, on `port` or the remembered one or a free one."""
    known = remembered.kafka_port if remembered else 0
    chosen = port or known or free_port()
    controller = (remembered.controller_port if remembered else 0) or free_port(but=chosen)
    return {"bootstrap": f"127.0.0.1:{chosen}", "kafka_port": chosen, "controller_port": controller}


def embedded_clickhouse(remembered: Plan | None, port: int | None) -> dict[str, object]:
    """Return the plan's fields for a ClickHouse of our own; its password is made once for a data folder."""
    ours = remembered if remembered and remembered.clickhouse_port else None
    chosen = port or (ours.clickhouse_port if ours else 0) or free_port()
    return {
        "clickhouse_url": f"http://127.0.0.1:{chosen}",
        "clickhouse_port": chosen,
        "clickhouse_user": "default",
        "clickhouse_password": ours.clickhouse_password if ours else secrets.token_urlsafe(24),
    }


def read_plan(data: Path) -> Plan | None:
    """Return DIR/plan.json, None if there is none.

    Raises:
        PraetorError: the file is not a plan.
    """
    path = data / PLAN_FILE
    try:
        return Plan.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise PraetorError(f"{path} is not a plan: delete it, then run `praetor up`. {error}") from error


def write_plan(data: Path, plan: Plan) -> None:
    """Replace DIR/plan.json atomically, with mode 0600: it carries the password."""
    write_private(data / PLAN_FILE, plan.model_dump_json(indent=2) + "\n")
