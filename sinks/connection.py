"""A connection to ClickHouse's HTTP interface, and what its errors mean to us."""

import logging
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError
from urllib3.exceptions import ProtocolError, SSLError

from runtime.errors import PraetorError, Unavailable
from runtime.settings import Settings, need_clickhouse
from runtime.tls import Files, client_context, speaks_tls
from runtime.tls_errors import alert, distrust

# What OpenSSL calls an answer that is not TLS.
NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
LOGIN = " (check PRAETOR_CLICKHOUSE_USER and PRAETOR_CLICKHOUSE_PASSWORD, or its …_FILE)"
HINTS = {
    192: LOGIN,
    193: LOGIN,
    194: LOGIN,
    497: " (grants: deploy/clickhouse/grants.sql)",
    516: LOGIN,
}
NOT_MIGRATED = {16: "no such column", 60: "unknown table", 81: "unknown database"}

# Codes that pass by themselves. Source: ClickHouse, src/Common/ErrorCodes.cpp.
HICCUPS = {
    159: "timeout exceeded",
    202: "too many simultaneous queries",
    209: "socket timeout",
    210: "network error",
    216: "a query with this id is running",
    236: "aborted",
    241: "memory limit exceeded",
    242: "table is read only",
    243: "not enough space",
    252: "too many parts",
    285: "too few live replicas",
    319: "unknown status of insert",
    394: "query was cancelled",
    473: "deadlock avoided",
    733: "table is being restarted",
    745: "server overloaded",
    999: "keeper exception",
}
GATEWAY_STATUS = re.compile(r"HTTP status (429|502|503|504)\b")
VERSION = re.compile(r"\s*\(version [^()]*(?:\([^()]*\))?[^()]*\)|\s*\(for url [^()]*\)$")
LEAD = re.compile(r"^.*?server response: ", re.DOTALL)


def connect(settings: Settings, database: str | None = None, patience: int = 120) -> Client:
    """Open a client that several threads may share (no session).

    Args:
        settings: address, user and password.
        database: the database that names refer to; the setting's if None, the user's default if "".
        patience: seconds that an answer may take.

    Raises:
        Unavailable: nothing answers at the address.
        PraetorError: no address is known, TLS does not come about, or ClickHouse refuses (password, unknown
            database).
    """
    host, port, secure = address(settings)
    # they log what they also raise
    for name in ("clickhouse_connect", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with errors_of(settings):
        return clickhouse_connect.get_client(
            host=host,
            port=port,
            secure=secure,
            **(_tls(settings) if secure else {}),
            username=settings.clickhouse_user,
            password=settings.clickhouse_password.get_secret_value(),
            database=settings.clickhouse_database if database is None else database or "default",
            autogenerate_session_id=False,
            connect_timeout=5,
            send_receive_timeout=patience,
            query_retries=0,
            client_name="praetor",
        )


def address(settings: Settings) -> tuple[str, int, bool]:
    """ClickHouse's host and port, and whether TLS is spoken.

    Raises:
        PraetorError: no address is known, or it is not one.
    """
    url = urlsplit(need_clickhouse(settings))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise PraetorError(f"ClickHouse URL {url.geturl()!r} is not valid: http://host:8123 was expected")
    secure = url.scheme == "https"
    return url.hostname, url.port or (8443 if secure else 8123), secure


def _tls(settings: Settings) -> dict[str, Any]:
    files = Files(
        "PRAETOR_CLICKHOUSE_SSL_",
        settings.clickhouse_ssl_cafile,
        settings.clickhouse_ssl_certfile,
        settings.clickhouse_ssl_keyfile,
    )
    client_context(files)  # for its messages
    names = {"ca_cert": files.cafile, "client_cert": files.certfile, "client_cert_key": files.keyfile}
    # strict: a certificate beside the password, not instead of it
    return {name: str(path) for name, path in names.items() if path} | {"tls_mode": "strict"}


@contextmanager
def errors_of(settings: Settings) -> Iterator[None]:
    """Turn the client's exceptions into ours.

    Raises:
        Unavailable: no connection, a timeout, or a refusal that passes by itself.
        PraetorError: any other refusal, in ClickHouse's own words on one line.
    """
    try:
        yield
    except OperationalError as error:
        if error.code is None:
            raise _unconnected(error, settings) from error
        raise translated(error, settings) from error
    except DatabaseError as error:
        raise translated(error, settings) from error
    except ClickHouseError as error:
        raise PraetorError(f"ClickHouse client: {one_line(error)}") from error


def _unconnected(error: OperationalError, settings: Settings) -> PraetorError | Unavailable:
    """What a connection that failed is to us."""
    host, port, secure = address(settings)
    where = f"ClickHouse at {settings.clickhouse_url}"
    reason = getattr(error.__cause__, "reason", None) or error.__cause__ or error
    tls = reason.args[0] if isinstance(reason, SSLError) and reason.args else reason
    if isinstance(tls, ssl.SSLCertVerificationError):
        return PraetorError(f"{where}: {distrust(tls, host, 'PRAETOR_CLICKHOUSE_SSL_CAFILE')}")
    if isinstance(tls, ssl.SSLError):
        if told := alert(tls, "PRAETOR_CLICKHOUSE_SSL_"):
            return PraetorError(f"{where}: {told}")
        if tls.reason in NO_TLS:
            return PraetorError(f"{where} speaks no TLS: write http://, or take ClickHouse's https_port")
    if not secure and isinstance(reason, ProtocolError) and speaks_tls(host, port):
        return PraetorError(f"{where} speaks TLS: write https:// in PRAETOR_CLICKHOUSE_URL")
    told = str(reason).rsplit("): ", 1)[-1]
    return Unavailable(
        f"{where} does not answer ({told}): is it running, and is PRAETOR_CLICKHOUSE_URL right?"
    )


def translated(error: DatabaseError, settings: Settings) -> PraetorError | Unavailable:
    """What a refusal by ClickHouse is to us."""
    text = one_line(error)
    if error.code in HICCUPS and "Too many partitions" not in text:
        return Unavailable(f"ClickHouse: {text}")
    if error.code is None and GATEWAY_STATUS.search(text):
        return Unavailable(f"ClickHouse: {text}")
    hint = HINTS.get(error.code or 0, "")
    if error.code in NOT_MIGRATED:
        hint = f" (database {settings.clickhouse_database}; is it migrated? praetor db migrate)"
    return PraetorError(f"ClickHouse: {text}{hint}")


def one_line(error: Exception) -> str:
    """ClickHouse's words without version, URL and line breaks."""
    text = LEAD.sub("", str(error))
    return " ".join(VERSION.sub("", text.strip()).split())
