"""On a broker with TLS, logins and grants: with what the server's own page of grants says, and without."""

import asyncio
import os
import re
from collections.abc import Iterator

import pytest
from praetor import Praetor

from schemas.access import grants
from streams.acls import Allowed, apply_grants
from tests.sdk.helpers import Actions, whole
from tests.security.secured import SecuredBroker

# aiokafka does not wait for the end of a connection that did not work
pytestmark = pytest.mark.filterwarnings("ignore:unclosed (transport|<s):ResourceWarning")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    broker = SecuredBroker(tmp_path_factory.mktemp("secured"))
    with broker.broker:
        yield broker


@pytest.fixture
def variables(secured: SecuredBroker, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a producer who logs in by SCRAM over TLS."""
    for name in [name for name in os.environ if name.startswith("PRAETOR_") and name != "PRAETOR_CACHE"]:
        monkeypatch.delenv(name)
    for name, value in secured.variables("producer").items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refused() -> str:
    """Why one event is not taken; it is never sent."""
    client = Praetor(tenant="acme", agent_id="a", request_timeout=5)
    client.action("read:file")
    for _ in range(100):
        if client.report.error is not None:
            break
        client.flush(0.2)
    report = client.close(0)
    assert (report.acknowledged, report.unsent) == (0, 2)
    return report.error or ""


def test_with_and_without_the_shipped_grant(secured: SecuredBroker, variables: pytest.MonkeyPatch) -> None:
    actions = Actions(secured.bootstrap)
    actions.name = "agent.actions"
    actions.create()
    assert "does not let this user write to agent.actions: grant Write on topic agent.actions" in refused()
    allowed = [Allowed("User:producer", grant) for grant in grants("producer")]
    asyncio.run(apply_grants(actions.options, allowed))
    with Praetor(tenant="acme", agent_id="a") as client:
        client.action("read:file")
    assert client.report.complete, client.report
    (events,) = actions.read().values()
    whole(events, 1)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SASL_PASSWORD", "hunter2", "refuses the login"),
        ("SSL_CAFILE", None, "TLS failed: .*certificate verify failed"),
        ("SECURITY_PROTOCOL", "PLAINTEXT", "is the security protocol right|does not answer"),
    ],
)
def test_what_is_wrong_is_said(
    variables: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, value: str | None, said: str
) -> None:
    caplog.set_level("DEBUG")
    full = f"PRAETOR_KAFKA_{name}"
    variables.delenv(full) if value is None else variables.setenv(full, value)
    error = refused()
    assert re.search(said, error), error
    assert "hunter2" not in caplog.text + error and "sesame" not in caplog.text + error
