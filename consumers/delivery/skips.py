"""Orders to go on without what retention removed: receipts that a person's command writes."""

from collections import defaultdict

from aiokafka import TopicPartition

from consumers.delivery.records import skip_key
from runtime.kafka import Ends, Options, read_partition
from schemas.codec import decode
from schemas.topics import DELIVERIES, topic_name


class Skips:
    """Reads the orders of one destination. A partition is read from its beginning once, then what is new."""

    def __init__(self, options: Options, ends: Ends, destination: str, prefix: str) -> None:
        """Take whose orders are read."""
        self.destination = destination
        self._options = options
        self._ends = ends
        self._key = skip_key(destination)
        self._topic = topic_name(DELIVERIES, prefix)
        self._read_to: dict[int, int] = {}
        self._found: dict[TopicPartition, list[tuple[int, int]]] = defaultdict(list)

    async def beyond(self, tp: TopicPartition, offset: int) -> int | None:
        """Where to go on from an offset that is no longer there; None: nobody has ordered to.

        Raises:
            KafkaError: the broker does not let it be read now.
        """
        await self._read(tp.partition)
        after = [last + 1 for first, last in self._found[tp] if first <= offset <= last]
        return max(after, default=None)

    async def _read(self, partition: int) -> None:
        place = TopicPartition(self._topic, partition)
        start = max(await self._ends.beginning(place), self._read_to.get(partition, 0))
        end = await self._ends.stable_end(place)
        async for records in read_partition(self._options, place, start, end):
            for record in records:
                if record.key == self._key:
                    order = decode(record.value, "delivery")
                    span = order["first_offset"], order["last_offset"]
                    self._found[TopicPartition(order["topic"], order["partition"])].append(span)
        self._read_to[partition] = end
