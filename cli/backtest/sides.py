"""What a person calls a set of rules: files, a bundle file, a digest on agent.control, `active`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli.backtest.control import ControlLog
from cli.policy.signing import read_bundle
from cli.policy_files import load_files
from policies.bundle import Bundle, unpack_bundle
from policies.load import Loaded
from runtime.errors import PraetorError
from schemas.topics import CONTROL

ACTIVE = "active"
DIGEST = re.compile(r"(sha256:[0-9a-f]{6,64}|[0-9a-f]{12,64})\Z")


@dataclass(frozen=True)
class Side:
    """A set of rules: how it was called, its bundle, and the files' policies where it is of files."""

    name: str
    bundle: Bundle
    loaded: Loaded | None = None


def find_side(name: str, control: Callable[[], ControlLog]) -> Side:
    """The rules that a person means; a path that is there goes before a digest.

    Raises:
        PraetorError: it is nothing of the kind, or has mistakes: all of them.
        Unavailable: it is on agent.control, and no broker answers.
    """
    path = Path(name)
    if name == ACTIVE:
        return _active(control())
    if not path.exists() and DIGEST.match(name):
        log = control()
        digest = log.named(name)
        return Side(digest, unpack_bundle(log.bundles[digest]))
    if not path.exists():
        raise PraetorError(
            f"{name}: no such file or directory, nor a digest (sha256:...), nor '{ACTIVE}' (what is in force)"
        )
    if path.is_file() and path.suffix == ".json":
        return Side(name, read_bundle(path))
    loaded = load_files([path])
    return Side(name, loaded.bundle(), loaded)


def _active(log: ControlLog) -> Side:
    if log.unread:
        raise PraetorError(log.unread)
    if not log.active:
        raise PraetorError(f"no bundle is in force on {CONTROL.name}: name one, or publish one first")
    return Side(ACTIVE, unpack_bundle(log.bundles[log.active]))
