"""Alerts in a real Alertmanager, built by Go: open, changed, resolved."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.embedded.process import free_port
from tests.delivery.notifying import notification, sink

pytestmark = [pytest.mark.interop, pytest.mark.timeout(900)]

# the last version whose sources hold the pages that it serves: it builds by Go alone
VERSION = "v0.28.1"
CONFIG = "route: {receiver: none}\nreceivers: [{name: none}]\n"
SECONDS = 20.0


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one that runs."""
    go = shutil.which("go")
    assert go is not None, "make interop needs Go"
    folder = tmp_path_factory.mktemp("alertmanager")
    module = f"github.com/prometheus/alertmanager/cmd/alertmanager@{VERSION}"
    env = {"GOBIN": str(folder), "PATH": f"{Path(go).parent}:/usr/bin:/bin", "HOME": str(Path.home())}
    subprocess.run([go, "install", module], check=True, env=env)
    (folder / "config.yml").write_text(CONFIG)
    port = free_port()
    options = (
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        f"--storage.path={folder / 'data'}",
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(folder / "alertmanager"), f"--config.file={folder / 'config.yml'}", *options],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str) -> None:
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        try:
            with urllib.request.urlopen(f"{url}/-/ready"):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("Alertmanager did not start")


def alerts(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/api/v2/alerts") as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())
    return found


async def test_an_alert_opens_changes_and_ends(alertmanager: str) -> None:
    made = sink({"type": "alertmanager", "url": alertmanager, "labels": {"team": "security"}})
    now = round(time.time() * 1000)
    times = {"at": now, "first_at": now - 5000, "last_at": now}
    await made.write([notification(1, **times)])
    await made.write([notification(1, **times)])  # a repetition
    await made.write([notification(1, **times, action="update", severity="high", text="Worse.")])
    (found,) = alerts(alertmanager)
    assert found["labels"] == {
        "alertname": "praetor-incident",
        "group": "inc-1",
        "route": "trial",
        "team": "security",
    }
    assert found["annotations"]["description"] == "Worse."
    await made.write([notification(1, **times, action="resolve")])
    assert alerts(alertmanager) == []
    await made.close()
