"""A small disk for the broker, which can be filled."""

import os
import resource
import shutil
import subprocess
from pathlib import Path

SIZE_MB = 768
LIMIT_BYTES = 64 * 1024


class Disk:
    """A tmpfs over a folder where one may be mounted (root, or a user namespace: `unshare -rm`).

    Elsewhere the broker's files are limited in size (RLIMIT_FSIZE): writes fail as well, though with EFBIG.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mounted = False

    @property
    def means(self) -> str:
        return (
            "a full tmpfs (ENOSPC)"
            if self.mounted
            else "RLIMIT_FSIZE (EFBIG): no file system could be mounted"
        )

    def mount(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "none", str(self.folder)]
        if shutil.which("mount"):
            self.mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0

    def unmount(self, keep: Path | None = None) -> None:
        """Let go of it; `keep` is where its files are copied to before."""
        if self.mounted and keep is not None:
            self.clear()
            shutil.copytree(self.folder, keep, dirs_exist_ok=True)
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)

    def fill(self, broker: int) -> None:
        """Leave no room for what the broker (a process id) writes next."""
        if not self.mounted:
            resource.prlimit(broker, resource.RLIMIT_FSIZE, (LIMIT_BYTES, resource.RLIM_INFINITY))
            return
        ballast = os.open(self._ballast, os.O_CREAT | os.O_WRONLY)
        try:
            for step in (1 << 20, 4096):
                self._take(ballast, step)
        finally:
            os.close(ballast)

    def _take(self, ballast: int, step: int) -> None:
        size = os.fstat(ballast).st_size
        while True:
            try:
                os.posix_fallocate(ballast, size, step)
            except OSError:
                return
            size += step

    def clear(self) -> None:
        """Make room again; a process that was limited must have ended by itself, or be killed."""
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"
