"""The documents tell the truth: examples run, reference pages are what the code says, links lead on."""

import re
from pathlib import Path

import pytest

from cli.query import ask
from cli.reference import PAGES
from runtime.settings import Settings
from sinks.migrate import migrate

ROOT = Path(__file__).parents[2]
PAGES_OF_PROSE = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_what_the_code_says(name: str):
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "run `make docs` and commit what it writes"


@pytest.mark.parametrize("page", PAGES_OF_PROSE, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", prose)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_queries_of_the_pages_run(clickhouse: str):
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database="docs")
    migrate(settings)
    queries = [
        sql for page in PAGES_OF_PROSE for sql in re.findall(r"```sql\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    assert len(queries) > 5
    for sql in queries:
        assert ask(settings, sql, "JSONCompact", {})
