"""Brings the broker's jars from Maven Central, through jgo; `python -m runtime.embedded.download`."""

import fcntl
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import requests
from jgo.maven import MavenContext
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from runtime.embedded.jars import Jar, missing_jars, pinned_jars, repository_folder
from runtime.errors import PraetorError

PARALLEL = 8
ATTEMPTS = 3

Advance = Callable[[int], None]


def fetch_jars(jars: tuple[Jar, ...], repository: Path, advance: Advance, url: str = "") -> None:
    """Bring the jars that are missing or damaged, several at a time; a second process waits for the first.

    Args:
        jars: what is wanted.
        repository: the local Maven repository; made if need be.
        advance: called with the number of bytes that have arrived since, from this thread.
        url: a Maven repository; empty is Maven Central.

    Raises:
        PraetorError: no network, or a file is not the pinned one (it is then deleted).
    """
    repository.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(repository):
        wanted = sorted(missing_jars(jars, repository), key=lambda jar: -jar.size)
        context = MavenContext(repo_cache=repository, remote_repos={"given": url} if url else None)
        with ThreadPoolExecutor(PARALLEL) as pool:
            running = {pool.submit(_fetch, jar, repository, context): jar for jar in wanted}
            for done in as_completed(running):
                done.result()
                advance(running[done].size)


def _fetch(jar: Jar, repository: Path, context: MavenContext) -> None:
    path = jar.path(repository)
    path.unlink(missing_ok=True)
    group, artifact, version = jar.coordinates.split(":")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            context.project(group, artifact).at_version(version).artifact().resolve()
            break
        except (requests.RequestException, RuntimeError, OSError) as error:
            path.unlink(missing_ok=True)
            if attempt == ATTEMPTS:
                raise PraetorError(
                    f"cannot bring {jar.coordinates} from Maven Central: {error}. Check the network "
                    "(a proxy is taken from HTTPS_PROXY), or use your own broker with --bootstrap"
                ) from error
    if not jar.intact(repository):
        path.unlink()
        raise PraetorError(
            f"{jar.coordinates} from Maven Central is not the pinned file (SHA-256 {jar.sha256} expected): "
            "it was deleted. Something between here and Maven Central changes downloads"
        )


@contextmanager
def _one_at_a_time(repository: Path) -> Iterator[None]:
    with open(repository / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch_showing_progress(jars: tuple[Jar, ...], repository: Path, console: Console) -> None:
    """Bring what is missing with a progress bar; print nothing if nothing is missing.

    Raises:
        PraetorError: as `fetch_jars`.
    """
    missing = missing_jars(jars, repository)
    if not missing:
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        total = sum(jar.size for jar in missing)
        task = progress.add_task("Kafka's jars from Maven Central, once", total=total)
        fetch_jars(jars, repository, lambda size: progress.advance(task, size))


def main() -> None:
    """Bring the jars; exit with 1 and one message if that cannot be."""
    try:
        fetch_showing_progress(pinned_jars(), repository_folder(), Console(stderr=True))
    except PraetorError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
