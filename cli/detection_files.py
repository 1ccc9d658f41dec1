"""Files of detections as a person names them: paths in, texts out."""

import inspect
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from cli.policy_files import SUFFIXES
from detections.abouts import ABOUTS
from detections.beside import CASES
from detections.loading import Loaded, Source, load_detections
from detections.registry import DETECTORS
from documents.read import LARGEST_FILE
from runtime.errors import PraetorError

PACKAGE = Path(str(files("detections")))
Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="Files of detections, or directories of them. Without any: those that are shipped."),
]


def named_files(paths: list[Path] | None) -> list[Path]:
    """The files that paths stand for: rules, cases, exceptions; a path that is no directory is itself.

    Without paths, those that are shipped: the library, and the cases beside detectors in code.
    """
    if not paths:
        return [*named_files([PACKAGE / "library"]), *coded_cases()]
    found: list[Path] = []
    for path in paths:
        within = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file())
        found += within if path.is_dir() else [path]
    return found


def coded_cases() -> list[Path]:
    """The files of cases beside detectors in code, in the order of the registry."""
    return [Path(inspect.getfile(d)).with_suffix(CASES) for d in DETECTORS]


def read_sources(paths: list[Path] | None) -> list[Source]:
    """Read files of detections; of one that is too large, no more than shows it.

    Raises:
        PraetorError: a path does not exist or cannot be read, or a directory holds no such file.
    """
    sources: list[Source] = []
    each: list[list[Path] | None] = [[path] for path in paths] if paths else [None]
    try:
        for some in each:
            named = named_files(some)
            if not named:
                raise PraetorError(f"{some and some[0]}: no .yaml or .yml file in this directory")
            for file in named:
                name = str(file if some else file.relative_to(PACKAGE))
                with file.open("rb") as opened:
                    sources.append((name, opened.read(LARGEST_FILE + 1)))
    except OSError as error:
        raise PraetorError(f"{error.filename}: {error.strerror}") from error
    return sources


def load_files(paths: list[Path] | None) -> Loaded:
    """Read and validate files of detections; the shipped ones without paths.

    Raises:
        PraetorError: as `read_sources`, or anything in them is wrong: all mistakes at once.
    """
    return load_detections(read_sources(paths), [about.id for about in ABOUTS])
