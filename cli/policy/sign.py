"""`praetor policy sign`: vouch for a bundle."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import DataDir, JsonOutput
from cli.policy.signing import read_bundle, signature_file
from cli.telling import print_json
from runtime.errors import PraetorError
from runtime.settings import load_settings
from streams.bundle_signature import sign_digest
from streams.policy_key import read_policy_key


def sign(
    bundle: Annotated[Path, typer.Argument(help="A bundle, as `praetor policy build` writes it.")],
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Sign a bundle: writes BUNDLE.sig beside it, a signed note (C2SP) over the bundle's digest.

    By PRAETOR_POLICY_KEY_COMMAND (a KMS), else policy.key, else control.key. Docs: docs/policies/bundles.md.

    Example: praetor policy sign bundle.json
    """
    digest = read_bundle(bundle).digest
    key = read_policy_key(load_settings(data))
    target = signature_file(bundle)
    note = sign_digest(digest, key)
    try:
        target.write_text(note, encoding="utf-8")
    except OSError as error:
        raise PraetorError(f"{target}: {error.strerror}") from error
    if as_json:
        print_json({"digest": digest, "file": str(target), "key": key.verify_key.id})
    else:
        typer.echo(f"{target}: {digest} signed by {key.verify_key.id}")
