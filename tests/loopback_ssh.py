"""A real sshd on loopback that serves ``--remote``, and jobs that have nothing of this user: an empty home folder each."""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


def can_serve() -> str:
    """Why sshd cannot run here; empty: it can."""
    if SSHD is None or shutil.which("ssh-keygen") is None:
        return "no sshd here"
    with contextlib.suppress(KeyError):
        pwd.getpwnam("sshd")
        return ""
    return "no user sshd here, which sshd wants" if os.getuid() == 0 else ""


class Remote:
    """A machine that serves one key; ``variables`` are what its owner sets there."""

    def __init__(self, folder: Path, state: Path, *, command: str = "remote", **variables: str) -> None:
        self.folder, self.state = folder, state
        for name in ("host", "job", "stranger"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        serve = folder / "serve"
        exports = " ".join(f"{k}={v}" for k, v in {"STACKENGINE_STATE": str(state), "PYTHONPATH": str(ROOT), **variables}.items())
        serve.write_text(f"#!/bin/sh\nexport {exports}\nexec {sys.executable} -m stackengine.cli.main {command}\n")
        serve.chmod(0o755)
        (folder / "authorized_keys").write_text(f'command="{serve}",restrict {(folder / "job.pub").read_text()}')
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized_keys\nMaxStartups 100\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\nPermitRootLogin yes\n"
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where a service manager would have made it (sshd(8))
        self.process = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")], stderr=(folder / "sshd.log").open("w"))
        end = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                break
            assert self.process.poll() is None, (folder / "sshd.log").read_text()
            assert time.monotonic() < end, (folder / "sshd.log").read_text()
            time.sleep(0.05)
        self.url = f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"
        self.known = f"[127.0.0.1]:{self.port} {(folder / 'host.pub').read_text()}"

    def close(self) -> None:
        """End sshd."""
        self.process.terminate()
        self.process.wait(10)

    def job(self, home: Path, key: str | None = "job", known: str | None = None) -> dict[str, str]:
        """The variables of a job with a new home folder below ``home``."""
        folder = home / f"home-{time.time_ns()}"
        folder.mkdir()
        environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "STACKENGINE_REMOTE": self.url}
        environ["STACKENGINE_KNOWN_HOSTS"] = self.known if known is None else known
        return environ if key is None else {**environ, "STACKENGINE_SSH_KEY": (self.folder / key).read_text()}
