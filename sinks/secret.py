"""A secret of a destination: named where it is used, kept elsewhere."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from runtime.errors import PraetorError
from runtime.secrets import Revealed, read_secret


class Secret(BaseModel):
    """`{env: VARIABLE}` or `{file: PATH}`: where the secret stands. The document itself never holds it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    env: str = ""
    file: str = ""

    @model_validator(mode="after")
    def _one(self) -> "Secret":
        if bool(self.env) == bool(self.file):
            raise PydanticCustomError("secret", "name one of 'env' (a variable) and 'file' (a path)")
        return self

    def read(self, what: str) -> Revealed:
        """The secret; `what` says which, for the message.

        Raises:
            PraetorError: the variable is not set, or the file cannot be read.
        """
        if self.file:
            return Revealed(read_secret(Path(self.file), what))
        found = os.environ.get(self.env, "")
        if not found:
            raise PraetorError(f"{what}: the variable {self.env} is not set")
        return Revealed(found)
