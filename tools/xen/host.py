"""The Xen host as a process of this machine: started, put back to how it was when it had just started, ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.xen import image

CPU = "max,-smap,-rdtscp,-avx,-avx2,-xsave"
"""What emulation of nested guests gets wrong is left out: dom0 dies of SMAP, PVH and HVM guests of rdtscp and AVX."""
MEMORY, DOM0 = 3072, 1024
"""MiB of the machine, and of it for dom0; the rest is for guests."""
BOOT_SECONDS, WAKE_SECONDS = 600.0, 120.0
STATE = "ready"


class XenHostError(Exception):
    """The Xen host cannot be had; the message says why."""


@dataclass(frozen=True, slots=True)
class XenHost:
    """A host whose files are in ``folder``; only its ssh port is open, on loopback, and only for the key of the image."""

    folder: Path
    image: Path
    port: int

    @property
    def uri(self) -> str:
        """For libvirt and for ``--host``."""
        return f"xen+ssh://root@127.0.0.1:{self.port}/system?keyfile={self.image / 'key'}&no_verify=1&proxy=native"

    @property
    def pid(self) -> int:
        """Of its process; 0 when it does not run."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.folder / "pid").read_text())
            if str(self.folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        return 0

    def up(self) -> None:
        """Start it: from the state that was saved when it had first booted, else by booting it."""
        if self.pid:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        saved = self.folder / "saved"
        if saved.is_file():
            shutil.copyfile(saved, self.folder / "disk")
            self._start("-loadvm", STATE)
            self._wait(WAKE_SECONDS, self._answers)
            return
        _qemu_img("create", "-q", "-f", "qcow2", "-b", str(self.image / "disk"), "-F", "raw", str(self.folder / "disk"))
        self._start()
        self._wait(BOOT_SECONDS, self._booted)
        self._wait(WAKE_SECONDS, self._answers)
        self.monitor(f"savevm {STATE}")
        shutil.copyfile(self.folder / "disk", saved)

    def reset(self) -> None:
        """Put it back to how it was when it had just started, its disk too: in a new process.

        In the one that runs, QEMU's emulated time stamp counter never goes back (cpu_ticks_prev), while its timers do: for as long as it had run, no
        clock of Xen or of a guest would move.
        """
        self.down()
        self.up()

    def down(self) -> None:
        """End it; the saved state stays, so that the next start takes a second."""
        pid = self.pid
        if pid:
            os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + 20
            while self.pid and time.monotonic() < end:
                time.sleep(0.05)
            if self.pid:
                os.kill(pid, signal.SIGKILL)
        for name in ("pid", "disk", "monitor"):
            (self.folder / name).unlink(missing_ok=True)

    def run(self, *command: str, seconds: float = 120) -> str:
        """What a command in dom0 says."""
        done = subprocess.run([*self._ssh, " ".join(command)], capture_output=True, text=True, check=False, timeout=seconds, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise XenHostError(f"{command[0]} in dom0: {done.stdout}{done.stderr}")
        return done.stdout

    @property
    def _ssh(self) -> list[str]:
        options = ["-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=20"]
        return ["ssh", *options, "-i", str(self.image / "key"), "-p", str(self.port), "root@127.0.0.1"]

    def monitor(self, line: str) -> None:
        """One command to QEMU's own monitor."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(WAKE_SECONDS)
            wire.connect(str(self.folder / "monitor"))
            _until_prompt(wire)
            wire.sendall(f"{line}\n".encode())
            said = _until_prompt(wire)
        if "rror" in said:
            raise XenHostError(f"{line}: {said}")

    def _start(self, *more: str) -> None:
        (self.folder / "console").unlink(missing_ok=True)
        xen = f"dom0_mem={DOM0}M,max:{DOM0}M dom0_max_vcpus=1 loglvl=info com1=115200,8n1 console=com1 noreboot bootscrub=0 edd=off"
        forwarded = f"user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:22"
        command = [
            "qemu-system-x86_64", "-name", "stackengine-xen", "-machine", "pc", "-accel", "tcg,thread=multi,tb-size=256", "-cpu", CPU, "-smp", "2",
            "-m", str(MEMORY), "-nodefaults", "-no-user-config", "-display", "none", "-serial", f"file:{self.folder / 'console'}",
            "-monitor", f"unix:{self.folder / 'monitor'},server=on,wait=off", "-pidfile", str(self.folder / "pid"),
            "-kernel", str(self.image / "xen"), "-append", xen,
            "-initrd", f"{self.image / 'vmlinux'} console=hvc0 ro quiet mitigations=off,{self.image / 'initrd'}",
            "-drive", f"file={self.folder / 'disk'},if=none,id=d0,cache=unsafe,discard=unmap", "-device", "virtio-blk-pci,drive=d0",
            "-netdev", forwarded, "-device", "virtio-net-pci,netdev=n0,romfile=", "-daemonize", *more,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise XenHostError(f"the machine does not start: {done.stdout}{done.stderr}")

    def _booted(self) -> bool:
        console = (self.folder / "console").read_text(errors="replace")
        if "] FAILED" in console or "rebooting" in console.lower():
            raise XenHostError(f"dom0 did not come up: {console[-3000:]}")
        return "] READY" in console

    def _answers(self) -> bool:
        try:
            return "default" in self.run("virsh", "-q", "-c", "xen:///system", "pool-list", seconds=30)
        except (XenHostError, subprocess.TimeoutExpired):
            return False

    def _wait(self, seconds: float, ready: Callable[[], bool]) -> None:
        end = time.monotonic() + seconds
        while not ready():
            if not self.pid:
                raise XenHostError(f"the machine ended: {(self.folder / 'console').read_text(errors='replace')[-3000:]}")
            if time.monotonic() > end:
                raise XenHostError(f"it did not answer within {seconds:g} s: {(self.folder / 'console').read_text(errors='replace')[-3000:]}")
            time.sleep(0.2)


def cache_folder() -> Path:
    """Where images and saved states are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "stackengine" / "xen"


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def prepared() -> XenHost:
    """The host of the newest image, which is built where it is not there; one that does not run gets a free port."""
    built = image.build(cache_folder())
    folder = built / "host"
    folder.mkdir(exist_ok=True)
    place = folder / "port"
    if place.is_file():
        found = XenHost(folder, built, int(place.read_text()))
        if found.pid:
            return found
    place.write_text(str(free_port()))
    return XenHost(folder, built, int(place.read_text()))


def lacking() -> str:
    """What this machine lacks; empty when a Xen host can be had."""
    needed = {
        "qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils", "mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "ssh": "openssh-client",
        "depmod": "kmod", "apt-get": "apt",
    }  # fmt: skip
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [package for program, package in needed.items() if shutil.which(program, path=path) is None]
    return f"the Xen host needs {', '.join(missing)}" if missing else ""


def _until_prompt(wire: socket.socket) -> str:
    said = b""
    while not said.endswith(b"(qemu) "):
        more = wire.recv(4096)
        if not more:
            break
        said += more
    return said.decode(errors="replace")


def _qemu_img(*words: str) -> None:
    done = subprocess.run(["qemu-img", *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise XenHostError(f"qemu-img {words[0]}: {done.stderr}")
