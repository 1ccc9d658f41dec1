"""A document of `kind: Receiver`: a pager, a channel or a mailbox that alerts are told to."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from documents.types import Id, Model, Text


class ReceiverMetadata(Model):
    """What a receiver is called and for; routes name it, and it is part of its consumer group's name."""

    name: Annotated[Id, Field(max_length=60)]
    description: Annotated[Text, Field(max_length=2000)] = ""


class ReceiverLimits(Model):
    """How fast it is told, and how often one notification is tried that it refuses."""

    per_minute: Annotated[float, Field(ge=0, le=100_000)] = 0
    tries: Annotated[int, Field(ge=1, le=100)] = 5


class ReceiverDocument(Model):
    """A document of `kind: Receiver`. What `to` holds depends on its `type` (see `sinks.receivers`)."""

    apiVersion: Literal["praetor/v1"]
    kind: Literal["Receiver"]
    metadata: ReceiverMetadata
    limits: ReceiverLimits = ReceiverLimits()
    to: dict[str, Any]


@dataclass(frozen=True)
class Receiver:
    """A receiver as its document has it, `to` by its own model."""

    document: ReceiverDocument
    to: BaseModel

    @property
    def name(self) -> str:
        """What it is called."""
        return self.document.metadata.name
