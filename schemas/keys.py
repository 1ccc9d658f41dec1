"""Keys of records, and the partition that a key belongs to."""

from aiokafka.partitioner import murmur2

SEPARATOR = "/"


def escape(part: str) -> str:
    """Escape a part of a key so that the separator and the zero byte never stand in it."""
    return part.replace("%", "%25").replace("/", "%2F").replace("\x00", "%00")


def agent_key(tenant: str, agent_id: str) -> bytes:
    """The key of an agent's records: tenant/agent, each escaped, UTF-8."""
    both = f"{tenant}{SEPARATOR}{agent_id}"
    if "%" in both or "\x00" in both or both.count(SEPARATOR) > 1:
        both = f"{escape(tenant)}{SEPARATOR}{escape(agent_id)}"
    return both.encode()


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key as Kafka's Java client and `murmur2_random` choose it."""
    hashed: int = murmur2(key)
    return (hashed & 0x7FFFFFFF) % partitions
