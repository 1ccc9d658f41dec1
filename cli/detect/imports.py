"""`praetor detect import`: rules of other systems, as rules of ours."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
import yaml

from cli.options import JsonOutput
from cli.policy_files import SUFFIXES
from cli.telling import count, print_json
from detections.beside import CASES
from detections.imports.atr import Imported, Remark, import_atr, is_atr
from detections.loading import DetectionMistakes, load_detections
from detections.trying import run_cases
from documents.node import Node
from documents.read import read_documents
from runtime.errors import PraetorError

INCOMPLETE = 3
WIDTH = 110


class Taken(NamedTuple):
    """What came of one document: where it stood, what it became, how many of its examples agree with ours."""

    source: str
    node: Node
    imported: Imported
    agree: int
    differ: int

    @property
    def lost(self) -> list[Remark]:
        """What the rule finds less than theirs."""
        return [remark for remark in self.imported.remarks if remark.lost]


def import_rules(
    paths: Annotated[list[Path], typer.Argument(help="Files of Agent Threat Rules, or directories of them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.", metavar="DIR")],
    partial: Annotated[
        bool, typer.Option("--partial", help="Exit code 0 also when something was left out.")
    ] = False,
    as_json: JsonOutput = False,
) -> None:
    """Turn Agent Threat Rules (ATR, MIT) into Sigma rules, with their examples as cases.

    What cannot be carried over is named, with its line; the exit code is then 3, unless --partial says that
    this is known. An example that comes out otherwise here is left out and counted. A file that is there is
    never written over.

    Example: praetor detect import agent-threat-rules/rules -o my-detections/
    """
    taken = [t for path in _files(paths) for t in _read(path)]
    if not taken:
        raise PraetorError("no Agent Threat Rule in there: a rule has an 'id: ATR-...' and a 'detection:'")
    written = [_write(output, t) for t in taken if t.imported.rule is not None]
    lost = [(t, remark) for t in taken for remark in t.lost]
    if as_json:
        print_json(_as_json(taken, written))
    else:
        for t, remark in lost:
            typer.echo(f"{_place(t, remark)}: left out: {remark.why}", err=True)
        for line in _summary(taken, len(written)):
            typer.echo(line)
    if lost and not partial:
        raise typer.Exit(INCOMPLETE)


def _files(paths: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        within = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file())
        found += within if path.is_dir() else [path]
    return found


def _read(path: Path) -> list[Taken]:
    nodes, mistakes = read_documents(str(path), path.read_bytes())
    if mistakes:
        raise DetectionMistakes(mistakes)
    return [_tried(str(path), node, import_atr(node.value)) for node in nodes if is_atr(node.value)]


def _tried(source: str, node: Node, imported: Imported) -> Taken:
    """Their examples, run by ours: those that agree are kept."""
    if imported.rule is None or not imported.cases:
        return Taken(source, node, imported, 0, 0)
    texts = [(f"{imported.name}.yml", imported.rule), (f"{imported.name}{CASES}", {"cases": imported.cases})]
    loaded = load_detections([(name, _yaml(value).encode()) for name, value in texts])
    passed = [r.placed.case.name for r in run_cases(loaded) if r.passed]
    kept = [case for case in imported.cases if case["name"] in passed]
    differ = len(imported.cases) - len(kept)
    return Taken(source, node, imported._replace(cases=kept), len(kept), differ)


def _write(folder: Path, taken: Taken) -> Path:
    name = taken.imported.name
    comment = f"# Imported from {Path(taken.source).name}: Agent Threat Rules, MIT licence.\n"
    told = "".join(f"# LEFT OUT: line {_line(taken, r)}: {_plain(r.why)}\n" for r in taken.lost)
    _create(folder / f"{name}.yml", comment + told + _yaml(taken.imported.rule))
    if taken.imported.cases:
        _create(folder / f"{name}{CASES}", comment + _yaml({"cases": taken.imported.cases}))
    return folder / f"{name}.yml"


def _create(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise PraetorError(f"{path} is there already; move it away or choose another folder") from error
    except OSError as error:
        raise PraetorError(f"{path}: {error.strerror}") from error


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=WIDTH)


def _plain(text: str) -> str:
    """Nothing in a foreign file may end a comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _line(taken: Taken, remark: Remark) -> int:
    parent = taken.node.find(remark.path[:-1])
    last = str(remark.path[-1])
    return parent.keys[last][0] if last in parent.keys else taken.node.find(remark.path).line


def _place(taken: Taken, remark: Remark) -> str:
    return f"{taken.source}:{_line(taken, remark)}"


def _summary(taken: list[Taken], written: int) -> list[str]:
    whole = sum(not t.lost for t in taken)
    agree, differ = sum(t.agree for t in taken), sum(t.differ for t in taken)
    notes = Counter(r.path[0] for t in taken for r in t.imported.remarks if not r.lost)
    beside = ", ".join(f"{name} ({number})" for name, number in notes.most_common())
    return [
        f"{count(len(taken), 'rule')} read: {whole} whole, {written - whole} in part, "
        f"{len(taken) - written} not at all",
        f"{count(agree + differ, 'example')}: {agree} come out as theirs, {differ} do not and are left out",
        *([f"without counterpart: {beside}"] if beside else []),
    ]


def _said(remark: Remark) -> dict[str, Any]:
    return {"why": remark.why, "lost": remark.lost}


def _as_json(taken: list[Taken], written: list[Path]) -> dict[str, Any]:
    remarks = [
        {"file": t.source, "line": _line(t, r), "what": ".".join(map(str, r.path)), **_said(r)}
        for t in taken
        for r in t.imported.remarks
    ]
    return {
        "written": [str(path) for path in written],
        "read": len(taken),
        "whole": sum(not t.lost for t in taken),
        "examples": {"agree": sum(t.agree for t in taken), "differ": sum(t.differ for t in taken)},
        "remarks": remarks,
    }
