"""`praetor control`: orders to the workers, what stands, and who has applied it."""

import typer

from cli.control.deny import kill, quarantine
from cli.control.grant import grant
from cli.control.listing import list_orders
from cli.control.release import release
from cli.control.skip import skip
from cli.control.status import status

control_app = typer.Typer(
    no_args_is_help=True, help="Orders to the workers: kill, quarantine, release, grant; what stands."
)
control_app.command()(kill)
control_app.command()(quarantine)
control_app.command()(release)
control_app.command()(grant)
control_app.command("list")(list_orders)
control_app.command()(status)
control_app.command()(skip)
