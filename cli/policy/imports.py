"""`praetor policy import`: policies of other systems, as policies of ours."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.options import JsonOutput
from cli.telling import count, print_json
from documents.node import Mistake, Node
from documents.read import read_documents
from policies.imports.agt import import_agt, is_agt
from policies.imports.remarks import Imported, Unusable, write_policy
from policies.imports.safe_ai import is_safe_ai, read_safe_ai
from policies.load import PolicyMistakes
from runtime.errors import PraetorError

INCOMPLETE = 3


class Origin(StrEnum):
    """Whose policies are read."""

    auto = "auto"
    agt = "agt"
    safe_ai = "safe-ai"


def import_policies(
    file: Annotated[Path, typer.Argument(help="A policy file of the other system.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.", metavar="DIR")],
    origin: Annotated[Origin, typer.Option("--from", help="Whose it is; auto: as it says.")] = Origin.auto,
    partial: Annotated[
        bool, typer.Option("--partial", help="Exit code 0 also when something was left out.")
    ] = False,
    as_json: JsonOutput = False,
) -> None:
    """Turn policies of the agent-governance-toolkit (governance.toolkit/v1) or of SAFE-AI into policies.

    What cannot be carried over is named, with its line, and stands as a comment in what is written; the exit
    code is then 3, unless --partial says that this is known. A file that is there is never written over.

    Example: praetor policy import agt-policy.yaml -o my-policies/
    """
    found = _read(file, origin)
    written = [_write(output, file.name, imported) for imported in found]
    remarks = [remark for imported in found for remark in imported.remarks]
    lost = [remark for remark in remarks if remark.lost]
    if as_json:
        listed = [{"file": str(file), **remark._asdict()} for remark in remarks]
        print_json({"written": [str(path) for path in written], "left_out": len(lost), "remarks": listed})
    else:
        for remark in remarks:
            kind = "left out" if remark.lost else "note"
            typer.echo(f"{file}:{remark.line}: {kind}: {remark.what}: {remark.why}", err=True)
        told = f"{count(len(lost), 'thing')} left out" if lost else "nothing left out"
        typer.echo(f"wrote {', '.join(map(str, written))}; {told}")
    if lost and not partial:
        raise typer.Exit(INCOMPLETE)


def _read(file: Path, origin: Origin) -> list[Imported]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise PraetorError(f"{file}: {error.strerror}") from error
    nodes, mistakes = read_documents(str(file), data)
    if not nodes and not mistakes:
        mistakes.append(Mistake(str(file), 1, 1, "the file holds no policy"))
    found = [_import(str(file), node, origin, mistakes) for node in nodes]
    if mistakes:
        raise PolicyMistakes(sorted(set(mistakes)))
    return [imported for imported in found if imported is not None]


def _import(source: str, node: Node, origin: Origin, mistakes: list[Mistake]) -> Imported | None:
    if origin is Origin.safe_ai or (origin is Origin.auto and is_safe_ai(node.value)):
        if not is_safe_ai(node.value):
            mistakes.append(Mistake(source, node.line, node.column, "this is no policy.yaml of SAFE-AI"))
            return None
        policy = read_safe_ai(source, node, mistakes)
        if policy is None:
            return None
        return Imported(policy.model_dump(mode="json", exclude_unset=True), ())
    if origin is Origin.auto and not is_agt(node.value):
        told = "neither governance.toolkit/v1 nor SAFE-AI; say whose it is with --from"
        mistakes.append(Mistake(source, node.line, node.column, told))
        return None
    try:
        return import_agt(source, node)
    except Unusable as error:
        mistakes.append(error.mistake)
        return None


def _write(folder: Path, name: str, imported: Imported) -> Path:
    path = folder / f"{imported.document['metadata']['name']}.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(write_policy(name, imported))
    except FileExistsError as error:
        raise PraetorError(f"{path} is there already; move it away or choose another folder") from error
    except OSError as error:
        raise PraetorError(f"{path}: {error.strerror}") from error
    return path
