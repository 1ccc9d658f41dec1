"""The SDK as it is installed: its wheel in a clean environment of each of its Pythons, without the server."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.codec import decode
from tests.sdk.helpers import Actions, whole

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
HERE = f"3.{sys.version_info.minor}"
VERSIONS = [
    pytest.param(version, marks=() if version == HERE else pytest.mark.interop)
    for version in ("3.9", "3.10", "3.11", "3.12", "3.13")
]
# what the server's tests compare is what every Python must write
RECORD = {
    "event_id": "4e0f9f4e-8b0a-4b43-9a5e-0f6d3f1c2b7a",
    "tenant": "acme",
    "agent_id": "coder/1",
    "occurred_at": 1_790_000_000_000_000,
    "phase": "call",
    "mode": "observe",
    "action": "read:file",
    "resource": "/é",
    "input_tokens": 12,
    "cost_usd": 0.25,
    "producer_id": "p",
    "producer_epoch": 3,
    "labels": {"team": "red"},
    "arguments": "{}",
    "salt": "00ff",
}
ENCODE = f"""
import json, sys
from praetor.encoding import encode, join, agent_key
record = {RECORD!r}
record["salt"] = bytes.fromhex(record["salt"])
head, tail = encode(record)
print(join(head, 7, tail).hex(), agent_key("a/b", "c%").decode())
usual = {{k: v for k, v in record.items() if k not in ("input_tokens", "cost_usd")}}
head, tail = encode(usual)
print(join(head, 7, tail).hex())
servers = "schemas policies detections ledger judgement streams sinks consumers runtime cli pydantic".split()
print([name for name in sys.modules if name.split(".")[0] in servers])
"""
SEND = """
import sys
from praetor import Praetor, governed
with Praetor(sys.argv[1], tenant="acme", agent_id="a", topic=sys.argv[2]) as client:
    @governed
    def add(a, b): return a + b
    assert add(1, 2) == 3
    client.action("read:file", "/x", arguments={"password": "hunter2"})
print(client.report)
"""


def run(*command: str | Path, cwd: Path) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PRAETOR_", "PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=clean, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def find_python(version: str) -> str:
    """An interpreter that runs; a version manager's stand-in for an absent one does not."""
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for candidate in (shutil.which(f"python{version}"), sys.executable, *map(str, kept)):
        if candidate is None:
            continue
        said = subprocess.run([candidate, "-V"], capture_output=True, text=True, check=False)
        if said.returncode == 0 and said.stdout.startswith(f"Python {version}."):
            return candidate
    pytest.skip(f"no Python {version} here")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    there = tmp_path_factory.mktemp("sdk")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", there, cwd=ROOT / "sdk")
    (found,) = there.glob("*.whl")
    return found


def install(wheel: Path, version: str, there: Path, extra: bool = True) -> Path:
    """A clean environment with the wheel and what it needs, pinned and hashed."""
    run(UV, "venv", "--python", find_python(version), there / "venv", cwd=there)
    python = there / "venv/bin/python"
    pins = [UV, "pip", "install", "--python", python, "--require-hashes", "-r", ROOT / "requirements/sdk.txt"]
    run(*pins, cwd=there)
    if not extra:
        run(UV, "pip", "uninstall", "--python", python, "aiokafka", cwd=there)
    run(UV, "pip", "install", "--python", python, "--no-deps", wheel, cwd=there)
    return python


@pytest.mark.parametrize("version", VERSIONS)
def test_it_installs_encodes_and_sends(wheel: Path, version: str, tmp_path: Path, actions: Actions):
    python = install(wheel, version, tmp_path)
    written, usual, servers = run(python, "-I", "-W", "error", "-c", ENCODE, cwd=tmp_path).splitlines()
    value, key = written.split()
    absent = decode(bytes.fromhex(value), "action_event")
    assert {k: absent[k] for k in RECORD} == RECORD | {"salt": b"\x00\xff"}
    assert absent["producer_seq"] == 7 and key == "a%2Fb/c%25"
    assert decode(bytes.fromhex(usual), "action_event") == absent | {"input_tokens": 0, "cost_usd": 0.0}
    assert json.loads(servers) == []
    sent = run(python, "-I", "-c", SEND, actions.bootstrap, actions.name, cwd=tmp_path)
    assert sent == "4 events acknowledged, 0 not\n"
    (events,) = actions.read().values()
    whole(events, 3)


def test_without_the_transport_it_says_what_to_install(wheel: Path, tmp_path: Path):
    python = install(wheel, HERE, tmp_path, extra=False)
    body = "import praetor\ntry: praetor.Praetor('x:1', tenant='t', agent_id='a')\n"
    said = run(
        python, "-I", "-c", body + "except praetor.TransportMissing as error: print(error)", cwd=tmp_path
    )
    assert "pip install 'praetor-sdk[kafka]'" in said


def test_type_checkers_see_its_types(tmp_path: Path):
    (tmp_path / "use.py").write_text(
        "from praetor import Praetor, governed\n"
        "@governed\ndef add(a: int) -> int: return a\n"
        "@governed(tool='x')\nasync def late(a: int) -> str: return ''\n"
        "client = Praetor('x:1', tenant='t', agent_id='a', on_full='raise')\n"
        "client.action('read:file', tool='x', input_tokens=3)\n"
        "reveal_type(add(1))\n"
        "client.action('read:file', colour='red')\n"
        "add('x')\n"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "use.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if k != "MYPYPATH"},
    )
    shown, unknown, _, wrong, _ = checked.stdout.splitlines()
    assert shown.startswith("use.py:8: note: Revealed type is") and "int" in shown
    assert unknown.startswith("use.py:9: error: Unexpected keyword argument")
    assert wrong.startswith("use.py:10: error: Argument 1")
