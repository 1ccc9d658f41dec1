"""`praetor policy`: every subcommand in one table; each has a file of its own beside this one."""

import typer

from cli.policy.active import active
from cli.policy.backtest import backtest
from cli.policy.build import build
from cli.policy.diff import diff
from cli.policy.explain import explain
from cli.policy.imports import import_policies
from cli.policy.keys import keys_app
from cli.policy.lint import lint
from cli.policy.new import new
from cli.policy.promote import promote
from cli.policy.publish import publish
from cli.policy.rejudge import rejudge
from cli.policy.rollback import rollback
from cli.policy.schema import schema
from cli.policy.sign import sign
from cli.policy.test import run_tests

policy_app = typer.Typer(no_args_is_help=True, help="Look over, try, build and publish policies.")
# in the order of a policy's life
policy_app.command()(new)
policy_app.command("import")(import_policies)
policy_app.command()(schema)
policy_app.command()(lint)
policy_app.command("test")(run_tests)
policy_app.command()(diff)
policy_app.command()(backtest)
policy_app.command()(explain)
policy_app.command()(build)
policy_app.command()(sign)
policy_app.command()(publish)
policy_app.command()(promote)
policy_app.command()(rollback)
policy_app.command()(active)
policy_app.command()(rejudge)
policy_app.add_typer(keys_app, name="keys")
