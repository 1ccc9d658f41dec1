"""Destinations as settings name them: files in, destinations out; and what may be spoken to."""

import ssl
from pathlib import Path

from cli.policy_files import SUFFIXES
from documents.read import LARGEST_FILE
from runtime.errors import PraetorError
from runtime.settings import Settings
from runtime.tls import Files, client_context
from sinks.destination import Destination
from sinks.http import Outbound
from sinks.load import load_destinations
from sinks.outbound import Allowed


def read_destinations(settings: Settings) -> list[Destination]:
    """The destinations of the file or folder that PRAETOR_DESTINATIONS names.

    Raises:
        PraetorError: none is named, it cannot be read, or something in it is wrong: every mistake at once.
    """
    path = settings.destinations
    if path is None:
        raise PraetorError(
            "no destinations are named: set PRAETOR_DESTINATIONS to a file or folder of `kind: Destination`"
            " documents (docs/destinations/README.md)"
        )
    found = load_destinations(named_files(path, "PRAETOR_DESTINATIONS"))
    if not found:
        raise PraetorError(f"{path} holds no destination: write one (docs/destinations/README.md)")
    return found


def outbound_of(settings: Settings) -> Outbound:
    """What destinations may be spoken to, and whom TLS trusts.

    Raises:
        PraetorError: a setting is not what it should be.
    """
    allowed = Allowed([e for e in settings.outbound_allow.split(",") if e.strip()])
    return Outbound(allowed, _context(settings))


def _context(settings: Settings) -> ssl.SSLContext:
    return client_context(Files("PRAETOR_OUTBOUND_SSL_", settings.outbound_ssl_cafile))


def named_files(path: Path, variable: str) -> list[tuple[str, bytes]]:
    """Names and bytes of the YAML files that a setting names: one, or all of a folder.

    Raises:
        PraetorError: one of them cannot be read.
    """
    try:
        return [(str(file), _read(file)) for file in _files(path)]
    except OSError as error:
        raise PraetorError(f"{variable}: {error.filename}: {error.strerror}") from error


def _files(path: Path) -> list[Path]:
    return sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES) if path.is_dir() else [path]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)
