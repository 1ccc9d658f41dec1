"""Libraries that only some destinations need: the extra `forward`."""

import importlib
from typing import Any

from runtime.errors import PraetorError


def need(module: str, what: str) -> Any:
    """A module of the extra `forward`.

    Raises:
        PraetorError: it is not installed; the message says what to install, for `what`.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        top = module.partition(".")[0]
        raise PraetorError(
            f"{what} needs {top}, which is not installed here: install the extra `forward` "
            "(pip install 'praetor-server[forward]')"
        ) from error
