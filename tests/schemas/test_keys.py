"""Keys tell agents apart, and fall where Kafka's Java client puts them."""

from urllib.parse import unquote

import pytest
from aiokafka.partitioner import DefaultPartitioner, murmur2
from hypothesis import given
from hypothesis import strategies as st

from schemas.keys import agent_key, escape, partition_of

NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=20) | st.text("%/\x0025F", max_size=8)

# org.apache.kafka.common.utils.UtilsTest.testMurmur2
VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), VECTORS.items())
def test_murmur2_is_that_of_kafkas_own_tests(key, hashed):
    assert murmur2(key) & 0xFFFFFFFF == hashed & 0xFFFFFFFF
    for partitions in (1, 7, 12, 48):
        assert partition_of(key, partitions) == (hashed & 0x7FFFFFFF) % partitions


@given(NAMES, NAMES, st.integers(1, 100))
def test_the_partition_is_the_default_partitioners(tenant, agent, partitions):
    key = agent_key(tenant, agent)
    every = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, every, every)


@given(NAMES)
def test_escaping_can_be_undone_and_leaves_no_separator(text):
    escaped = escape(text)
    assert unquote(escaped) == text
    assert "/" not in escaped
    assert "\x00" not in escaped


@given(NAMES, NAMES, NAMES, NAMES)
def test_two_agents_never_share_a_key(tenant, agent, other_tenant, other_agent):
    same = agent_key(tenant, agent) == agent_key(other_tenant, other_agent)
    assert same == ((tenant, agent) == (other_tenant, other_agent))


def test_keys_that_a_plain_join_would_confuse():
    assert agent_key("a/b", "c") == b"a%2Fb/c"
    assert agent_key("a", "b/c") == b"a/b%2Fc"
    assert agent_key("a%2Fb", "c") == b"a%252Fb/c"
    assert agent_key("\x00progress", "") == b"%00progress/"
