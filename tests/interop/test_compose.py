"""docker-compose.yml before Docker Compose's own loader."""

import json
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.interop

ROOT = Path(__file__).parents[2]


def test_docker_composes_loader_takes_it(tmp_path: Path) -> None:
    program = tmp_path / "compose"
    subprocess.run(
        ["go", "build", "-o", str(program), "."],
        cwd=Path(__file__).parent / "compose",
        check=True,
        timeout=300,
    )
    done = subprocess.run([program, ROOT / "docker-compose.yml"], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    services = json.loads(done.stdout)["services"]
    assert services["archive"]["depends_on"]["tables"]["condition"] == "service_completed_successfully"
    assert services["govern"]["secrets"][0]["target"] == "/run/secrets/clickhouse_password"
