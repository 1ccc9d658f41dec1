"""Checkpoints that someone kept outside of the log's reach, read from a file."""

import json
from pathlib import Path
from typing import Any

from ledger.heads import PlacedNote
from ledger.note import PREFIX
from runtime.errors import PraetorError


def read_witness(path: Path) -> dict[str, list[PlacedNote]]:
    """The notes of a file by origin (a note's first line), in the file's order.

    The file holds signed notes one after the other (as `praetor ledger show --notes` prints them), or JSON,
    whole or a value a line: notes as strings, objects with a `note`, lists of them, or what
    `praetor ledger prove` prints.

    Not promised: that the signatures hold; that is for the verifier.

    Raises:
        PraetorError: the file cannot be read, or holds no note or something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PraetorError(f"witness file {path}: {error}") from error
    try:
        notes = _of_json(text) if text.lstrip()[:1] in ('"', "{", "[") else _of_text(text)
    except ValueError as error:
        raise PraetorError(f"witness file {path}: {error}") from error
    if not notes:
        raise PraetorError(f"witness file {path} holds no signed note")
    found: dict[str, list[PlacedNote]] = {}
    for number, note in enumerate(notes, 1):
        place = f"{path}, note {number}"
        found.setdefault(note.split("\n", 1)[0], []).append(PlacedNote(place, note))
    return found


def _of_text(text: str) -> list[str]:
    """A note ends where its signature lines end; blank lines between notes are passed over."""
    notes: list[str] = []
    body: list[str] = []
    signed = False
    for line in [*text.split("\n"), ""]:
        if signed and not line.startswith(PREFIX):
            notes.append("\n".join(body) + "\n")
            body, signed = [], False
        if body or line:
            body.append(line)
        signed = signed or (line.startswith(PREFIX) and len(body) > 1 and body[-2] == "")
    if any(body):
        raise ValueError(f"what begins {body[0][:60]!r} is no signed note: no signature lines follow")
    return notes


def _of_json(text: str) -> list[str]:
    try:
        values = [json.loads(text)]
    except ValueError:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [note for value in values for note in _notes_in(value)]


def _notes_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [note for one in value for note in _notes_in(one)]
    if isinstance(value, dict) and isinstance(value.get("note"), str):
        return [value["note"]]
    if isinstance(value, dict) and isinstance(value.get("checkpoints"), list):
        return _notes_in(value["checkpoints"])
    raise ValueError("JSON that is neither a note, nor an object with `note` or `checkpoints`")
