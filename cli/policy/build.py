"""`praetor policy build`: policy files in, one bundle out."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import JsonOutput
from cli.policy.options import Paths
from cli.policy_files import load_files
from cli.telling import print_json
from runtime.errors import PraetorError


def build(
    paths: Paths = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write it.")] = Path("bundle.json"),
    as_json: JsonOutput = False,
) -> None:
    """Make one bundle of policies: canonical JSON, named by its digest.

    Example: praetor policy build my-policies/ --output bundle.json
    """
    loaded = load_files(paths)
    bundle = loaded.bundle()
    try:
        output.write_bytes(bundle.json)
    except OSError as error:
        raise PraetorError(f"{output}: {error.strerror}") from error
    if as_json:
        print_json({"digest": bundle.digest, "bytes": len(bundle.json), "file": str(output)})
    else:
        typer.echo(bundle.digest)
