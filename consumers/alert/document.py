"""A document of `kind: Alerting`: which events are told to whom, how they are grouped, and when."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from documents.types import Id, Model, PatternText, SeverityName, Text

DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
KindName = Literal["incident", "threat"]
GroupName = Literal["tenant", "agent", "session", "detector", "severity"]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
Seconds = Annotated[float, Field(ge=0, le=31 * 86_400)]
Patterns = Annotated[list[PatternText], Field(min_length=1)]


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PydanticCustomError(
            "pattern", "{name} is no time zone; write one such as Europe/Berlin or UTC", {"name": repr(name)}
        ) from error
    return name


class Times(Model):
    """Hours of some days, in a zone. `from` behind `to` goes over midnight."""

    name: Id
    days: Annotated[list[DayName], Field(min_length=1)] = Field(
        default=["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    )
    start: Annotated[Clock, Field(alias="from")] = "00:00"
    end: Annotated[Clock, Field(alias="to")] = "24:00"
    zone: Annotated[Text, AfterValidator(_check_zone)] = "UTC"


class Match(Model):
    """What is meant; a field that is not there asks nothing. Texts are patterns, as policies have them.

    `severity` is the least. Of agents, detectors and tags one must fit. `during` and `outside` name `times`.
    """

    kinds: Annotated[list[KindName], Field(min_length=1)] | None = None
    severity: SeverityName | None = None
    tenants: Patterns | None = None
    agents: Patterns | None = None
    detectors: Patterns | None = None
    tags: Patterns | None = None
    during: Id | None = None
    outside: Id | None = None


class Route(Model):
    """Who is told, and how: the first route that fits is taken, and with `go_on` those after it too.

    Attributes:
        receivers: none: such events are told to nobody, and counted.
        group_by: what threats of one group have in common; an incident is always a group of its own.
        wait: seconds from a group's first event to its notification, so that what belongs to it is in.
        interval: seconds at least between two notifications of a group, unless it escalates.
        repeat: seconds after which what is still open is told again; 0: never.
        quiet: seconds without a new threat after which a group of threats is over.
        resolve: whether its end is told.
        digest: seconds; all that fits is told together, once in so many.
    """

    name: Id
    match: Match = Match()
    receivers: list[Id] = Field(default_factory=list)
    go_on: bool = False
    group_by: Annotated[list[GroupName], Field(min_length=1)] = Field(default=["tenant", "detector"])
    wait: Seconds = 10
    interval: Seconds = 300
    repeat: Seconds = 14_400
    quiet: Annotated[Seconds, Field(ge=1)] = 900
    resolve: bool = True
    digest: Annotated[float, Field(ge=1, le=31 * 86_400)] | None = None


class Inhibition(Model):
    """While what `source` means is open, `target` is not told, where both share a value of each of `same`."""

    source: Match
    target: Match
    same: Annotated[list[Literal["tenant", "agent", "session"]], Field(min_length=1)] = Field(
        default=["agent"]
    )


class AlertingMetadata(Model):
    """What it is called and for."""

    name: Id
    description: Annotated[Text, Field(max_length=2000)] = ""


class AlertingDocument(Model):
    """A document of `kind: Alerting`; there is one."""

    apiVersion: Literal["praetor/v1"]
    kind: Literal["Alerting"]
    metadata: AlertingMetadata
    times: list[Times] = Field(default_factory=list)
    routes: Annotated[list[Route], Field(min_length=1)]
    inhibit: list[Inhibition] = Field(default_factory=list)
