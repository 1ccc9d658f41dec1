"""The broker's jars: which ones, where they are kept, and whether they are the pinned ones."""

import hashlib
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runtime.embedded.plan import python_module
from runtime.errors import PraetorError

JAR_LIST = Path(__file__).with_name("kafka-jars.txt")


@dataclass(frozen=True)
class Jar:
    """One pinned file; `coordinates` are Maven's group:artifact:version."""

    coordinates: str
    size: int
    sha256: str

    def path(self, repository: Path) -> Path:
        """Where Maven's layout puts it in a local repository."""
        group, artifact, version = self.coordinates.split(":")
        return repository.joinpath(*group.split("."), artifact, version, f"{artifact}-{version}.jar")

    def intact(self, repository: Path) -> bool:
        """True if the file is there and is byte for byte the pinned one."""
        try:
            return hashlib.sha256(self.path(repository).read_bytes()).hexdigest() == self.sha256
        except FileNotFoundError:
            return False


def pinned_jars() -> tuple[Jar, ...]:
    """Return the jars of kafka-jars.txt."""
    lines = (line.split() for line in JAR_LIST.read_text().splitlines() if not line.startswith("#"))
    return tuple(Jar(coordinates, int(size), digest) for coordinates, size, digest in lines)


def cache_folder() -> Path:
    """Where downloads are kept: PRAETOR_CACHE, else `praetor` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("PRAETOR_CACHE") or Path(base) / "praetor")


def repository_folder() -> Path:
    """The local Maven repository in the cache."""
    return cache_folder() / "maven"


def missing_jars(jars: Iterable[Jar], repository: Path) -> tuple[Jar, ...]:
    """Return those that are not there or not intact (about 50 ms for all of them)."""
    return tuple(jar for jar in jars if not jar.intact(repository))


def classpath(jars: Iterable[Jar], repository: Path) -> str:
    """Return Java's class path of these jars."""
    return os.pathsep.join(str(jar.path(repository)) for jar in jars)


def bring_jars() -> str:
    """Have every pinned jar in the cache and return Java's class path.

    A process of its own downloads, and shows its progress on this one's terminal: jgo takes half a second to
    import and is seldom needed.

    Raises:
        PraetorError: they cannot be brought; the download has said why.
    """
    jars, repository = pinned_jars(), repository_folder()
    if missing_jars(jars, repository):
        command = python_module("runtime.embedded.download")
        if subprocess.run(command, check=False).returncode:
            raise PraetorError("the broker's jars could not be brought; the reason is in the lines above")
    return classpath(jars, repository)
