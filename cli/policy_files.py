"""Policy files as a person names them: paths in, texts out."""

from importlib.resources import files
from pathlib import Path

from detections.beside import CASES
from documents.read import LARGEST_FILE
from judgement.loading import load_rules
from policies.load import Loaded, Source
from runtime.errors import PraetorError

SUFFIXES = (".yaml", ".yml")


def read_sources(paths: list[Path] | None) -> list[Source]:
    """Read policy files; a directory stands for all `.yaml` and `.yml` files in and below it, by name.

    Without paths: the library that is shipped.

    Raises:
        PraetorError: a path does not exist or cannot be read, or there is no policy file.
    """
    if not paths:
        found = sorted(files("policies").joinpath("library").iterdir(), key=lambda entry: entry.name)
        return [(f"library/{e.name}", e.read_bytes()) for e in found if e.name.endswith(SUFFIXES)]
    sources: list[Source] = []
    try:
        for path in paths:
            named = named_files([path])
            if not named:
                raise PraetorError(f"{path}: no .yaml or .yml file in this directory")
            sources += [(str(p), _read(p)) for p in named]
    except OSError as error:
        raise PraetorError(f"{error.filename}: {error.strerror}") from error
    return sources


def named_files(paths: list[Path] | None) -> list[Path]:
    """The policy files that paths stand for; a path that is no directory stands for itself, there or not."""
    if not paths:
        return named_files([Path(str(files("policies").joinpath("library")))])
    found: list[Path] = []
    for path in paths:
        within = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file())
        found += within if path.is_dir() else [path]
    return found


def _read(path: Path) -> bytes:
    """A file; of one that is too large, no more than shows it."""
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)


def shipped_detections() -> list[Source]:
    """The files of the detections that are shipped: rules and correlations, without their cases."""
    found = sorted(files("detections").joinpath("library").iterdir(), key=lambda entry: entry.name)
    return [
        (f"library/{e.name}", e.read_bytes())
        for e in found
        if e.name.endswith(SUFFIXES) and not e.name.endswith(CASES)
    ]


def load_files(paths: list[Path] | None) -> Loaded:
    """Read and validate policy files; the shipped library without paths.

    Raises:
        PraetorError: as `read_sources`, or anything in them is wrong: all mistakes at once.
    """
    return load_rules(read_sources(paths), shipped_detections())
