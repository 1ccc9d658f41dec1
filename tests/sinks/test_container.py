"""A container of joined bodies is what an Avro library reads."""

import io

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import newest
from schemas.codec import encode_body
from schemas.varint import zigzag
from sinks.container import container
from tests.sinks.helpers import decision


@pytest.mark.parametrize("count", [1, 2, 500])
def test_an_avro_library_reads_it(count: int) -> None:
    of = newest("decision")
    rows = [decision(i) for i in range(count)]
    data = container(of, [encode_body(of, row) for row in rows])
    read = list(fastavro.reader(io.BytesIO(data)))
    assert [(row["seq"], row["resource"], row["leaf"]) for row in read] == [
        (row["seq"], row["resource"], row["leaf"]) for row in rows
    ]


@given(number=st.integers(0, 2**62))
def test_lengths_are_avro_longs(number: int) -> None:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, "long", number)
    assert zigzag(number) == out.getvalue()
