"""Start, find, stop and remove private hosts."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackengine.hosts.private import packages
from stackengine.hosts.private.broker import Broker
from stackengine.hosts.private.configuration import write_configuration
from stackengine.hosts.private.paths import Paths, paths_of
from stackengine.hosts.publisher import Publisher
from stackengine.sdk import HostError, UnreachableError

START_SECONDS = 60.0
STOP_SECONDS = 20.0
"""Seconds that guests get to shut down when their host is stopped."""


@dataclass(frozen=True, slots=True)
class PrivateHost:
    """A private host; implements ``hosts.reach.Reach``."""

    name: str
    paths: Paths
    pid: int | None
    outbound: bool = False
    local: bool = True

    @property
    def libvirt_uri(self) -> str:
        """The URI for libvirt clients of this machine."""
        return f"qemu+unix:///system?socket={self.paths.libvirt_socket}"

    @property
    def log_folder(self) -> Path:
        """What /var/log/libvirt is inside."""
        return self.paths.folder / "log"

    def connect(self, address: str, port: int, timeout: float = 5.0) -> Any:
        """A socket connected inside the host's network."""
        return Broker(self.paths.broker).connect(address, port, timeout)

    def listen(self, address: str, port: int) -> Any:
        """A socket listening inside the host's network."""
        return Broker(self.paths.broker).listen(address, port)

    def routes(self) -> list[tuple[str, str]]:
        """None that matter: the network namespace has only the networks that libvirt tells of."""
        return []

    def accelerator(self) -> str:
        """Probed by running a guest, once per user."""
        from stackengine.hosts.doctor.accelerator import remembered

        return remembered(self.paths.cache.parent)

    def publisher(self) -> Publisher:
        """The process that publishes ports of this host."""
        return Publisher(self.paths.folder, self.paths.broker)

    def publish(self, key: str, listen: str, port: int, target: str, target_port: int) -> None:
        """Publish a port on this machine."""
        self.publisher().publish(key, listen, port, target, target_port)

    def unpublish(self, key: str) -> None:
        """Stop publishing."""
        self.publisher().unpublish(key)

    def published(self) -> dict[str, tuple[str, int, str, int]]:
        """What is published."""
        return self.publisher().published()


def names(state_dir: Path) -> list[str]:
    """The private hosts that there are, running or not."""
    root = state_dir / "hosts"
    return sorted(p.parent.name for p in root.glob("*/host.json")) if root.is_dir() else []


def find(name: str, state_dir: Path) -> PrivateHost:
    """A private host as it is; HostError when there is none of this name."""
    paths = paths_of(name, state_dir)
    if not (paths.folder / "host.json").is_file():
        raise HostError(f"there is no private host {name}", hint=f"stack-run hosts start {name}")
    settings = json.loads((paths.folder / "host.json").read_text())
    return PrivateHost(name, paths, Broker(paths.broker).pid(), bool(settings.get("outbound")))


def ensure(name: str, state_dir: Path, *, outbound: bool | None = None) -> PrivateHost:
    """The running private host ``name``, started if need be; safe between processes. Raises HostError naming what is missing."""
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum() or name.startswith("."):
        raise HostError(f"{name!r} is no name for a host", hint="letters, digits, dots and dashes")
    paths = paths_of(name, state_dir)
    with _locked(paths):
        pid = Broker(paths.broker).pid()
        settings = _settings(paths, outbound)
        if pid is None:
            _check_packages(settings["outbound"])
            write_configuration(paths)
            pid = _launch(paths)
            _wait_for_libvirtd(paths, pid)
            if settings["outbound"]:
                _connect_outward(paths, pid)
            _ensure_pools(paths)
        host = PrivateHost(name, paths, pid, settings["outbound"])
        host.publisher().revive()
        return host


def _settings(paths: Paths, outbound: bool | None) -> dict[str, Any]:
    file = paths.folder / "host.json"
    settings = json.loads(file.read_text()) if file.is_file() else {"outbound": False}
    if outbound is not None:
        settings["outbound"] = outbound
    file.write_text(json.dumps(settings))
    return dict(settings)


@contextmanager
def _locked(paths: Paths) -> Iterator[None]:
    for folder in (paths.folder, paths.runtime, paths.layers, paths.cache):
        folder.mkdir(parents=True, exist_ok=True)
    if paths.runtime.stat().st_uid != os.getuid():
        raise HostError(f"{paths.runtime} belongs to somebody else", hint="set XDG_RUNTIME_DIR to a folder of yours")
    with (paths.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_packages(outbound: bool) -> None:
    need = {**packages.PROGRAMS, **(packages.ROOTLESS if os.getuid() else {}), **(packages.OUTBOUND if outbound else {})}
    lacking = packages.missing(need)
    if lacking:
        raise HostError(
            f"a private host needs packages that are not installed: {' '.join(lacking)}",
            hint=f"apt-get install {' '.join(lacking)} (or make setup); --host memory:// simulates without them",
        )


def _launch(paths: Paths) -> int:
    """Start process 1 in fresh namespaces; its process id, seen from here."""
    shutil.rmtree(paths.runtime / "run", ignore_errors=True)
    (paths.runtime / "run" / "libvirt").mkdir(parents=True)
    (paths.runtime / "resolv.conf").unlink(missing_ok=True)
    namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child"]
    if os.getuid():
        namespaces = ["--user", "--map-auto", "--map-root-user", *namespaces]
    settings = {"folder": str(paths.folder), "runtime": str(paths.runtime), "cache": str(paths.cache), "broker": str(paths.broker), "name": paths.name}
    command = [packages.which("unshare") or "unshare", *namespaces, sys.executable, "-m", "stackengine.hosts.private.init", json.dumps(settings)]
    log = paths.folder / "log" / "init.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, close_fds=True)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        pid = Broker(paths.broker).pid()
        if pid is not None:
            return pid
        if process.poll() is not None:
            hint = "are namespaces allowed here? see 'stack-run hosts doctor'; --host memory:// simulates"
            raise HostError(f"the private host {paths.name} did not start: {_last_words(log)}", hint=hint)
        time.sleep(0.02)
    process.kill()
    raise UnreachableError(f"the private host {paths.name} did not start within {START_SECONDS:g} s: {_last_words(log)}")


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _wait_for_libvirtd(paths: Paths, pid: int) -> None:
    import libvirt

    end = time.monotonic() + START_SECONDS
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    uri = f"qemu+unix:///system?socket={paths.libvirt_socket}"
    while time.monotonic() < end:
        if paths.libvirt_socket.exists():
            try:
                libvirt.open(uri).close()
            except libvirt.libvirtError:
                pass
            else:
                return
        if Broker(paths.broker).pid() != pid:
            break
        time.sleep(0.02)
    raise UnreachableError(f"libvirtd of the private host {paths.name} does not answer: {_last_words(paths.folder / 'log' / 'init.log')}")


def _ensure_pools(paths: Paths) -> None:
    import libvirt

    connection = libvirt.open(f"qemu+unix:///system?socket={paths.libvirt_socket}")
    try:
        for name, folder in (("default", paths.folder / "volumes"), ("se-layers", paths.layers)):
            try:
                pool = connection.storagePoolLookupByName(name)
            except libvirt.libvirtError:
                xml = f"<pool type='dir'><name>{name}</name><target><path>{folder}</path></target></pool>"
                pool = connection.storagePoolDefineXML(xml)
                pool.setAutostart(1)
            if not pool.isActive():
                pool.create()
    finally:
        connection.close()


def _connect_outward(paths: Paths, pid: int) -> None:
    """slirp4netns gives the namespace a way out without touching the machine's firewall; it ends with the namespace."""
    command = [packages.which("slirp4netns") or "slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback", str(pid), "tap0"]
    with (paths.folder / "log" / "outbound.log").open("w") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    (paths.runtime / "outbound.pid").write_text(str(process.pid))
    (paths.runtime / "resolv.conf").write_text("nameserver 10.0.2.3\n")


def stop(name: str, state_dir: Path) -> None:
    """Shut the guests down, end every process; disks and definitions stay."""
    host = find(name, state_dir)
    with _locked(host.paths):
        host.publisher().end()
        pid = Broker(host.paths.broker).pid()
        if pid is not None:
            _shut_guests_down(host)
            _end(pid)
        outward = host.paths.runtime / "outbound.pid"
        if outward.is_file():
            _end(int(outward.read_text()))
        shutil.rmtree(host.paths.runtime, ignore_errors=True)


def _shut_guests_down(host: PrivateHost) -> None:
    from stackengine.hosts.libvirt.host import LibvirtHost

    libvirt_host = LibvirtHost(host.name, host.libvirt_uri, host)
    try:
        running = [d.uuid for d in libvirt_host.domain_list() if d.state == "running"]
        for uuid in running:
            libvirt_host.domain_shutdown(uuid, STOP_SECONDS if uuid == running[0] else 5.0, lambda: None)
    except HostError:
        return  # it is ended in any case
    finally:
        libvirt_host.close()


def _end(pid: int) -> None:
    """End a process of ours by its id, and wait until it is gone."""
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 10.0)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if not _lives(pid):
                return
            time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def remove(name: str, state_dir: Path) -> None:
    """Stop, and delete everything that the host had."""
    host = find(name, state_dir)
    stop(name, state_dir)
    if os.getuid():  # files of mapped users can be removed only from inside such a namespace
        command = [packages.which("unshare") or "unshare", "--user", "--map-auto", "--map-root-user", "rm", "-rf", str(host.paths.folder)]
        subprocess.run(command, check=False)
    shutil.rmtree(host.paths.folder, ignore_errors=True)
