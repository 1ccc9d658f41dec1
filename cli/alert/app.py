"""`praetor alert`: tells people of incidents and threats; by a further word, routes and silences."""

import typer

from cli.alert.files import read_alerting
from cli.alert.routes import check, routes
from cli.alert.seen import ack, note, notes
from cli.alert.silences import silence, silences_app
from cli.alert.trial import test
from cli.destination_files import outbound_of
from cli.options import DataDir, TopicPrefix
from cli.serving import serve, worker
from consumers.alert.alert import Alert, Job, Target
from runtime.kafka import common_options
from runtime.settings import load_settings
from sinks.receivers import receiver_sink
from store.store import Store

alert_app = typer.Typer(invoke_without_command=True)
alert_app.command()(ack)
alert_app.command()(check)
alert_app.command()(note)
alert_app.command()(notes)
alert_app.command()(routes)
alert_app.command()(silence)
alert_app.command()(test)
alert_app.add_typer(silences_app, name="silences")


@alert_app.callback()
def alert(context: typer.Context, data: DataDir = None, topic_prefix: TopicPrefix = "") -> None:
    """Tell people of incidents and threats, by the routes that PRAETOR_ALERTING names, until told to stop.

    What belongs together is told together, once, and again when it grows or gets worse; it is told when it is
    acknowledged or over. Start several: one groups, the receivers are shared, and a dead one is followed.
    With a further word it sees to routes, silences and acknowledgements.

    Example: PRAETOR_ALERTING=alerting/ praetor alert
    """
    if context.invoked_subcommand is not None:
        return
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    with worker("alert", settings) as health:
        found = read_alerting(settings)
        outbound = outbound_of(settings)
        targets = {name: Target(r, receiver_sink(r, outbound)) for name, r in found.receivers.items()}
        job = Job(found.document, targets, settings.topic_prefix)
        serve("alert", Alert(common_options(settings), job, Store(settings.store), health), health)
