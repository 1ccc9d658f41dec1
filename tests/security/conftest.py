import gc
import os
from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner

from cli.main import app
from runtime.errors import PraetorError, Unavailable
from tests.security.secured import SecuredBroker

Command = Callable[..., str]


@pytest.fixture(scope="package")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    broker = SecuredBroker(tmp_path_factory.mktemp("secured"))
    with broker.broker:
        yield broker


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    for name in [name for name in os.environ if name.startswith("PRAETOR_") and name != "PRAETOR_CACHE"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What a test left unclosed is found under the test's own filter of warnings, not in a later test."""
    yield
    gc.collect()


@pytest.fixture
def command() -> Command:
    """Runs a command in this process with these variables; raises what a person would be told."""

    def run(variables: dict[str, str], *words: str) -> str:
        result = CliRunner().invoke(app, list(words), env=variables)
        if isinstance(result.exception, PraetorError | Unavailable):
            raise result.exception
        assert result.exception is None, f"{result.exception!r}: {result.output}"
        return result.output

    return run
