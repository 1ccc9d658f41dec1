"""The response policy: what an incident leads to, and the guard rails. Pure.

A response is planned in the incident's state first, then its order is given, then its offset noted: an order
is a function of the plan alone, so that giving it again after a crash gives the same order.
"""

from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import Field

from documents.types import Id, Model, SeverityName, Tag, Text
from judgement.standing_order import Target
from policies.rule import seconds
from schemas.keys import escape
from schemas.verdict import Severity
from streams.correlate.incidents import Incident, open_agents
from streams.orders import Order
from streams.standing_orders import payload, target_payload

GroupName = Literal["agent", "session", "user", "resource", "tool", "tenant"]
ResponseName = Literal["quarantine", "kill_session", "ask"]
ORDERS = {"quarantine": "quarantine", "kill_session": "kill"}
"""The order on agent.control of each response; `ask` gives none: the incident says whom to ask what."""
REASON = "incident "
"""How the reason of each response's order begins."""
LONGEST_REASON = 400


class Guard(Model):
    """What bounds responses: at most so many agents within a time, and never those that are exempt."""

    agents: Annotated[int, Field(ge=1, le=10_000)] = 5
    within: Text = "10m"
    exempt: list[Text] = Field(default_factory=list)


class When(Model):
    """Which incidents a rule answers; a field that is not there asks nothing."""

    severity: SeverityName | None = None
    group_by: Annotated[list[GroupName], Field(min_length=1)] | None = None
    tags: Annotated[list[Tag], Field(min_length=1)] | None = None
    detectors: Annotated[list[Text], Field(min_length=1)] | None = None
    tenants: Annotated[list[Text], Field(min_length=1)] | None = None
    threats: Annotated[int, Field(ge=0)] = 0

    def holds(self, incident: Incident) -> bool:
        """Whether an incident is one of these."""
        tally = incident["tally"]
        return (
            (self.severity is None or tally["severity"] >= Severity[self.severity])
            and (self.group_by is None or incident["group_by"] in self.group_by)
            and (self.tags is None or not set(self.tags).isdisjoint(tally["tags"]))
            and (self.detectors is None or not set(self.detectors).isdisjoint(tally["detectors"]))
            and (self.tenants is None or incident["tenant"] in self.tenants)
            and tally["threats"] >= self.threats
        )


class ResponseRule(Model):
    """What to do about some incidents, and for how long."""

    id: Id
    when: When = When()
    respond: Annotated[list[ResponseName], Field(min_length=1)]
    duration: Text = "1h"


class ResponsesMetadata(Model):
    """What the policy is called and for."""

    name: Id
    description: Text = ""


class ResponsePolicy(Model):
    """A document of `kind: Responses`: the first rule that holds answers an incident."""

    apiVersion: Literal["praetor/v1"]
    kind: Literal["Responses"]
    metadata: ResponsesMetadata
    dry_run: bool = False
    guard: Guard = Guard()
    rules: Annotated[list[ResponseRule], Field(min_length=1)]

    def plan(self, incident: Incident, now: int) -> list[dict[str, Any]]:
        """What is still to be done about an incident at a moment of its partition's clock."""
        if incident["released"]:
            return []
        rule = next((rule for rule in self.rules if rule.when.holds(incident)), None)
        if rule is None:
            return []
        done = {(r["kind"], r["target"]) for r in incident["responses"]}
        until = now + seconds(rule.duration) * 1000
        found = []
        for kind in rule.respond:
            for names in _targets(kind, incident):
                target = "/".join(escape(name) for name in names)
                if (kind, target) not in done:
                    made = {"kind": kind, "target": target, "names": names, "at": now, "until": until}
                    made |= {"control_offset": None, "reason": rule.id, "dry_run": self.dry_run}
                    found.append(made | {"pending": kind in ORDERS and not self.dry_run})
        return found

    def spares(self, tenant: str, agent: str) -> bool:
        """Whether an agent is exempt; `exempt` are tenant/agent with * for any characters."""
        return any(fnmatchcase(f"{tenant}/{agent}", pattern) for pattern in self.guard.exempt)


def _targets(kind: str, incident: Incident) -> list[list[str]]:
    tenant, tally = incident["tenant"], incident["tally"]
    if kind == "ask":
        return [[tenant]]
    if kind == "quarantine":
        return [[tenant, agent] for agent in open_agents(incident)]
    if incident["group_by"] != "agent":
        return []  # which agent has which session is not told of other groups
    return [[tenant, tally["agents"][0], session] for session in tally["sessions"]]


def order_of(incident: Incident, response: dict[str, Any], author: str) -> Order:
    """The order of a planned response: the same each time."""
    why = f"{REASON}{incident['incident_id']}, rule {response['reason']}"
    said = {"reason": why[:LONGEST_REASON], "expires_at": response["until"]}
    body = payload(target=target_payload(Target(*response["names"])), **said)
    return Order(incident["log_id"], ORDERS[response["kind"]], author, response["at"], body)
