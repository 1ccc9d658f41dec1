"""Secrets: from the environment or from a file that it names, and never in what is printed."""

import os
from collections.abc import Iterable
from pathlib import Path

from runtime.errors import PraetorError


class Revealed(str):
    """A secret as a library wants it: a string, of which `repr` shows nothing.

    So options that are printed whole, and frames that a debugger shows, do not tell it. `str`, `format` and
    every other use give the secret itself.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'**********'"


def read_secret(path: Path, what: str) -> str:
    """Return a file's text without the line break that ends it.

    Args:
        path: the file.
        what: which setting names it, for the message.

    Raises:
        PraetorError: the file cannot be read, is not text, or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PraetorError(f"{what} names {path}, which cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        # the error would carry the file's bytes
        raise PraetorError(f"{what} names {path}, which is not UTF-8 text") from None
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise PraetorError(f"{what} names {path}, which is empty: write the secret into it")
    return secret


def secrets_from_files(names: Iterable[str], prefix: str = "PRAETOR_") -> tuple[dict[str, str], list[str]]:
    """Read those secrets whose variable `<prefix><NAME>_FILE` names a file; return them, and all mistakes.

    An empty variable is one that is not set. A secret may come from one place only: its variable and its
    file together are a mistake.
    """
    found: dict[str, str] = {}
    mistakes: list[str] = []
    for name in names:
        variable = f"{prefix}{name.upper()}"
        path = os.environ.get(f"{variable}_FILE")
        if not path:
            continue
        if os.environ.get(variable):
            mistakes.append(f"{variable} and {variable}_FILE are both set: keep one of them")
            continue
        try:
            found[name] = read_secret(Path(path), f"{variable}_FILE")
        except PraetorError as error:
            mistakes.append(str(error))
    return found, mistakes
