"""Pins the broker's jars anew, after a change of the version below: `python -m runtime.embedded.pin`."""

import hashlib

from jgo.maven import MavenContext

from runtime.embedded.jars import JAR_LIST, repository_folder

ROOTS = ("org.apache.kafka:kafka_2.13:4.3.1", "org.slf4j:slf4j-simple:1.7.36")
HEAD = f"""\
# The broker's jars: {" and ".join(ROOTS)} with all that
# their POMs ask for at run time. A line is: coordinates, size in bytes, SHA-256.
# Made by: python -m runtime.embedded.pin
"""


def main() -> None:
    """Resolve the roots from their POMs and pin what comes. What comes is trusted: read the difference."""
    context = MavenContext(repo_cache=repository_folder())
    roots, others = context.resolver.resolve([context.create_dependency(root) for root in ROOTS])
    lines = []
    for found in (*roots, *others):
        data = found.artifact.resolve().read_bytes()
        coordinates = f"{found.groupId}:{found.artifactId}:{found.version}"
        lines.append(f"{coordinates} {len(data)} {hashlib.sha256(data).hexdigest()}\n")
    JAR_LIST.write_text(HEAD + "".join(sorted(lines)))
    print(f"{len(lines)} jars pinned in {JAR_LIST}")


if __name__ == "__main__":
    main()
