"""Runs the shell and awk of the tiny guest here, with the programs of busybox and nothing else, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from stackengine.hosts.guest_image import tiny

BUSYBOX = next((path for path in ("/bin/busybox", "/usr/bin/busybox") if Path(path).exists()), "")


@dataclass
class Guest:
    """A folder in which the guest's scripts run."""

    root: Path
    bin: Path

    @property
    def seed(self) -> Path:
        return self.root / "seed"

    @property
    def state(self) -> Path:
        return self.root / "state"

    def run(self, script: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {
            "PATH": str(self.bin),
            "LIB": str(tiny.GUEST),
            "CONSOLE": str(self.root / "console"),
            "STATE": str(self.state),
            "INSTANCE": str(self.root / "instance"),
            "SEED": str(self.seed),
            "HOME": str(self.root),
        }
        prelude = f'for part in seed network parts apply; do . {tiny.GUEST}/$part.sh; done; say() {{ echo "$*" >>$CONSOLE; }}; LOG=$HOME/log\n'
        result = subprocess.run(
            [BUSYBOX, "sh", "-c", f". {tiny.GUEST}/lib.sh; PATH={self.bin}; {prelude}{script}"],
            capture_output=True,
            text=True,
            env=variables | environment,
            cwd=self.root,
            timeout=30,
        )
        if check:
            assert result.returncode == 0, result.stdout + result.stderr
        return result

    def user_data(self, data: str | bytes, name: str = "user-data") -> list[str]:
        """Take user-data apart; the names of its parts."""
        (self.seed / name).write_bytes(data.encode() if isinstance(data, str) else data)
        self.run("split_user_data")
        return sorted(path.name for path in (self.state / "parts").iterdir())

    def part(self, name: str) -> str:
        return (self.state / "parts" / name).read_text()

    @property
    def console(self) -> str:
        path = self.root / "console"
        return path.read_text() if path.exists() else ""

    @property
    def problems(self) -> str:
        path = self.state / "problems"
        return path.read_text() if path.exists() else ""


@pytest.fixture(scope="session")
def applets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not BUSYBOX:
        pytest.skip("busybox is not installed")
    folder = tmp_path_factory.mktemp("applets")
    for name in subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split():
        (folder / name).symlink_to(BUSYBOX)
    (folder / "hostname").unlink()
    (folder / "hostname").write_text('#!/bin/sh\n[ $# = 0 ] && { echo web; exit; }; echo "hostname $*" >>"$HOME/calls"\n')
    (folder / "hostname").chmod(0o755)
    for name in ("curl", "stack-signal", "cloud-init"):
        shutil.copy(tiny.GUEST / name, folder / name)
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def guest(tmp_path: Path, applets: Path) -> Guest:
    for name in ("seed", "state", "instance/scripts"):
        (tmp_path / name).mkdir(parents=True)
    return Guest(tmp_path, applets)


def awk(program: list[Path], **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run awk programs of the guest with variables set."""
    command = [BUSYBOX, "awk", *(word for key, value in variables.items() for word in ("-v", f"{key}={value}"))]
    for path in program:
        command += ["-f", str(path)]
    return subprocess.run([*command, os.devnull], capture_output=True, timeout=30)
