from pathlib import Path

import pytest

from runtime.errors import PraetorError
from runtime.settings import Settings, load_settings, need_bootstrap, need_clickhouse
from runtime.stack import Process, Stack, read_stack, this_process, write_stack


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PRAETOR_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def stack(data: Path, bootstrap: str, supervisor: Process | None = None) -> Path:
    data.mkdir()
    write_stack(
        data,
        Stack(
            supervisor=supervisor or this_process(),
            ready=True,
            bootstrap=bootstrap,
            clickhouse_url="http://stack",
            clickhouse_password="hush-hush",
            keys_dir=data / "keys",
        ),
    )
    return data


def test_explicit_beats_environment_beats_stack_beats_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().bootstrap == ""
    stack(tmp_path / ".praetor", "stack:1")
    found = load_settings()
    assert (found.bootstrap, found.clickhouse_url) == ("stack:1", "http://stack")
    assert found.clickhouse_password.get_secret_value() == "hush-hush"
    monkeypatch.setenv("PRAETOR_BOOTSTRAP", "environment:1")
    assert load_settings().bootstrap == "environment:1"
    assert load_settings().clickhouse_url == "http://stack"
    assert load_settings(bootstrap="explicit:1", topic_prefix=None).bootstrap == "explicit:1"


def test_a_folder_that_is_named_beats_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRAETOR_BOOTSTRAP", "environment:1")
    monkeypatch.setenv("PRAETOR_DATA", str(stack(tmp_path / "a", "a:1")))
    stack(tmp_path / "b", "b:1")
    assert load_settings().bootstrap == "environment:1"
    assert load_settings().data == tmp_path / "a"
    assert load_settings(tmp_path / "b").bootstrap == "b:1"
    assert load_settings(tmp_path / "b").keys == tmp_path / "b" / "keys"


def test_a_stack_that_does_not_run_is_not_found(tmp_path: Path) -> None:
    gone = stack(tmp_path / "gone", "gone:1", Process(pid=this_process().pid, started="another"))
    settings = load_settings(gone)
    assert settings.bootstrap == ""
    with pytest.raises(PraetorError, match=r"praetor up -d --data .*gone.*PRAETOR_BOOTSTRAP"):
        need_bootstrap(settings)
    with pytest.raises(PraetorError, match="PRAETOR_CLICKHOUSE_URL"):
        need_clickhouse(settings)


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRAETOR_LOG_LEVEL", "loud")
    with pytest.raises(PraetorError, match=r"(?s)log_level.*metrics_port|metrics_port.*log_level"):
        load_settings(metrics_port=70000)


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    found = load_settings(stack(tmp_path / "s", "s:1"))
    assert "hush-hush" not in f"{found!r} {found} {found.model_dump_json()}"


def test_a_file_that_is_not_a_stack_s_is_named(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{}")
    with pytest.raises(PraetorError, match=r"stack\.json is not a stack file"):
        read_stack(tmp_path)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())
