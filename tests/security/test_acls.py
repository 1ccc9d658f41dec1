"""Praetor on a broker that lets nobody do what is not granted: with exactly the grants that ship."""

import asyncio
import re
import shutil
import time
from uuid import uuid4

import pytest
import yaml

from runtime.errors import PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings
from schemas.access import ACLS, grants, principals, topic_needs
from sinks.migrate import migrate
from streams.acls import Allowed, apply_grants
from streams.worker_report import WorkerReport
from tests.security.conftest import Command
from tests.security.parts import ACTIONS, Parts
from tests.security.secured import SecuredBroker

# aiokafka does not wait for the end of a connection that did not work, nor of its first one
pytestmark = pytest.mark.filterwarnings("ignore:unclosed (transport|<s):ResourceWarning")

# in the order in which a log comes to life
AT_WORK = (
    *("admin", "operator", "producer", "govern", "archive", "forward", "correlate", "alert"),
    *("auditor", "redrive", "reconcile", "backup", "doctor", "rewind"),
)
RESOURCE = {"topic": "topic", "group": "group", "transactional_id": "transactional id"}
PATIENCE = 30.0


@pytest.fixture(scope="module")
def database(clickhouse: str) -> Settings:
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"acls_{uuid4().hex}")
    migrate(settings)
    return settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("acls")


@pytest.fixture
def parts(secured: SecuredBroker, command: Command, folder, database: Settings) -> Parts:
    return Parts(secured, command, folder, database)


def every(optional: bool = False) -> list[Allowed]:
    return [
        Allowed(f"User:{name}", grant)
        for name in AT_WORK
        for grant in grants(name)
        if grant.optional == optional
    ]


def test_everything_works_with_exactly_the_shipped_grants(
    secured: SecuredBroker, command: Command, parts: Parts
) -> None:
    with pytest.raises(PraetorError, match=r"User:admin do Create on topic agent\.actions"):
        parts.run("admin")
    assert "grants are in force" in command(secured.variables(), "topics", "acls", "--apply")
    for principal in AT_WORK:
        if principal == "govern":
            parts.garble()
        parts.run(principal)
    assert parts.archived() == ACTIONS


@pytest.mark.parametrize(
    "allowed", every(), ids=lambda a: f"{a.principal[5:]}-{a.grant.operation}-{a.grant.name}"
)
def test_a_missing_grant_is_named(secured: SecuredBroker, parts: Parts, allowed: Allowed) -> None:
    grant = allowed.grant
    named = f"{allowed.principal} do .*{grant.operation} on {RESOURCE[grant.kind]} {re.escape(grant.name)}"
    asyncio.run(secured.revoke([allowed]))
    begun = time.monotonic()
    try:
        with pytest.raises(PraetorError, match=named):
            parts.run(allowed.principal[5:])
    finally:
        asyncio.run(apply_grants({"bootstrap_servers": secured.bootstrap}, [allowed]))
    assert time.monotonic() - begun < PATIENCE


def test_a_worker_that_may_not_report_judges_and_can_name_the_grant(
    secured: SecuredBroker, parts: Parts
) -> None:
    (allowed,) = every(optional=True)
    asyncio.run(secured.revoke([allowed]))
    try:
        parts.run("govern")
        options = common_options(parts._settings("govern"))
        with pytest.raises(PraetorError, match=r"User:govern do .*Write on topic agent\.workers"):
            asyncio.run(WorkerReport(options, "", dict)._connect())
    finally:
        asyncio.run(apply_grants({"bootstrap_servers": secured.bootstrap}, [allowed]))


def test_every_part_is_tried() -> None:
    assert set(AT_WORK) == set(principals())


@pytest.mark.parametrize("principal", ["auditor", "operator"])
def test_the_doctor_says_which_grants_it_lacks(parts: Parts, principal: str) -> None:
    lacking = rf"User:{principal} do .*DescribeConfigs on topic agent\.threats.*Read on topic agent\.state"
    with pytest.raises(PraetorError, match=lacking):
        parts.examined(principal, set())


def test_an_auditor_may_end_a_roll_over(parts: Parts, command: Command, folder, tmp_path) -> None:
    shutil.copytree(folder / "keys", tmp_path / "keys")
    variables = {**parts.variables("auditor"), "PRAETOR_DATA": str(tmp_path)}
    command(variables, "ledger", "keys", "rotate")
    with pytest.raises(PraetorError, match="partitions 0, 1 is not signed by both keys"):
        command(variables, "ledger", "keys", "retire")


def test_nobody_else_may_change_grants(secured: SecuredBroker, command: Command) -> None:
    with pytest.raises(PraetorError, match=r"User:operator do Alter on the cluster.*super user"):
        command(secured.variables("operator"), "topics", "acls", "--apply")


def test_a_broker_without_an_authorizer_is_said(broker: str, command: Command) -> None:
    with pytest.raises(PraetorError, match=r"no authorizer.*authorizer\.class\.name"):
        command({"PRAETOR_BOOTSTRAP": broker}, "topics", "acls", "--apply")


def test_the_file_says_why_and_means_topics_that_there_are() -> None:
    document = yaml.safe_load(ACLS.read_text())
    for name in principals():
        grants = document[name]["grants"]
        assert all(len(entry.keys() - {"optional"}) == 3 and entry["why"] for entry in grants)
        assert topic_needs(name, "p-")


def test_the_prefix_is_before_what_is_written_and_not_before_what_all_share() -> None:
    names = {(grant.kind, grant.name) for grant in grants("govern", "p-")}
    assert {("topic", "agent.actions"), ("topic", "p-agent.state"), ("group", "p-praetor-govern-")} <= names
    assert topic_needs("admin", "p-")["p-agent.threats"] == {"Describe", "DescribeConfigs"}


def test_commands_and_principals_may_be_chosen(command: Command) -> None:
    printed = command({}, "topics", "acls", "govern", "--principal-map", "govern=User:CN=g 1")
    assert (
        "--allow-principal 'User:CN=g 1' --operation Read --operation Write --topic agent.state\n" in printed
    )
    assert "--group praetor-govern- --resource-pattern-type prefixed\n" in printed
    with pytest.raises(PraetorError, match="no principal nobody; there are producer, govern"):
        command({}, "topics", "acls", "nobody")
    with pytest.raises(PraetorError, match="NAME=User:… was expected"):
        command({}, "topics", "acls", "--principal-map", "govern=alice")
