"""The `praetor` command: every subcommand in one table."""

import errno
import logging
import sys
from importlib.metadata import version
from typing import Annotated

import structlog
import typer
from aiokafka.errors import KafkaError

from cli.alert.app import alert_app
from cli.archive import archive
from cli.backup import backup
from cli.config import config_app
from cli.control.app import control_app
from cli.correlate import correlate
from cli.db import db_app
from cli.dead_letters.app import dead_letters_app
from cli.deliveries.app import deliveries_app
from cli.demo import demo
from cli.destinations import destinations_app
from cli.detect.app import detect_app
from cli.doctor.app import doctor
from cli.forward import forward
from cli.govern import govern
from cli.incident.app import incident_app
from cli.ledger.app import ledger_app
from cli.policy.app import policy_app
from cli.query import query
from cli.reconcile.app import reconcile
from cli.replay import replay
from cli.restore import restore
from cli.simulate import simulate
from cli.store import store_app
from cli.topics import topics_app
from cli.up import down, logs, status, up
from runtime.errors import PraetorError, Unavailable

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Judge what AI agents do. Start with: praetor demo",
)
app.command()(demo)
app.command()(up)
app.command()(down)
app.command()(status)
app.command()(logs)
app.command()(doctor)
app.command()(govern)
app.command()(archive)
app.command()(forward)
app.command()(correlate)
app.command()(replay)
app.command()(simulate)
app.command()(query)
app.command()(backup)
app.command()(restore)
app.command()(reconcile)
app.add_typer(config_app, name="config")
app.add_typer(topics_app, name="topics")
app.add_typer(policy_app, name="policy")
app.add_typer(detect_app, name="detect")
app.add_typer(db_app, name="db")
app.add_typer(control_app, name="control")
app.add_typer(ledger_app, name="ledger")
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(incident_app, name="incident")
app.add_typer(deliveries_app, name="deliveries")
app.add_typer(destinations_app, name="destinations")
app.add_typer(alert_app, name="alert")
app.add_typer(store_app, name="store")

UNWRITABLE = "; let this user write there, or name another folder (--data, PRAETOR_DATA)"
REMEDIES = {
    errno.EACCES: UNWRITABLE,
    errno.EPERM: UNWRITABLE,
    errno.EROFS: UNWRITABLE,
    errno.ENOTDIR: "; name another folder (--data, PRAETOR_DATA)",
    errno.ENOSPC: "; make room there, or name another folder (--data, PRAETOR_DATA)",
}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"praetor {version('praetor-server')}")
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Judge what AI agents do. Start with: praetor demo."""


def main() -> None:
    """Run the command; what a person can mend is one line on standard error and exit code 1."""
    _speak_by_results()
    try:
        app()
    except (PraetorError, Unavailable) as error:
        print(f"praetor: {error}", file=sys.stderr)
    except OSError as error:
        if error.filename is None:
            raise
        remedy = REMEDIES.get(error.errno or 0, "")
        print(f"praetor: {error.filename}: {error.strerror}{remedy}", file=sys.stderr)
    except KafkaError as error:
        print(f"praetor: Kafka: {str(error) or type(error).__name__}; try again", file=sys.stderr)
    else:
        return
    sys.exit(1)


def _speak_by_results() -> None:
    """No log, neither ours nor a library's: a worker, which has nobody to read its output, sets one up."""
    logging.getLogger().addHandler(logging.NullHandler())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


if __name__ == "__main__":
    main()
