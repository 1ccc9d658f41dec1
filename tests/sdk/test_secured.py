"""On a broker with TLS, logins and grants: with what the server's own page of grants says, and without."""

import asyncio
import gc
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from praetor import Praetor, PraetorError, Security

from schemas.access import grants
from streams.acls import Allowed, apply_grants
from streams.topics import existing_topics
from tests.sdk.helpers import Actions, whole
from tests.security.oauth import token, token_endpoint
from tests.security.secured import SecuredBroker

# aiokafka does not wait for the end of a connection that did not work
pytestmark = pytest.mark.filterwarnings("ignore:unclosed (transport|<s):ResourceWarning")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    broker = SecuredBroker(tmp_path_factory.mktemp("secured"))
    with broker.broker:
        yield broker


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What a connection that did not work leaves is found under the filter above, not at the end."""
    yield
    gc.collect()


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


@pytest.fixture
def oauth(variables: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of one who logs in by a token."""
    for name in ("USERNAME", "PASSWORD"):
        variables.delenv(f"PRAETOR_KAFKA_SASL_{name}")
    variables.setenv("PRAETOR_KAFKA_SASL_MECHANISM", "OAUTHBEARER")
    return variables


def sends() -> None:
    with Praetor(tenant="acme", agent_id="a", request_timeout=5) as client:
        client.action("read:file")
    assert client.report.complete, client.report


@pytest.fixture
def topic(secured: SecuredBroker) -> None:
    actions = Actions(secured.bootstrap)
    actions.name = "agent.actions"
    if actions.name not in asyncio.run(existing_topics(actions.options)):
        actions.create()
    allowed = [Allowed("User:producer", grant) for grant in grants("producer")]
    asyncio.run(apply_grants(actions.options, allowed))


def test_a_token_from_a_file_that_is_renewed(topic: None, oauth: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(PraetorError, match="OAUTHBEARER needs PRAETOR_KAFKA_OAUTH_TOKEN_FILE"):
        Praetor(tenant="acme", agent_id="a")
    path = tmp_path / "token"
    oauth.setenv("PRAETOR_KAFKA_OAUTH_TOKEN_FILE", str(path))
    assert f"token file {path} cannot be read: No such file" in refused()
    path.write_text(token(-3600, "producer"))
    error = refused()
    assert "refuses the login" in error
    assert path.read_text() not in error
    path.write_text(token(3600, "producer") + "\n")
    sends()


def test_a_token_from_an_endpoint(topic: None, oauth: pytest.MonkeyPatch) -> None:
    with token_endpoint("producer") as endpoint:
        url = f"http://127.0.0.1:{endpoint.server_port}/token"
        for name, value in (("TOKEN_URL", url), ("CLIENT_ID", "me"), ("SCOPE", "kafka")):
            oauth.setenv(f"PRAETOR_KAFKA_OAUTH_{name}", value)
        with pytest.raises(PraetorError, match="_OAUTH_CLIENT_SECRET, all three"):
            Praetor(tenant="acme", agent_id="a")
        oauth.setenv("PRAETOR_KAFKA_OAUTH_CLIENT_SECRET", "planted")
        error = refused()
        assert f"{url} refused with 401: check PRAETOR_KAFKA_OAUTH_CLIENT_ID" in error
        assert "planted" not in error + repr(Security.from_environment())
        oauth.setenv("PRAETOR_KAFKA_OAUTH_CLIENT_SECRET", "hush")
        endpoint.asked = 0
        sends()
        assert endpoint.asked == 1
    oauth.setenv("PRAETOR_KAFKA_OAUTH_TOKEN_URL", "http://idp/token")
    with pytest.raises(PraetorError, match="must be https"):
        Praetor(tenant="acme", agent_id="a")
