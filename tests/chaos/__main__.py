"""`python -m tests.chaos [--seed N] [--faults N] [--rate N] [--patience N] [--folder DIR]`.

It runs itself again in a mount namespace of its own (`unshare`) where that works, so that the broker can be
given a small disk without being root; elsewhere it says by which other means the disk gets full.
"""

import argparse
import asyncio
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import structlog

from tests.chaos.report import Report
from tests.chaos.run import Wish, chaos

INSIDE = "PRAETOR_CHAOS_NAMESPACE"
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--rate", type=int, default=60, help="actions a second")
    parser.add_argument("--patience", type=float, default=1.0, help="times the usual limits of waiting")
    parser.add_argument("--folder", type=Path, help="keep data and logs there")
    wanted = parser.parse_args()
    _enter_namespace()
    # what the harness's own clients say of faults is no news; structlog's lines are the fault-free run's
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    folder = wanted.folder or Path(tempfile.mkdtemp(prefix="praetor-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(folder / "faults.log")
    asyncio.run(chaos(Wish(wanted.seed, wanted.faults, wanted.rate, folder, wanted.patience), report))
    print(report.table())
    broken = len(report.violations)
    print(f"{report.done} faults in {report.seconds / 60:.1f} min, seed {wanted.seed}: {broken} violations")
    if broken:
        print("\n".join(report.violations), flush=True)
        sys.exit(f"logs and the fault log: {folder}; the same again: CHAOS_SEED={wanted.seed}")
    if wanted.folder is None:
        shutil.rmtree(folder)


def _enter_namespace() -> None:
    if INSIDE in os.environ or not shutil.which("unshare"):
        return
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", [*UNSHARE, sys.executable, "-m", "tests.chaos", *sys.argv[1:]])


if __name__ == "__main__":
    main()
