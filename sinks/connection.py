"""A connection to ClickHouse's HTTP interface, and what its errors mean to us."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

from runtime.errors import PraetorError, Unavailable
from runtime.settings import Settings, need_clickhouse

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


def connect(settings: Settings, database: str | None = None) -> Client:
    """Open a client that several threads may share (no session).

    Args:
        settings: address, user and password.
        database: the database that names refer to; the setting's if None, the user's default if "".

    Raises:
        Unavailable: nothing answers at the address.
        PraetorError: no address is known, or ClickHouse refuses (password, unknown database).
    """
    url = urlsplit(need_clickhouse(settings))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise PraetorError(f"ClickHouse URL {url.geturl()!r} is not valid: http://host:8123 was expected")
    # it logs what it also raises
    logging.getLogger("clickhouse_connect").setLevel(logging.ERROR)
    with errors_of(settings):
        return clickhouse_connect.get_client(
            host=url.hostname,
            port=url.port or (8443 if url.scheme == "https" else 8123),
            secure=url.scheme == "https",
            username=settings.clickhouse_user,
            password=settings.clickhouse_password.get_secret_value(),
            database=settings.clickhouse_database if database is None else database or "default",
            autogenerate_session_id=False,
            connect_timeout=5,
            send_receive_timeout=120,
            query_retries=0,
            client_name="praetor",
        )


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
            reason = getattr(error.__cause__, "reason", None) or error.__cause__ or error
            what = str(reason).rsplit("): ", 1)[-1]
            raise Unavailable(f"ClickHouse at {settings.clickhouse_url} does not answer: {what}") from error
        raise translated(error, settings) from error
    except DatabaseError as error:
        raise translated(error, settings) from error
    except ClickHouseError as error:
        raise PraetorError(f"ClickHouse client: {one_line(error)}") from error


def translated(error: DatabaseError, settings: Settings) -> PraetorError | Unavailable:
    """What a refusal by ClickHouse is to us."""
    text = one_line(error)
    if error.code in HICCUPS and "Too many partitions" not in text:
        return Unavailable(f"ClickHouse: {text}")
    if error.code is None and GATEWAY_STATUS.search(text):
        return Unavailable(f"ClickHouse: {text}")
    hint = ""
    if error.code in NOT_MIGRATED:
        hint = f" (database {settings.clickhouse_database}; is it migrated? praetor db migrate)"
    return PraetorError(f"ClickHouse: {text}{hint}")


def one_line(error: Exception) -> str:
    """ClickHouse's words without version, URL and line breaks."""
    text = LEAD.sub("", str(error))
    return " ".join(VERSION.sub("", text.strip()).split())
