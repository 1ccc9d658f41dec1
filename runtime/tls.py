"""TLS as a client: whom we trust, and who we are. The server's name is always checked."""

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificate

from runtime.errors import PraetorError

PROBE_SECONDS = 5.0


@dataclass(frozen=True)
class Files:
    """PEM files of a client.

    Attributes:
        prefix: what the variables that name them begin with, for messages.
        cafile: certificates that are trusted; None: those that this machine trusts.
        certfile: the client's certificate, with its chain; the key may stand in it, too.
        keyfile: the client's key.
        password: of the key; "" where it is not encrypted.
    """

    prefix: str
    cafile: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    password: str = ""


def client_context(files: Files) -> ssl.SSLContext:
    """A context of TLS 1.2 or newer that checks the server's certificate and name.

    Raises:
        PraetorError: a file cannot be read or is not what it should be; the message names its variable.
    """
    try:
        context = ssl.create_default_context(cafile=files.cafile)
    except OSError as error:
        raise PraetorError(
            f"{files.prefix}CAFILE names {files.cafile}, which holds no PEM certificates: {_words(error)}"
        ) from error
    if files.certfile is not None:
        try:
            # a password that is None would be asked for on the terminal
            context.load_cert_chain(files.certfile, files.keyfile, files.password)
        except OSError as error:
            raise PraetorError(_explain(files, error)) from error
        _check_dates(files.certfile, files.prefix)
    return context


def speaks_tls(host: str, port: int) -> bool:
    """Whether a server answers TLS; nothing is sent, and nobody is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), PROBE_SECONDS) as raw, context.wrap_socket(raw):
            return True
    except ssl.SSLError as error:
        return "alert" in (error.reason or "").lower()
    except OSError:
        return False


def _check_dates(certfile: Path, prefix: str) -> None:
    """A server would only say that it does not know the certificate."""
    certificate, now = load_pem_x509_certificate(certfile.read_bytes()), datetime.now(UTC)
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if begins <= now <= ends:
        return
    wrong = (
        f"expired at {ends:%Y-%m-%d %H:%M} UTC"
        if now > ends
        else f"is not valid before {begins:%Y-%m-%d %H:%M} UTC"
    )
    raise PraetorError(
        f"the client certificate {certfile} ({prefix}CERTFILE) {wrong}, and it is {now:%Y-%m-%d %H:%M} by"
        " this machine's clock: renew it, or set the clock right"
    )


def _explain(files: Files, error: OSError) -> str:
    held = files.keyfile or files.certfile
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return f"the key in {held} ({files.prefix}KEYFILE) is not that of the certificate in {files.certfile}"
    if held is not None and b"ENCRYPTED" in held.read_bytes():
        return f"the key in {held} is encrypted, and {files.prefix}PASSWORD is not its password"
    return (
        f"{files.prefix}CERTFILE names {files.certfile}, with its key in {held}: not a PEM certificate and"
        f" key that can be read: {_words(error)}"
    )


def _words(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__
