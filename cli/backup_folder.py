"""A backup as a folder: compressed pieces of tables, the rest as files, and last the manifest that names all.

Without its manifest a folder is no backup: whatever was cut off leaves none.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from cli.frames import compress, decompress
from runtime.errors import PraetorError

MANIFEST = "manifest.json"


class Entry(BaseModel):
    """A file of the backup. `table` and `rows` are of tables' pieces, which are zstd over format Native."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    sha256: str
    bytes: int
    table: str = ""
    rows: int = 0


class Ledger(BaseModel):
    """How far one log's partition goes: decisions, and the newest checkpoint over them (0: none)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_id: str
    partition: int
    decisions: int
    checkpoint: int


class Table(BaseModel):
    """A table as it was: what made it, and how many rows of it are here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    create: str
    settings: str
    rows: int


class Manifest(BaseModel):
    """What a backup holds, and what made it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    id: str
    praetor: str
    made_at: str
    database: str
    migrations: list[tuple[int, str, str]]
    ledgers: list[Ledger]
    tables: list[Table]
    files: list[Entry]
    keys: bool
    control: bool


def begin(folder: Path) -> None:
    """Make the folder, readable by its owner alone.

    Raises:
        PraetorError: it holds something already, or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        taken = sorted(p.name for p in folder.iterdir())
    except OSError as error:
        raise PraetorError(f"{folder} cannot be a backup's folder: {error.strerror}") from error
    if taken:
        what = "holds a backup" if MANIFEST in taken else f"is not empty ({', '.join(taken[:5])})"
        raise PraetorError(f"{folder} {what}: name a new folder")
    folder.chmod(0o700)


def write_file(folder: Path, path: str, data: bytes, table: str = "", rows: int = 0) -> Entry:
    """Write one file at once, with mode 0600."""
    return write_stream(folder, path, [data], table, rows)


def write_compressed(folder: Path, path: str, blocks: Iterable[bytes], table: str, rows: int) -> Entry:
    """Write a piece of a table."""
    return write_stream(folder, path, compress(blocks), table, rows)


def write_stream(folder: Path, path: str, blocks: Iterable[bytes], table: str = "", rows: int = 0) -> Entry:
    """Write a file of mode 0600, safe on disk when this returns.

    Raises:
        PraetorError: the disk is full, or does not let it be written.
    """
    target = folder / path
    digest, size = hashlib.sha256(), 0
    try:
        for parent in reversed(target.relative_to(folder).parents):
            (folder / parent).mkdir(exist_ok=True, mode=0o700)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for block in blocks:
                file.write(block)
                digest.update(block)
                size += len(block)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise PraetorError(f"{target} cannot be written: {error.strerror}") from error
    return Entry(path=path, sha256=digest.hexdigest(), bytes=size, table=table, rows=rows)


def read_compressed(folder: Path, entry: Entry) -> Iterator[bytes]:
    """A piece of a table, as ClickHouse gave it.

    Raises:
        PraetorError: the file is not what was written.
    """
    path = folder / entry.path
    try:
        with path.open("rb") as file:
            yield from decompress(file)
    except ValueError as error:
        raise PraetorError(f"{path} is damaged: {error}") from error


def close(folder: Path, manifest: Manifest) -> None:
    """Write the manifest: from here on it is a backup."""
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
    write_file(folder, MANIFEST + ".part", text.encode())
    (folder / (MANIFEST + ".part")).rename(folder / MANIFEST)


def read_manifest(folder: Path) -> Manifest:
    """What a backup says of itself.

    Raises:
        PraetorError: there is none, it is cut, or a newer version made it.
    """
    path = folder / MANIFEST
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise PraetorError(
            f"{folder} holds no {MANIFEST}: it is no backup, or one that was cut off"
        ) from error
    except (OSError, ValueError) as error:
        raise PraetorError(f"{path} cannot be read: {error}") from error
    if isinstance(data, dict) and data.get("format") != 1:
        raise PraetorError(f"{path} has format {data.get('format')!r}; this praetor reads format 1: upgrade")
    try:
        # strings and numbers only: JSON has no tuples
        return Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise PraetorError(f"{path} is not a backup's manifest: {where}: {first['msg']}") from error


def damaged(folder: Path, entry: Entry) -> str:
    """Why a file is not what the manifest says; "" where it is."""
    if ".." in Path(entry.path).parts or Path(entry.path).is_absolute():
        return "its path leads out of the backup"
    try:
        with (folder / entry.path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if digest == entry.sha256 else "its SHA-256 is another"
