"""A document of `kind: Destination`: where events go, which, and in what form."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from documents.types import Id, Model, SeverityName, Tag, Text

EffectName = Literal["allow", "deny", "modify", "require_approval", "defer"]
KindName = Literal["decision", "threat", "incident"]
TextName = Literal["arguments", "content", "modified_arguments"]
OcsfVersion = Literal["1.8.0", "1.9.0"]
FormatName = Literal["ocsf", "ecs", "cef", "leef", "plain"]


class DestinationMetadata(Model):
    """What a destination is called and for; the name is part of its consumer group's."""

    name: Annotated[Id, Field(max_length=60)]
    description: Annotated[Text, Field(max_length=2000)] = ""


class FeedSettings(Model):
    """Which events it is sent; a field that is not there asks nothing.

    `start` counts once, at the very first start: afterwards a destination goes on where it stands.
    """

    kinds: Annotated[list[KindName], Field(min_length=1)] = Field(default=["threat", "incident"])
    severity: SeverityName | None = None
    effects: Annotated[list[EffectName], Field(min_length=1)] | None = None
    tenants: Annotated[list[Text], Field(min_length=1)] | None = None
    tags: Annotated[list[Tag], Field(min_length=1)] | None = None
    start: Literal["latest", "earliest"] = "latest"


class LimitSettings(Model):
    """How much at a time, how fast, and how often one event is tried that the destination refuses.

    `gather_seconds`: events wait so long for others that go with them: for destinations that keep a file, or
    charge, for each write.
    """

    batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    gather_seconds: Annotated[float, Field(ge=0, le=900)] = 0
    events_per_second: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    tries: Annotated[int, Field(ge=1, le=100)] = 5


class DestinationDocument(Model):
    """A document of `kind: Destination`.

    `texts` names the free texts that may leave Praetor; without it none does, only their digests. What `to`
    holds depends on its `type`: each has a model of its own (see `sinks.registry`).
    """

    apiVersion: Literal["praetor/v1"]
    kind: Literal["Destination"]
    metadata: DestinationMetadata
    feed: FeedSettings = FeedSettings()
    format: FormatName = "ocsf"
    ocsf_version: OcsfVersion = "1.8.0"
    texts: list[TextName] = Field(default_factory=list)
    limits: LimitSettings = LimitSettings()
    to: dict[str, Any]


@dataclass(frozen=True)
class Destination:
    """A destination as its document has it, `to` by its own model."""

    document: DestinationDocument
    to: BaseModel

    @property
    def name(self) -> str:
        """What it is called."""
        return self.document.metadata.name
