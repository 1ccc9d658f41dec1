"""Why no broker could be reached: asked again, one connection a host, for the reason that aiokafka only logs.

Source of what is stated about aiokafka: its 0.14.0 code.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest

from runtime.errors import PraetorError, Unavailable
from runtime.kafka_errors import refusal
from runtime.tls import PROBE_SECONDS, speaks_tls
from runtime.tls_errors import alert, distrust

PROTOCOL = "PRAETOR_KAFKA_SECURITY_PROTOCOL"


async def why_not(options: Mapping[str, Any]) -> PraetorError | Unavailable:
    """Say why these options lead to no broker: the reason of the first host that has a certain one.

    Unavailable: nobody answers, which may pass. PraetorError: a person must mend something.
    """
    reasons = [
        await _why_not(host, port, options) for host, port, _ in collect_hosts(options["bootstrap_servers"])
    ]
    certain = [reason for reason in reasons if isinstance(reason, PraetorError)]
    return (certain or reasons)[0]


async def _why_not(host: str, port: int, options: Mapping[str, Any]) -> PraetorError | Unavailable:
    chosen = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    where = f"Kafka at {host}:{port}"
    try:
        connection = await create_conn(host, port, request_timeout_ms=int(PROBE_SECONDS * 1000), **chosen)
    except (OSError, KafkaError, TimeoutError) as error:
        return refusal(error, options) or await _of_connecting(error, host, port, options)
    try:
        await connection.send(MetadataRequest([]))
    except (KafkaError, TimeoutError) as error:
        if await _asks_login(host, port, chosen):
            return PraetorError(f"{where} wants a login: set {PROTOCOL} to {_with_sasl(options)}")
        return await _of_connecting(error, host, port, options)
    finally:
        await _closed(connection)
    return Unavailable(f"{where} answers again; try once more")


async def _of_connecting(
    error: BaseException, host: str, port: int, options: Mapping[str, Any]
) -> PraetorError | Unavailable:
    where, encrypted = f"Kafka at {host}:{port}", "ssl_context" in options
    cause = error if isinstance(error, ssl.SSLError) else error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return PraetorError(f"{where}: {distrust(cause, host, 'PRAETOR_KAFKA_SSL_CAFILE')}")
    if isinstance(cause, ssl.SSLError) and (told := alert(cause, "PRAETOR_KAFKA_SSL_")):
        return PraetorError(f"{where}: {told}")
    if isinstance(error, ConnectionRefusedError):
        return Unavailable(f"{where} does not answer: is it running, and is the port right?")
    if isinstance(error, socket.gaierror):
        return Unavailable(f"{where}: the name is not known: {error.strerror}")
    if encrypted and await _speaks_plainly(host, port):
        plain = "SASL_PLAINTEXT" if "sasl_mechanism" in options else "PLAINTEXT"
        return PraetorError(
            f"{where} speaks no TLS: take the broker's TLS port, or set {PROTOCOL} to {plain}"
            " (nothing is encrypted then)"
        )
    if not encrypted and await asyncio.to_thread(speaks_tls, host, port):
        return PraetorError(f"{where} speaks TLS: set {PROTOCOL} to SSL or SASL_SSL, or take its plain port")
    if isinstance(error, TimeoutError) and not str(error):
        return Unavailable(f"{where} does not answer: it stands still, or a firewall drops what is sent")
    return Unavailable(f"{where} does not answer: {str(error) or type(error).__name__}")


async def _speaks_plainly(host: str, port: int) -> bool:
    try:
        connection = await create_conn(host, port, request_timeout_ms=int(PROBE_SECONDS * 1000))
    except (OSError, KafkaError, TimeoutError):
        return False
    await _closed(connection)
    return True


async def _closed(connection: AIOKafkaConnection) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(connection.close(), PROBE_SECONDS)


async def _asks_login(host: str, port: int, chosen: Mapping[str, Any]) -> bool:
    """Whether the listener takes logins, where we did not log in."""
    if "sasl_mechanism" in chosen:
        return False
    try:
        connection = await create_conn(host, port, request_timeout_ms=int(PROBE_SECONDS * 1000), **chosen)
        try:
            answer = await connection.send(SaslHandShakeRequest("-"))
        finally:
            await _closed(connection)
    except (OSError, KafkaError, TimeoutError):
        return False
    return bool(answer.enabled_mechanisms)


def _with_sasl(options: Mapping[str, Any]) -> str:
    return "SASL_SSL" if "ssl_context" in options else "SASL_PLAINTEXT"
