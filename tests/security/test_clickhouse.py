"""ClickHouse by TLS and password, and what is said where that fails; the grants' file is ClickHouse's SQL."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from runtime.embedded.services import ClickHouse
from runtime.errors import PraetorError, Unavailable
from runtime.settings import Settings
from sinks.connection import connect, errors_of
from sinks.migrate import migrate
from sinks.restoring import MARKER
from sinks.statements import split_statements
from tests.security.certificates import Authority

GRANTS = Path(__file__).parents[2] / "deploy" / "clickhouse" / "grants.sql"
PASSWORD = "sesame-clickhouse"


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def served(tmp_path_factory, authority: Authority) -> Iterator[ClickHouse]:
    with ClickHouse(
        tmp_path_factory.mktemp("ch"), password=PASSWORD, certificate=authority.issue("clickhouse")
    ) as running:
        yield running


def settings(url: str, authority: Authority | None, password: str = PASSWORD) -> Settings:
    cafile = authority.cafile if authority else None
    return Settings(clickhouse_url=url, clickhouse_password=password, clickhouse_ssl_cafile=cafile)


def test_it_is_spoken_to_by_tls_with_a_password(served, authority, clickhouse) -> None:
    chosen = settings(served.url, authority)
    client = connect(chosen, "")
    with errors_of(chosen):
        assert client.command("SELECT 1 + 1") == 2
    client.close()


def test_what_does_not_fit_is_said(served, authority, clickhouse, tmp_path, unused_tcp_port) -> None:
    trusted = "signed by anyone we trust .* PRAETOR_CLICKHOUSE_SSL_CAFILE"
    elsewhere = served.url.replace("127.0.0.1", "localhost")
    plain, stranger = served.url.replace("https", "http"), Authority(tmp_path, "another")
    for chosen, told in (
        (
            settings(served.url, authority, "wrong"),
            r"password is incorrect.*\(check PRAETOR_CLICKHOUSE_USER and",
        ),
        (settings(served.url, stranger), trusted),
        (settings(served.url, None), trusted),
        (settings(elsewhere, authority), "its certificate is not for localhost"),
        (settings(plain, None), "speaks TLS: write https:// in PRAETOR_CLICKHOUSE_URL"),
        (settings(clickhouse.replace("http", "https"), authority), "speaks no TLS: write http://"),
    ):
        with pytest.raises(PraetorError, match=told):
            connect(chosen, "")
    with pytest.raises(Unavailable, match="does not answer"):
        connect(settings(f"https://127.0.0.1:{unused_tcp_port}", authority), "")


@pytest.mark.parametrize(
    ("hours", "told"),
    [((-24, -1), "has expired: renew it there. If"), ((1, 24), "is not valid yet: this machine's clock")],
)
def test_a_certificate_out_of_its_time(tmp_path, authority, hours, told) -> None:
    begins, ends = (timedelta(hours=h) for h in hours)
    held = authority.issue(f"of-{ends.days}", begins, ends)
    with ClickHouse(tmp_path / "data", certificate=held) as served, pytest.raises(PraetorError, match=told):
        connect(settings(served.url, authority), "")


def test_the_grants_are_clickhouse_s_own_sql(clickhouse: str) -> None:
    """They are parsed, not run: the embedded engine has no users."""
    statements = split_statements(GRANTS.read_text())
    assert len(statements) > 10
    client = connect(Settings(clickhouse_url=clickhouse), "")
    for statement in statements:
        assert client.command("SELECT formatQuery({q:String})", parameters={"q": statement})
    client.close()


def test_the_grants_are_on_tables_that_there_are(clickhouse: str) -> None:
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"grants_{uuid4().hex}")
    migrate(settings)
    client = connect(settings)
    there = {str(row[0]) for row in client.query("SHOW TABLES").result_rows}
    client.close()
    granted = set(re.findall(r"^[^-]* ON praetor\.(\w+) TO", GRANTS.read_text(), re.MULTILINE))
    assert granted - {MARKER} <= there
    assert f"GRANT SELECT ON praetor.{MARKER} TO praetor_archive;" in GRANTS.read_text()
