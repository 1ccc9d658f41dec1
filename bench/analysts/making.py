"""Fills a ClickHouse with decisions of agents' traffic, made by ClickHouse itself: no Kafka, no judgement."""

import re
from collections import Counter
from pathlib import Path

from clickhouse_connect.driver.client import Client

from sinks.statements import split_statements

STATEMENT = Path(__file__).with_name("making.sql").read_text(encoding="utf-8")
AROUND = Path(__file__).with_name("around.sql").read_text(encoding="utf-8")
TEXTS = Path(__file__).parents[2] / "docs"
VOCABULARY = 4001
BLOCK = 100_000
"""Rows of one insert: as many as the archive's largest."""


def vocabulary() -> list[str]:
    """The words of the project's pages, the most frequent first."""
    counts: Counter[str] = Counter()
    for page in sorted(TEXTS.rglob("*.md")):
        counts.update(re.findall(r"[a-z]{2,14}", page.read_text(encoding="utf-8").lower()))
    found = [word for word, _ in counts.most_common(VOCABULARY)]
    return found + [f"word{n}" for n in range(VOCABULARY - len(found))]


def make(client: Client, words: list[str], rows: int, first: int, end: int) -> None:
    """Insert a block of decisions, from number `first` on; `end`: when the last is received, seconds."""
    client.command(
        STATEMENT,
        {
            "words": words,
            "rows": rows,
            "first": first,
            "count": min(BLOCK, rows - first),
            "end": end,
        },
        settings={
            "exclude_materialize_skip_indexes_on_insert": "by_words",
            "max_block_size": BLOCK,
            "max_insert_block_size": BLOCK,
            "min_insert_block_size_rows": BLOCK,
            "max_threads": 1,
            "insert_deduplicate": 0,
        },
    )


def make_around(client: Client, end: int) -> None:
    """Threats and incidents of the decisions that are there, in place of those of before."""
    for statement in split_statements(AROUND):
        client.command(statement, {"end": end} if "{end" in statement else None)
