"""`praetor policy lint`: all mistakes of all files."""

import typer

from cli.options import JsonOutput
from cli.policy.options import Paths
from cli.policy.telling import count, print_json
from cli.policy_files import load_files
from policies.load import PolicyMistakes


def lint(paths: Paths = None, as_json: JsonOutput = False) -> None:
    """Look over policies: all mistakes of all files, each with its place and what to do.

    Example: praetor policy lint my-policies/
    """
    try:
        loaded = load_files(paths)
    except PolicyMistakes as error:
        if as_json:
            print_json({"ok": False, "mistakes": [m._asdict() for m in error.mistakes]})
        else:
            typer.echo(str(error), err=True)
            typer.echo(f"{count(len(error.mistakes), 'mistake')}", err=True)
        raise typer.Exit(1) from None
    rules = sum(len(p.rules) for p in loaded.policies)
    if as_json:
        print_json({"ok": True, "mistakes": [], "policies": len(loaded.policies), "rules": rules})
    else:
        typer.echo(f"{len(loaded.policies)} policies with {count(rules, 'rule')}: no mistake found")
