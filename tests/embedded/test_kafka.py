from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from runtime.embedded.services import Broker


async def test_records_survive_a_restart_and_a_kill(own_broker: Broker) -> None:
    await create(own_broker.bootstrap, "kept")
    for number, interrupt in enumerate((own_broker.stop, own_broker.kill)):
        await produce(own_broker.bootstrap, "kept", b"%d" % number)
        interrupt()
        own_broker.start()
        assert await read(own_broker.bootstrap, "kept") == [b"%d" % n for n in range(number + 1)]


async def create(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()


async def produce(bootstrap: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(topic, value)
    await producer.stop()


async def read(bootstrap: str, topic: str) -> list[bytes]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    end = (await consumer.end_offsets(list(consumer.assignment())))[next(iter(consumer.assignment()))]
    values = [(await consumer.getone()).value for _ in range(end)]
    await consumer.stop()
    return values
