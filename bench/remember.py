"""Many agents that once did something: in a partition's memory, and on `agent.state`."""

import asyncio
import gc
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer

from bench.load import TENANT, make_actions
from bench.measure import resident_bytes
from bench.memory import START_MS, judge_all, new_partition, receive, rules_of
from bench.stack import PARTITIONS, Job
from detections.activity import CELL, count_action
from runtime.kafka import started
from schemas.keys import agent_key, partition_of
from schemas.topics import STATE, topic_name
from streams.cells import add_state_record, cell_key
from streams.takeover import MAX_BATCH_BYTES


def idle_cells(agents: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values on agent.state of agents that have acted once."""
    for number in range(agents):
        key = agent_key(TENANT, f"agent-{number}")
        yield cell_key(key, CELL), count_action(None, START_MS - 1000 * number, False)


async def judge_among(job: Job) -> dict[str, Any]:
    """Judge actions of a partition that remembers `agents` agents; `actions`, how many; `detecting`."""
    agents, actions = job.settings["agents"], job.settings["actions"]
    made = list(make_actions(actions, agents))
    records = receive(made)
    partition = new_partition(rules_of(10, detecting=job.settings["detecting"]))
    gc.collect()
    before = resident_bytes()
    for key, value in idle_cells(agents):
        add_state_record(key, value, partition.agents)
    gc.collect()
    held = resident_bytes() - before
    found = list(judge_all(partition, records))
    acting = [_held(partition.agents[key]) for key in {key for key, _ in made}]
    return {
        "cpu_us": sum(cost for cost, _ in found) / len(found),
        "cells": sum(len(batch.cells) for _, batch in found) / len(found),
        "bytes_an_agent": held / agents,
        "acting_bytes": sum(acting) / len(acting),
        "acting_most": max(acting),
    }


def _held(cells: Mapping[str, bytes]) -> int:
    """Bytes of an agent's cells in memory, their table too; the names are shared."""
    return sys.getsizeof(cells) + sum(map(sys.getsizeof, cells.values()))


async def remember(job: Job) -> dict[str, Any]:
    """Write the cells of `agents` agents to a log's state topic."""
    options = job.log.options
    producer = AIOKafkaProducer(
        **options,
        enable_idempotence=True,
        max_batch_size=MAX_BATCH_BYTES,
        max_request_size=2 * MAX_BATCH_BYTES,
    )
    producer = await started(producer, options)
    name = topic_name(STATE, job.prefix)
    builders = {p: producer.create_batch() for p in range(PARTITIONS)}
    acks = []
    for key, value in idle_cells(job.settings["agents"]):
        p = partition_of(key.partition(b"\x00")[0], PARTITIONS)
        if builders[p].append(timestamp=None, key=key, value=value) is None:
            acks.append(await producer.send_batch(builders[p], name, partition=p))
            builders[p] = producer.create_batch()
            builders[p].append(timestamp=None, key=key, value=value)
    for p, builder in builders.items():
        acks.append(await producer.send_batch(builder, name, partition=p))
    await asyncio.gather(*acks)
    await producer.stop()
    return {"agents": job.settings["agents"]}
