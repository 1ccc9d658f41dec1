"""docker-compose.yml: hardened, no secret in it, and its broker's settings start the real broker."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.embedded.kafka import java_command
from runtime.embedded.process import end, free_port, kafka_answers, spawn, wait_until
from runtime.settings import Settings
from tests.wheel.test_wheel import run

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r"\$\{(\w+):?-([^}]*)\}")
OURS = ("topics", "policies", "tables", "govern", "archive", "praetor")


def compose() -> dict[str, Any]:
    """The file with each variable at its default."""
    text = (ROOT / "docker-compose.yml").read_text()
    assert "${" not in VARIABLE.sub("", text), "a variable without a default"
    loaded: dict[str, Any] = yaml.safe_load(VARIABLE.sub(lambda found: found[2], text))
    return loaded


def test_every_container_is_hardened() -> None:
    for name, service in compose()["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        assert service["logging"]["options"]["max-size"], name
        image = service["image"].rpartition(":")[2]
        assert image[0].isdigit(), f"{name}: {image} is no version"
        if name in OURS:
            assert service["read_only"] is True, name


def test_ports_are_open_to_this_machine_only() -> None:
    for service in compose()["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_every_setting_exists_and_no_secret_stands_in_the_environment() -> None:
    known = {f"PRAETOR_{name.upper()}" for name in Settings.model_fields}
    for name, service in compose()["services"].items():
        for variable in service.get("environment", {}):
            if variable.startswith("PRAETOR_"):
                assert variable.removesuffix("_FILE") in known, f"{name}: {variable}"
            assert not re.search(r"PASSWORD$|SECRET$|TOKEN$", variable), f"{name}: {variable}"


def test_every_setting_of_the_image_exists() -> None:
    known = {f"PRAETOR_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"\bPRAETOR_\w+", (ROOT / "deploy/Dockerfile").read_text()))
    assert named and named <= known


def test_secrets_are_made_once_and_closed(tmp_path: Path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_bytes((ROOT / "deploy/secrets.sh").read_bytes())
    run("sh", script, cwd=tmp_path)
    folder = tmp_path / "secrets"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {"clickhouse_password", "clickhouse-users.xml"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert before["clickhouse_password"] not in before["clickhouse-users.xml"]
    run("sh", script, cwd=tmp_path)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


def broker_properties(data: Path, port: int, controller: int) -> str:
    """What the official image makes of KAFKA_A_B: a.b, here with a single machine's addresses."""
    environment = compose()["services"]["kafka"]["environment"]
    properties = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in environment.items()
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
    }
    properties["log.dirs"] = str(data)
    text = "\n".join(f"{name}={value}" for name, value in properties.items())
    outer = free_port()
    for old, new in (
        ("9093", str(controller)),
        ("INNER://kafka:9092", f"INNER://127.0.0.1:{port}"),
        ("INNER://:9092", f"INNER://127.0.0.1:{port}"),
        ("OUTER://:19092", f"OUTER://127.0.0.1:{outer}"),
        ("19092", str(outer)),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def bootstrap(tmp_path: Path):
    """The broker as the compose file sets it, on the real jars."""
    port, data, log = free_port(), tmp_path / "data", tmp_path / "kafka.log"
    properties = tmp_path / "server.properties"
    properties.write_text(broker_properties(data, port, free_port()))
    java = java_command(512)
    cluster = compose()["services"]["kafka"]["environment"]["CLUSTER_ID"]
    tool = [*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)]
    subprocess.run(tool, check=True, capture_output=True)
    process = spawn([*java, "kafka.Kafka", str(properties)], log)
    try:
        wait_until(lambda: kafka_answers(port), process, log, 60)
        yield f"127.0.0.1:{port}"
    finally:
        end(process, 20)


def test_the_brokers_settings_carry_the_log(bootstrap: str, tmp_path: Path) -> None:
    where = {"PRAETOR_BOOTSTRAP": bootstrap, "PRAETOR_KEYS_DIR": str(tmp_path / "keys")}
    command = [sys.executable, "-m", "cli.main"]
    run(*command, "topics", "create", "--partitions", "2", cwd=tmp_path, **where)
    run(*command, "policy", "publish", "--if-none", cwd=tmp_path, **where)
    shown = run(*command, "topics", "show", "--json", cwd=tmp_path, **where)
    assert '"agent.decisions", "partitions": 2' in shown
