"""`praetor detect`: every subcommand in one table; each has a file of its own beside this one."""

import typer

from cli.detect.eval import evaluate
from cli.detect.explain import explain
from cli.detect.hunt import hunt
from cli.detect.imports import import_rules
from cli.detect.lint import lint
from cli.detect.listing import list_detections
from cli.detect.schema import schema
from cli.detect.score import score
from cli.detect.test import run_tests

detect_app = typer.Typer(no_args_is_help=True, help="Look over, try and measure detections.")
# in the order of a rule's life
detect_app.command("list")(list_detections)
detect_app.command("import")(import_rules)
detect_app.command()(schema)
detect_app.command()(lint)
detect_app.command("test")(run_tests)
detect_app.command()(explain)
detect_app.command()(hunt)
detect_app.command()(score)
detect_app.command("eval")(evaluate)
