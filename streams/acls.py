"""Putting grants into force at a broker.

Source: Kafka's protocol, CreateAcls v1; the codes are those of ResourceType, PatternType, AclOperation and
AclPermissionType in `org.apache.kafka.common`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import ClusterAuthorizationFailedError, for_code
from aiokafka.protocol.admin import CreateAclsRequest

from runtime.errors import PraetorError
from runtime.kafka import Options, started
from runtime.kafka_access import OPERATIONS
from runtime.kafka_errors import principal
from schemas.access import Grant

RESOURCES = {"topic": 2, "group": 3, "transactional_id": 5}
LITERAL, PREFIXED = 3, 4
ALLOW = 3
SECURITY_DISABLED = 54  # aiokafka has no class for it


@dataclass(frozen=True)
class Allowed:
    """A grant to a principal in the broker's terms (`User:govern`)."""

    principal: str
    grant: Grant

    def codes(self) -> tuple[Any, ...]:
        """It as CreateAcls takes it."""
        pattern = PREFIXED if self.grant.prefixed else LITERAL
        operation = OPERATIONS[self.grant.operation]
        return (RESOURCES[self.grant.kind], self.grant.name, pattern, self.principal, "*", operation, ALLOW)


async def apply_grants(options: Options, allowed: Sequence[Allowed]) -> None:
    """Allow all of it; what is allowed already stays so. Nothing is taken away.

    Raises:
        PraetorError: the broker has no authorizer, or we may not change its grants, or it refuses one.
        Unavailable: no broker answers.
    """
    admin = await started(AIOKafkaAdminClient(**options), options)
    try:
        for one in allowed:
            answer = await admin._send_request(CreateAclsRequest(*one.codes()))
            for code, message in answer.creation_responses:
                if code:
                    raise _refused(one, code, message, options)
    finally:
        await admin.close()


def _refused(one: Allowed, code: int, message: str | None, options: Mapping[str, Any]) -> PraetorError:
    kind = for_code(code)
    if code == SECURITY_DISABLED:
        return PraetorError(
            "the broker has no authorizer, so that everyone may do everything: set its"
            " authorizer.class.name (org.apache.kafka.metadata.authorizer.StandardAuthorizer)"
        )
    if kind is ClusterAuthorizationFailedError:
        return PraetorError(
            f"Kafka does not let {principal(options)} do Alter on the cluster, which changing"
            " grants needs: log in as the broker's super user, or print the commands without --apply"
        )
    return PraetorError(
        f"Kafka did not grant {one.grant.operation} on {one.grant.name} to {one.principal}: "
        f"{message or kind.__name__}"
    )
