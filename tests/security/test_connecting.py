"""Every way in that works, and what is said of each that does not."""

import asyncio
import re
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from runtime.errors import PraetorError, Unavailable
from runtime.kafka import common_options, start_consumer, started
from runtime.settings import load_settings
from tests.security.certificates import Authority
from tests.security.oauth import Endpoint, token, token_endpoint
from tests.security.secured import SecuredBroker

# aiokafka does not wait for the end of a connection that did not work, nor of its first one
pytestmark = pytest.mark.filterwarnings("ignore:unclosed (transport|<s):ResourceWarning")

HOUR = timedelta(hours=1)
Changes = dict[str, str | None]


@pytest.fixture(scope="module")
def stranger(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "another authority")


@pytest.fixture
def connect(secured: SecuredBroker, monkeypatch):
    """Start one client of each kind by the environment's settings."""

    def connect(listener: str, changes: Changes, user: str = "govern") -> None:
        login = secured.variables(user, listener if listener.startswith("SASL") else "SASL_SSL")
        variables: Changes = {**login, "PRAETOR_BOOTSTRAP": f"127.0.0.1:{secured.ports[listener]}", **changes}
        for name, value in variables.items():
            monkeypatch.setenv(name, value or "")
        asyncio.run(every_client())

    return connect


async def every_client() -> None:
    options = common_options(load_settings())
    await (await started(AIOKafkaAdminClient(**options), options)).close()
    await (await started(AIOKafkaProducer(**options), options)).stop()
    await (await start_consumer(options, "read_committed")).stop()


def kafka(**changes: object) -> Changes:
    return {f"PRAETOR_KAFKA_{name.upper()}": None if v is None else str(v) for name, v in changes.items()}


NO_LOGIN = kafka(sasl_mechanism=None, sasl_username=None, sasl_password=None)
TLS_ALONE = NO_LOGIN | kafka(security_protocol="SSL")
NOTHING = NO_LOGIN | kafka(security_protocol=None, ssl_cafile=None)
AS_PLAIN = kafka(sasl_mechanism="PLAIN", sasl_username="plain", sasl_password="plain-sesame")


@pytest.mark.parametrize("listener", ["SASL_SSL", "SASL_PLAINTEXT"])
@pytest.mark.parametrize("changes", [{}, kafka(sasl_mechanism="SCRAM-SHA-256"), AS_PLAIN])
def test_logins_with_and_without_tls(connect, listener: str, changes: Changes) -> None:
    connect(listener, changes)


@pytest.mark.parametrize("password", ["", "of the key"])
def test_a_client_certificate(connect, secured: SecuredBroker, password: str) -> None:
    certificate = secured.authority.issue("client", password=password)
    connect("SSL", TLS_ALONE | kafka(ssl_certfile=certificate, ssl_password=password))


TOLD = [
    ("SASL_SSL", kafka(sasl_password="no"), "SCRAM-SHA-512 login of user govern was refused: check PRAETOR"),
    ("SASL_SSL", kafka(sasl_username="nobody"), "login of user nobody was refused"),
    ("SASL_SSL", kafka(ssl_cafile=None), "not signed by anyone we trust .*: set PRAETOR_KAFKA_SSL_CAFILE"),
    ("STALE", TLS_ALONE, "its certificate has expired: renew it there. If .*clock is wrong"),
    ("EARLY", TLS_ALONE, "its certificate is not valid yet: this machine's clock is behind"),
    ("ELSEWHERE", TLS_ALONE, r"its certificate is not for 127\.0\.0\.1"),
    ("SASL_PLAINTEXT", kafka(security_protocol="SASL_SSL"), "speaks no TLS: .* to SASL_PLAINTEXT"),
    ("SASL_SSL", NOTHING, "speaks TLS: set PRAETOR_KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL"),
    ("SASL_PLAINTEXT", NOTHING, "wants a login: set PRAETOR_KAFKA_SECURITY_PROTOCOL to SASL_PLAINTEXT"),
    ("SASL_SSL", TLS_ALONE, "wants a login: set PRAETOR_KAFKA_SECURITY_PROTOCOL to SASL_SSL"),
    ("SSL", TLS_ALONE, "wants a client certificate that it trusts: set PRAETOR_KAFKA_SSL_CERTFILE"),
]


@pytest.mark.parametrize(("listener", "changes", "told"), TOLD, ids=[f"{t[0]}-{t[2][:40]}" for t in TOLD])
def test_what_does_not_fit_is_said(connect, secured, listener: str, changes: Changes, told: str) -> None:
    with pytest.raises(PraetorError, match=rf"Kafka at 127\.0\.0\.1:{secured.ports[listener]}.*{told}"):
        if listener == "SASL_PLAINTEXT" and changes.get("PRAETOR_KAFKA_SECURITY_PROTOCOL") == "SASL_SSL":
            changes = changes | kafka(ssl_cafile=secured.authority.cafile)
        connect(listener, changes)


def test_of_client_certificates_it_is_said_which_is_wrong(connect, secured, stranger, tmp_path) -> None:
    issue = secured.authority.issue
    mine, held = issue("client"), issue("held", password="of the key")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("garbage")
    trusting = TLS_ALONE | kafka(ssl_cafile=secured.authority.cafile)
    for changes, told in (
        (kafka(ssl_certfile=stranger.issue("x")), "does not trust our client certificate"),
        (
            kafka(ssl_certfile=issue("old", ends=-HOUR)),
            r"old\.pem .* expired at .*: renew it",
        ),
        (
            kafka(ssl_certfile=issue("new", begins=HOUR)),
            r"new\.pem .* is not valid before .*set the clock",
        ),
        (
            kafka(ssl_certfile=mine, ssl_keyfile=issue("other")),
            r"other\.pem .* is not that of the",
        ),
        (kafka(ssl_certfile=held), "is encrypted, and PRAETOR_KAFKA_SSL_PASSWORD is not its password"),
        (kafka(ssl_certfile=held, ssl_password="wrong"), "PRAETOR_KAFKA_SSL_PASSWORD is not its password"),
        (kafka(ssl_certfile=garbage), "not a PEM certificate"),
        (kafka(ssl_cafile=garbage), "holds no PEM certificates"),
    ):
        begin = kafka(ssl_certfile=None, ssl_keyfile=None, ssl_password=None)
        with pytest.raises(PraetorError, match=told):
            connect("SSL", begin | trusting | changes)


def test_nobody_there_may_pass(monkeypatch, unused_tcp_port: int) -> None:
    for servers, told in (
        (f"127.0.0.1:{unused_tcp_port}", "does not answer: is it running, and is the port right?"),
        ("nowhere.invalid:9092", "the name is not known"),
    ):
        monkeypatch.setenv("PRAETOR_BOOTSTRAP", servers)
        with pytest.raises(Unavailable, match=re.escape(told)):
            asyncio.run(every_client())


OAUTH = kafka(sasl_mechanism="OAUTHBEARER", sasl_username=None, sasl_password=None)


def test_a_token_from_a_file_that_is_renewed(connect, tmp_path) -> None:
    path = tmp_path / "token"
    by_file = OAUTH | kafka(oauth_token_file=path)
    path.write_text(token(-3600) + "\n")
    with pytest.raises(PraetorError, match="the OAuth token was refused: see that it is not expired"):
        connect("SASL_SSL", by_file)
    path.write_text(token(3600) + "\n")
    connect("SASL_SSL", by_file)
    path.write_text("")
    with pytest.raises(PraetorError, match=r"PRAETOR_KAFKA_OAUTH_TOKEN_FILE names .*token, which is empty"):
        connect("SASL_SSL", by_file)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with token_endpoint() as server:
        yield server


def test_a_token_from_an_endpoint_is_asked_for_once(connect, endpoint) -> None:
    url = f"http://127.0.0.1:{endpoint.server_port}/token"
    asking = OAUTH | kafka(oauth_token_url=url, oauth_client_id="me", oauth_scope="kafka")
    connect("SASL_SSL", asking | kafka(oauth_client_secret="hush"))
    assert endpoint.asked == 1
    with pytest.raises(PraetorError, match=rf"{url} refused with 401: check PRAETOR_KAFKA_OAUTH_CLIENT_ID"):
        connect("SASL_SSL", asking | kafka(oauth_client_secret="wrong"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{taken.getsockname()[1]}/token"
        with pytest.raises(PraetorError, match=f"{away} does not answer"):
            connect("SASL_SSL", asking | kafka(oauth_token_url=away, oauth_client_secret="hush"))
