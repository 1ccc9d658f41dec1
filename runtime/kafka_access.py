"""What the broker lets us do with topics, asked before it is tried.

Without leave, some of aiokafka's calls repeat themselves without an end instead of failing.
Source: Kafka's protocol, Metadata v8 (KIP-430): authorized operations are a bit field by the codes of
`org.apache.kafka.common.acl.AclOperation`.
"""

from collections.abc import Collection, Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from runtime.kafka_errors import missing

OPERATIONS = {
    "Read": 3,
    "Write": 4,
    "Create": 5,
    "Delete": 6,
    "Alter": 7,
    "Describe": 8,
    "DescribeConfigs": 10,
    "AlterConfigs": 11,
}
NOT_TOLD = -(1 << 31)
TOPIC_AUTHORIZATION_FAILED = 29


class _Answer(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(
                ("node_id", Int32),
                ("host", String("utf-8")),
                ("port", Int32),
                ("rack", String("utf-8")),
            ),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("name", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _Question(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _Ask(Request[_Question]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[_Question]) -> _Question:
        return request_struct_class(self._topics, False, False, True)


async def need_access(
    admin: AIOKafkaAdminClient, options: Mapping[str, Any], needs: Mapping[str, Collection[str]]
) -> None:
    """Check that we may do with each topic what is needed of it; a topic that is not there is passed over.

    A broker that does not tell (older than 2.3, or of another make) is believed to allow everything.

    Raises:
        PraetorError: grants are missing; every one is named.
        aiokafka.errors.KafkaError: the broker does not answer.
    """
    try:
        answer = await admin._send_request(_Ask(needs))
    except (IncompatibleBrokerVersion, NotImplementedError):
        return
    lacking = [
        f"{operation} on topic {found[1]}"
        for found in answer.topics
        for operation in needs[found[1]]
        if not _granted(found[0], found[4], operation)
    ]
    if lacking:
        raise missing(options, *lacking)


def _granted(code: int, operations: int, operation: str) -> bool:
    if code == TOPIC_AUTHORIZATION_FAILED:
        return False
    if code or operations == NOT_TOLD:
        return True
    return bool(operations >> OPERATIONS[operation] & 1)
