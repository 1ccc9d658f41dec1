"""Whom the tests' destinations trust, and receivers' certificates."""

import ssl
import tempfile
from functools import cache
from pathlib import Path

from tests.security.certificates import Authority


@cache
def _authority(name: str) -> Authority:
    return Authority(Path(tempfile.mkdtemp(prefix="praetor-tls-")), name)


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(_authority("trusted").cafile))


def serving(own: bool = False) -> ssl.SSLContext:
    """A server's context; with `own` its certificate is signed by nobody who is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_authority("stranger" if own else "trusted").issue("receiver"))
    return context
