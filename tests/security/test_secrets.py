"""Secrets are planted, everything is made to fail, and all that comes out is searched for them."""

import asyncio
import io
import logging
import os
import stat
import subprocess
import traceback
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from cli.stack import default_commands
from runtime.embedded.plan import Plan, python_module, read_plan, write_plan
from runtime.embedded.supervisor import commands, services
from runtime.errors import PraetorError, Unavailable
from runtime.kafka import check_access, common_options
from runtime.settings import load_settings
from runtime.tokens import Client
from sinks.connection import connect
from streams.keyring import CONTROL, LEDGER, create_key
from tests.security.secured import SecuredBroker

# aiokafka does not wait for the end of a connection that did not work
pytestmark = pytest.mark.filterwarnings("ignore:unclosed (transport|<s):ResourceWarning")

PLANTED = "planted-secret"


def planted(text: str) -> bool:
    """Whether a secret is in there, as it is or as aiokafka and HTTP would write it."""
    return PLANTED in text or "cGxhbnRlZC1zZWNyZXQ" in text


@pytest.fixture
def variables(secured: SecuredBroker, tmp_path: Path) -> dict[str, str]:
    """A user whose every secret is planted, and wrong."""
    create_key(tmp_path / "keys", CONTROL, "log")
    create_key(tmp_path / "keys", LEDGER, "log")
    file = tmp_path / "password"
    file.write_text(PLANTED + "\n")
    return {
        **secured.variables("govern", "SASL_PLAINTEXT"),
        "PRAETOR_KAFKA_SASL_MECHANISM": "PLAIN",
        "PRAETOR_KAFKA_SASL_PASSWORD": PLANTED,
        "PRAETOR_CLICKHOUSE_URL": f"http://127.0.0.1:{secured.ports['SASL_SSL']}",
        "PRAETOR_CLICKHOUSE_PASSWORD_FILE": str(file),
        "PRAETOR_SCHEMA_REGISTRY_URL": f"http://127.0.0.1:{secured.ports['SASL_SSL']}",
        "PRAETOR_SCHEMA_REGISTRY_USERNAME": "govern",
        "PRAETOR_SCHEMA_REGISTRY_PASSWORD": PLANTED,
        "PRAETOR_KEYS_DIR": str(tmp_path / "keys"),
        "PRAETOR_LOG_LEVEL": "debug",
    }


@pytest.mark.parametrize(
    "words",
    [
        ("govern",),
        ("archive",),
        ("config", "show"),
        ("config", "show", "--json"),
        ("config", "check"),
        ("doctor",),
        ("policy", "active"),
        ("ledger", "verify", "--from", "clickhouse"),
        ("topics", "create"),
        ("backup", "folder", "--without-keys"),
    ],
    ids=" ".join,
)
def test_no_command_tells_one(variables: dict[str, str], words: tuple[str, ...]) -> None:
    done = subprocess.run(
        python_module("cli.main", *words),
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert said
    assert not planted(said)
    assert "Traceback" not in said


def test_no_library_tells_one_at_debug_nor_a_traceback(variables, monkeypatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        settings = load_settings()
        options = common_options(settings)
        for failing in (lambda: asyncio.run(check_access(options, {})), lambda: connect(settings)):
            try:
                failing()
            except (PraetorError, Unavailable) as error:
                seen = traceback.TracebackException.from_exception(error)
                told.write("".join(seen.format()))
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert "login of user govern was refused" in told.getvalue()
    assert "speaks TLS" in told.getvalue()
    assert not planted(told.getvalue())
    assert not planted(f"{settings!r} {settings.model_dump()} {settings.model_dump_json()} {options}")
    assert not planted(repr(Client("https://idp", "me", PLANTED)))
    assert not planted(generate_latest().decode())


def test_children_of_a_supervisor_show_none_in_the_process_list(tmp_path: Path) -> None:
    plan = Plan(
        kafka_port=1,
        clickhouse_port=2,
        clickhouse_password=PLANTED,
        keys_dir=tmp_path,
        commands=default_commands(1),
    )
    children = [*services(tmp_path, plan), *commands(tmp_path, plan)]
    assert {"kafka", "clickhouse", "govern-1", "archive"} <= {child.name for child in children}
    assert not planted(" ".join(word for child in children for word in child._argv))
    write_plan(tmp_path, plan)
    (written,) = (path for path in tmp_path.iterdir() if planted(path.read_text()))
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    written.write_text(written.read_text().removesuffix("}\n"))
    with pytest.raises(PraetorError) as caught:
        read_plan(tmp_path)
    assert not planted("".join(traceback.format_exception(caught.value)))
