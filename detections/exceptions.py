"""Exceptions: findings that somebody has looked at and knows to be ordinary work.

A document of `kind: Exceptions`; a bundle may hold several. A finding that an exception mutes is recorded and
counted as ever, with the exception's id in `muted_by`; rules do not see it. An exception narrows: it names
detections, and of them the agents, tools, resources or values that are meant. To switch a detection off as a
whole is `enabled: false` in `kind: Detections`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from detections.sigma.fields import find_field, make_reader, text_of
from documents.pattern import Kind, parse_pattern
from documents.types import Id, Model, PatternText, Words
from schemas.action import Action
from schemas.arguments import Unreadable
from schemas.verdict import Finding

_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")


def _check_day(text: str) -> str:
    try:
        if not _DAY.match(text):
            raise ValueError(text)
        date.fromisoformat(text)
    except ValueError as error:
        raise PydanticCustomError(
            "pattern", "'expires' is {day}; write a day of the calendar, as 2027-03-31", {"day": repr(text)}
        ) from error
    return text


Day = Annotated[str, Field(max_length=10), AfterValidator(_check_day)]


def _check_field(name: str) -> str:
    if find_field(name) is None:
        raise PydanticCustomError("pattern", "an action has no field {name}", {"name": repr(name[:80])})
    return name


FieldName = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_check_field)]
Patterns = Annotated[list[PatternText], Field(min_length=1, max_length=1000)]
NARROWING = ("agents", "tools", "resources", "values")


class RuleException(Model):
    """One exception. All that it names must hold; of a list, one entry. Patterns are those of policies."""

    id: Annotated[Id, Field(description="What findings that it mutes carry in `muted_by`.")]
    detections: Annotated[
        list[Id], Field(min_length=1, max_length=100, description="The detections that it is about, by id.")
    ]
    agents: Annotated[Patterns | None, Field(description="Patterns of agent ids.")] = None
    tools: Annotated[Patterns | None, Field(description="Patterns of tools; without a tool: not meant.")] = (
        None
    )
    resources: Annotated[Patterns | None, Field(description="Patterns of what the action is done to.")] = None
    values: Annotated[
        dict[FieldName, Patterns] | None,
        Field(min_length=1, max_length=20, description="Patterns by field, as rules have them: `args.to`."),
    ] = None
    expires: Annotated[
        Day,
        Field(description="The first day, in UTC, on which it mutes no more: then look again."),
    ]
    author: Annotated[Words, Field(description="Who answers for it.")]
    reason: Annotated[Words, Field(description="Why these findings are ordinary work.")]

    @model_validator(mode="after")
    def _narrow(self) -> "RuleException":
        if all(getattr(self, key) is None for key in NARROWING):
            raise PydanticCustomError(
                "empty",
                "the exception would mute all that its detections find; name {keys}, or switch them off with"
                " 'enabled: false' in kind: Detections",
                {"keys": ", ".join(NARROWING[:-1]) + f" or {NARROWING[-1]}"},
            )
        return self

    @property
    def expires_ms(self) -> int:
        """The moment from which on it mutes no more, in milliseconds since 1970."""
        day = date.fromisoformat(self.expires)
        return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


class ExceptionsDocument(Model):
    """A document of `kind: Exceptions`."""

    apiVersion: Annotated[Literal["praetor/v1"], Field(description="The language's version.")]
    kind: Annotated[Literal["Exceptions"], Field(description="What this document is.")]
    exceptions: Annotated[
        list[RuleException],
        Field(min_length=1, max_length=9_999, description="The first that holds mutes."),
    ]


Test = Callable[[Action], bool]


class _Muting(NamedTuple):
    """An exception, compiled."""

    id: str
    expires_ms: int
    tests: tuple[Test, ...]


class Exceptions:
    """The exceptions of a bundle, compiled; pure."""

    def __init__(self, exceptions: Iterable[RuleException] = ()) -> None:
        """Compile them, in their order."""
        self._by_detection: dict[str, list[_Muting]] = {}
        for exception in exceptions:
            made = _Muting(exception.id, exception.expires_ms, _tests(exception))
            for detection in dict.fromkeys(exception.detections):
                self._by_detection.setdefault(detection, []).append(made)

    def muted_by(self, finding: Finding, action: Action) -> str | None:
        """The id of the first exception that mutes a finding of this action; None if none does.

        Whether it has expired is asked of the action's `received_at`. Agent, tool and resource are those of
        the action that completed the finding, also where its evidence is of several actions.
        """
        for muting in self._by_detection.get(finding.detector, ()):
            if action.received_at < muting.expires_ms and all(test(action) for test in muting.tests):
                return muting.id
        return None


def _tests(exception: RuleException) -> tuple[Test, ...]:
    found: list[Test] = []
    if exception.agents is not None:
        agents = _matcher(exception.agents)
        found.append(lambda action: agents(action.agent_id))
    if exception.tools is not None:
        tools = _matcher(exception.tools)
        found.append(lambda action: action.tool is not None and tools(action.tool))
    if exception.resources is not None:
        resources = _matcher(exception.resources)
        found.append(lambda action: resources(action.resource))
    for name, patterns in (exception.values or {}).items():
        found.append(_value_test(name, patterns))
    return tuple(found)


def _value_test(name: str, patterns: Iterable[str]) -> Test:
    """Whether a value of a field matches; of arguments that cannot be read, none does: nothing is muted."""
    read, matches = make_reader(name), _matcher(patterns)

    def test(action: Action) -> bool:
        try:
            values = read(action)
        except Unreadable:
            return False
        return any(matches(text) for text in map(text_of, values) if text is not None)

    return test


def _matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a text matches one of some patterns."""
    parsed = [parse_pattern(pattern) for pattern in patterns]
    exact = frozenset(p.text for p in parsed if p.kind is Kind.exact)
    heads = tuple(p.text for p in parsed if p.kind is Kind.prefix)
    globs = [re.compile(p.regex).match for p in parsed if p.kind is Kind.glob]
    return lambda text: text in exact or text.startswith(heads) or any(glob(text) for glob in globs)


def write_exceptions(exceptions: Iterable[RuleException]) -> list[Mapping[str, object]]:
    """Plain values, as bundles carry them: `RuleException.model_validate` reads each back."""
    return [e.model_dump(mode="json", exclude_none=True) for e in exceptions]
