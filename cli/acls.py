"""`praetor topics acls`: the least grants with which Praetor works."""

import asyncio
import json
from collections.abc import Iterator
from shlex import quote
from typing import Annotated

import typer

from cli.options import DataDir, JsonOutput, TopicPrefix
from runtime.errors import PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings, load_settings
from schemas.access import Grant, grants, principals
from streams.acls import Allowed, apply_grants

OPTIONS = {"topic": "--topic", "group": "--group", "transactional_id": "--transactional-id"}


def acls(
    only: Annotated[
        list[str] | None, typer.Argument(metavar="PRINCIPAL...", help="These alone; default: all of them.")
    ] = None,
    apply: Annotated[bool, typer.Option(help="Put them into force, as whoever the settings log in.")] = False,
    principal_map: Annotated[
        list[str] | None,
        typer.Option(help="Who one of them is to the broker: govern=User:CN=govern. Default: User:govern."),
    ] = None,
    topic_prefix: TopicPrefix = "",
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Print the grants that each part of Praetor needs in Kafka, as commands; or apply them.

    The file behind it is deploy/kafka/acls.yaml, with the reason of each. Nothing is ever taken away.

    Example: praetor topics acls govern archive --principal-map govern=User:praetor --apply
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    chosen = _allowed(only or list(principals()), _mapped(principal_map or []), settings.topic_prefix)
    if apply:
        asyncio.run(apply_grants(common_options(settings), chosen))
        typer.echo(f"{len(chosen)} grants are in force at {settings.bootstrap}")
    elif as_json:
        typer.echo(json.dumps([{"principal": one.principal, **vars(one.grant)} for one in chosen]))
    else:
        for line in commands(chosen, settings):
            typer.echo(line)


def _mapped(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, _, principal = pair.partition("=")
        if name not in principals() or ":" not in principal:
            raise PraetorError(
                f"--principal-map {pair!r}: NAME=User:… was expected, NAME one of {', '.join(principals())}"
            )
        found[name] = principal
    return found


def _allowed(names: list[str], mapped: dict[str, str], prefix: str) -> list[Allowed]:
    unknown = sorted(set(names) - set(principals()))
    if unknown:
        raise PraetorError(f"no principal {', '.join(unknown)}; there are {', '.join(principals())}")
    return [
        Allowed(mapped.get(name, f"User:{name}"), grant) for name in names for grant in grants(name, prefix)
    ]


def commands(allowed: list[Allowed], settings: Settings) -> Iterator[str]:
    """The grants as commands of Kafka's own tool, each under its reason."""
    servers = settings.bootstrap or "HOST:PORT"
    head = f"kafka-acls.sh --bootstrap-server {servers} --command-config admin.properties --add"
    together: dict[tuple[str, Grant], list[str]] = {}
    for one in allowed:
        of = one.grant
        same = Grant(of.kind, of.name, of.prefixed, "", of.why)
        together.setdefault((one.principal, same), []).append(of.operation)
    for (principal, grant), operations in together.items():
        yield f"# {principal}: {grant.why}"
        words = [head, "--allow-principal", quote(principal)]
        words += [f"--operation {operation}" for operation in operations]
        words += [OPTIONS[grant.kind], quote(grant.name)]
        yield " ".join(words + ["--resource-pattern-type prefixed"] * grant.prefixed)
