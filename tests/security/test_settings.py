"""What fits together, where secrets come from, and what an embedded stack makes of it."""

import stat
from pathlib import Path

import pytest

from runtime.embedded.plan import Plan
from runtime.errors import PraetorError
from runtime.settings import load_settings
from runtime.stack import Service, Stack, this_process, write_stack
from tests.security.certificates import Authority


def kafka(**values: str) -> dict[str, str]:
    return {f"PRAETOR_KAFKA_{name.upper()}": value for name, value in values.items()}


def registry(**values: str) -> dict[str, str]:
    return {f"PRAETOR_SCHEMA_REGISTRY_{name.upper()}": value for name, value in values.items()}


LOGIN = kafka(security_protocol="SASL_SSL")
SCRAM = LOGIN | kafka(sasl_mechanism="SCRAM-SHA-512", sasl_username="u", sasl_password="p")
OAUTH = kafka(security_protocol="SASL_SSL", sasl_mechanism="OAUTHBEARER")
ENDPOINT = OAUTH | kafka(oauth_token_url="https://t", oauth_client_id="i", oauth_client_secret="s")
TOLD = [
    (LOGIN, "needs PRAETOR_KAFKA_SASL_MECHANISM"),
    (kafka(security_protocol="TLS"), "kafka_security_protocol: Input should be 'PLAINTEXT', 'SSL'"),
    (LOGIN | kafka(sasl_mechanism="PLAIN"), "PLAIN needs PRAETOR_KAFKA_SASL_USERNAME and"),
    (kafka(sasl_username="u"), "SASL_USERNAME would have no effect: with .*PLAINTEXT nobody logs in"),
    (kafka(ssl_certfile="/x"), "SSL_CERTFILE would have no effect: .* nothing is encrypted"),
    (SCRAM | kafka(ssl_keyfile="/x"), "KEYFILE is that of a client certificate: set PRAETOR_KAFKA_SSL_CERT"),
    (SCRAM | kafka(ssl_cafile="/no/ca"), "SSL_CAFILE names /no/ca, which cannot be read: No such file"),
    (SCRAM | kafka(oauth_client_id="i"), "OAUTH_CLIENT_ID would have no effect: SCRAM-SHA-512 uses no token"),
    (OAUTH, "OAUTHBEARER needs PRAETOR_KAFKA_OAUTH_TOKEN_FILE, or a token endpoint"),
    (OAUTH | kafka(oauth_client_id="i"), "needs PRAETOR_KAFKA_OAUTH_TOKEN_URL and PRAETOR_KAFKA_OAUTH_CLI"),
    (ENDPOINT | kafka(oauth_token_url="http://idp"), "must be https"),
    (ENDPOINT | kafka(oauth_token_file="/x"), "are both set: keep one way to a token"),
    (ENDPOINT | kafka(sasl_password="p"), "PASSWORD would have no effect: OAUTHBEARER logs in by a token"),
    ({"PRAETOR_CLICKHOUSE_URL": "https://u:p@ch"}, "carries a user or password, which would be shown"),
    (registry(url="https://u:p@r"), "REGISTRY_URL carries a user or password, which would be shown"),
    (registry(url="https://r", username="u"), "REGISTRY_USERNAME needs PRAETOR_SCHEMA_REGISTRY_PASSWORD"),
    (registry(username="u", password="p"), "PASSWORD would have no effect: PRAETOR_SCHEMA_REGISTRY_URL is"),
    (registry(url="http://r", username="u", password="p"), "REGISTRY_URL must be https"),
    (kafka(ssl_cafile="/x") | registry(url="http://r"), "SSL_CAFILE would have no effect"),
    ({"PRAETOR_CLICKHOUSE_URL": "http://ch", "PRAETOR_CLICKHOUSE_SSL_CAFILE": "/x"}, "set it to https://"),
]


@pytest.mark.parametrize(("variables", "told"), TOLD, ids=[told[:50] for _, told in TOLD])
def test_what_does_not_fit_together_is_said(monkeypatch, variables: dict[str, str], told: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(PraetorError, match=told):
        load_settings()


def test_what_fits_is_taken_and_all_mistakes_are_told_at_once(monkeypatch) -> None:
    for name, value in (SCRAM | {"PRAETOR_CLICKHOUSE_URL": "https://ch"}).items():
        monkeypatch.setenv(name, value)
    assert load_settings().kafka_sasl_password.get_secret_value() == "p"
    for name, value in {"PRAETOR_KAFKA_SSL_CAFILE": "/a", "PRAETOR_CLICKHOUSE_SSL_CAFILE": "/b"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PRAETOR_LOG_LEVEL", "loud")
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_PASSWORD_FILE", "/c")
    with pytest.raises(PraetorError, match=r"(?s)log_level.*names /c.*names /a.*names /b"):
        load_settings()


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_may_stand_in_a_file(monkeypatch, tmp_path: Path, ending: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(b" two words " + ending.encode())
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_PASSWORD_FILE", str(file))
    assert load_settings().clickhouse_password.get_secret_value() == " two words "


def test_a_secret_that_cannot_be_had_is_named_and_never_shown(monkeypatch, tmp_path: Path) -> None:
    file = tmp_path / "password"
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_PASSWORD_FILE", str(file))
    file.write_bytes(b"")
    with pytest.raises(PraetorError, match=r"PASSWORD_FILE names .*password, which is empty"):
        load_settings()
    file.write_bytes(b"hush\xff")
    with pytest.raises(PraetorError, match="which is not UTF-8 text") as caught:
        load_settings()
    assert "hush" not in repr(caught.value.__cause__) + repr(caught.value.__context__)
    file.write_bytes(b"hush")
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_PASSWORD", "other")
    with pytest.raises(PraetorError, match="PASSWORD_FILE are both set: keep one") as caught:
        load_settings()
    assert "hush" not in str(caught.value)
    assert "other" not in str(caught.value)


def stack(folder: Path, *services: str) -> Path:
    folder.mkdir()
    running = tuple(Service(name=name, state="running") for name in services)
    write_stack(
        folder,
        Stack(
            supervisor=this_process(),
            ready=True,
            bootstrap="own:1",
            clickhouse_url="http://own",
            clickhouse_password="own",
            keys_dir=folder / "keys",
            services=running,
        ),
    )
    assert stat.S_IMODE((folder / "stack.json").stat().st_mode) == 0o600
    return folder


def test_an_embedded_service_undoes_what_is_set_for_an_external_one(monkeypatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "certificates")
    for name, value in SCRAM.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_SSL_CAFILE", str(authority.cafile))
    own = load_settings(stack(tmp_path / "own", "kafka", "clickhouse", "govern-1"))
    assert (own.kafka_security_protocol, own.kafka_sasl_username) == ("PLAINTEXT", "")
    assert own.clickhouse_ssl_cafile is None
    with pytest.raises(PraetorError, match="PRAETOR_CLICKHOUSE_SSL_CAFILE would have no effect"):
        load_settings(stack(tmp_path / "external", "govern-1"))
    monkeypatch.setenv("PRAETOR_BOOTSTRAP", "elsewhere:1")
    monkeypatch.setenv("PRAETOR_DATA", str(tmp_path / "own"))
    assert load_settings().kafka_security_protocol == "SASL_SSL"


def test_children_of_a_supervisor_get_secrets_by_environment_alone(monkeypatch, tmp_path: Path) -> None:
    plan = Plan(
        bootstrap="own:1",
        kafka_port=1,
        clickhouse_url="http://own",
        clickhouse_port=2,
        clickhouse_password="made",
        keys_dir=tmp_path,
    )
    set_before = {**SCRAM, "PRAETOR_CLICKHOUSE_PASSWORD_FILE": "/no"}
    for name, value in {**set_before, **plan.environment(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    child = load_settings()
    assert child.clickhouse_password.get_secret_value() == "made"
    assert child.kafka_security_protocol == "PLAINTEXT"
    external = Plan(bootstrap="elsewhere:1", clickhouse_url="http://x", keys_dir=tmp_path)
    variables = external.environment(tmp_path)
    assert not any(name.startswith("PRAETOR_KAFKA_") for name in variables)
