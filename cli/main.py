"""The `praetor` command: every subcommand in one table."""

import errno
import logging
import sys
from importlib.metadata import version
from typing import Annotated

import structlog
import typer
from aiokafka.errors import KafkaError

from cli.lazy import lazy_group
from runtime.errors import PraetorError, Unavailable

COMMANDS = {
    "demo": "cli.demo:demo",
    "up": "cli.up:up",
    "down": "cli.up:down",
    "status": "cli.up:status",
    "logs": "cli.up:logs",
    "doctor": "cli.doctor.app:doctor",
    "govern": "cli.govern:govern",
    "archive": "cli.archive:archive",
    "forward": "cli.forward:forward",
    "correlate": "cli.correlate:correlate",
    "replay": "cli.replay:replay",
    "simulate": "cli.simulate:simulate",
    "query": "cli.query:query",
    "backup": "cli.backup:backup",
    "restore": "cli.restore:restore",
    "reconcile": "cli.reconcile.app:reconcile",
    "config": "cli.config:config_app",
    "topics": "cli.topics:topics_app",
    "policy": "cli.policy.app:policy_app",
    "detect": "cli.detect.app:detect_app",
    "db": "cli.db:db_app",
    "control": "cli.control.app:control_app",
    "ledger": "cli.ledger.app:ledger_app",
    "dead-letters": "cli.dead_letters.app:dead_letters_app",
    "incident": "cli.incident.app:incident_app",
    "deliveries": "cli.deliveries.app:deliveries_app",
    "destinations": "cli.destinations:destinations_app",
    "alert": "cli.alert.app:alert_app",
    "store": "cli.store:store_app",
}
"""Every subcommand, in the order of `praetor --help`, and what it is in which module."""

app = typer.Typer(
    cls=lazy_group(COMMANDS),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Judge what AI agents do. Start with: praetor demo",
)

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
