"""Queries with a name: the questions that analysts ask, one SQL file each under sinks/queries/.

Each takes a tenant, where it has one, and a span of time; `{name:Type}` in the file is bound by ClickHouse.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files

from runtime.errors import PraetorError

PARAMETER = re.compile(r"\{(\w+):([^}]+)\}")
COMMENT = re.compile(r"^--.*\n", re.MULTILINE)
# of every query that does not say otherwise
DEFAULTS = {"since": "24h", "until": "now", "limit": "100"}


@dataclass(frozen=True)
class Named:
    """A question and the statement that answers it.

    Attributes:
        name: of the query and its file.
        question: in words.
        example: values that make sense together.
        optional: the value of a key that is left out; keys of neither this nor DEFAULTS must be given.
        choices: the values that a key may have, where they are few.
    """

    name: str
    question: str
    example: str
    optional: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def sql(self) -> str:
        """The statement."""
        path = files("sinks").joinpath("queries", f"{self.name}.sql")
        return COMMENT.sub("", path.read_text(encoding="utf-8")).strip()

    @cached_property
    def types(self) -> dict[str, str]:
        """ClickHouse's type of each key, in order of appearance."""
        return dict(PARAMETER.findall(self.sql))

    @cached_property
    def defaults(self) -> dict[str, str]:
        """The values of keys that may be left out."""
        return {key: value for key, value in {**DEFAULTS, **self.optional}.items() if key in self.types}

    @cached_property
    def needed(self) -> list[str]:
        """The keys that must be given."""
        return [key for key in self.types if key not in self.defaults]


BY_COST = ("model", "agent", "team", "day", "tool")
BY_ACTIVITY = ("effect", "agent", "team", "tool", "model", "rule")

QUERIES = (
    Named("agent-actions", "What did this agent do?", "tenant=acme agent=coder-1"),
    Named(
        "why-denied",
        "Why was this denied, and under which rules? Every rule that matched is a row.",
        "tenant=acme agent=coder-1 since=7d",
        {"agent": "", "event": ""},
    ),
    Named("denials", "Who is being denied, how often, and by which rule?", "tenant=acme since=30d"),
    Named(
        "resource-touched",
        "Who touched this resource, or anything below it?",
        "tenant=acme resource=/srv/payroll since=30d",
    ),
    Named(
        "search",
        "Where do all these words stand in a resource, in arguments or content?",
        "tenant=acme text='drop table customers'",
    ),
    Named(
        "rule-stops",
        "What would this rule have stopped, were it in force?",
        "tenant=acme rule=no-shell since=7d",
        {"policy": ""},
    ),
    Named(
        "idle-rules",
        "Which rules do not match anything? Of those that ever did, or of known=policy/rule,policy/rule.",
        "tenant=acme since=30d",
        {"known": "", "since": "30d", "limit": "1000"},
    ),
    Named(
        "cost",
        "What do models, agents, teams, days or tools cost?",
        "tenant=acme by=team since=30d",
        {"by": "model"},
        {"by": BY_COST},
    ),
    Named(
        "activity",
        "How many actions a minute, hour or day, and how many of them denied?",
        "tenant=acme by=tool step=day since=30d",
        {"by": "effect", "step": "hour", "limit": "1000"},
        {"by": BY_ACTIVITY, "step": ("minute", "hour", "day")},
    ),
    Named(
        "delays",
        "How long do actions take from their producer to the broker?",
        "tenant=acme by=agent",
        {"by": "tool"},
        {"by": ("tool", "agent", "model")},
    ),
    Named(
        "session-timeline",
        "What happened in this session: actions, threats, incidents, in order?",
        "tenant=acme session=s-42",
        {"limit": "1000"},
    ),
    Named("threats", "What was found?", "tenant=acme since=7d", {"agent": ""}),
    Named(
        "incidents",
        "Which incidents are there, and how do they stand?",
        "tenant=acme status=open since=30d",
        {"status": ""},
        {"status": ("", "open", "acknowledged", "resolved")},
    ),
    Named(
        "blast-radius",
        "What did the agents of an incident touch while it lasted? An hour more at both ends.",
        "tenant=acme incident=i-7",
        {"limit": "20"},
    ),
    Named(
        "bypass",
        "What was executed without a decision, although denied, or with other arguments?",
        "tenant=acme since=7d",
        {"agent": ""},
    ),
    Named(
        "receipts",
        "What did each destination take?",
        "destination=siem since=7d",
        {"destination": ""},
    ),
)


def named(name: str) -> Named:
    """The query of a name.

    Raises:
        PraetorError: there is none; the message names those that there are.
    """
    for query in QUERIES:
        if query.name == name:
            return query
    known = ", ".join(query.name for query in QUERIES)
    raise PraetorError(f"there is no query {name!r}; there are {known}. `praetor query --list` explains them")
