"""Start, find, stop and remove private hosts."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackengine.hosts import processes
from stackengine.hosts.naming import check_name
from stackengine.hosts.private import launch, outward, ready
from stackengine.hosts.private.broker import Broker
from stackengine.hosts.private.configuration import read_settings, write_configuration
from stackengine.hosts.private.ending import shut_guests_down
from stackengine.hosts.private.paths import SETTINGS, Paths, paths_of
from stackengine.hosts.publisher import Publisher
from stackengine.hosts.runtime import locked, write_whole
from stackengine.sdk import HostError, UnreachableError

PAIRS = 64
"""Devices in one message to process 1."""
STOP_SECONDS = 20.0
"""Seconds that guests get to shut down when their host is stopped."""


@dataclass(frozen=True, slots=True)
class PrivateHost:
    """A private host; implements ``hosts.reach.Reach``."""

    name: str
    paths: Paths
    pid: int | None
    """Of process 1, seen from here; None when the host does not run."""
    outbound: bool = False
    switch: bool = False
    """Whether it has a virtual switch, for networks with VLAN tags."""
    local: bool = True

    @property
    def state(self) -> str:
        """``running`` or ``stopped``."""
        return "running" if self.pid else "stopped"

    @property
    def libvirt_uri(self) -> str:
        """The URI for libvirt clients of this machine."""
        return self.paths.libvirt_uri

    @property
    def log_folder(self) -> Path:
        """What /var/log/libvirt is inside."""
        return self.paths.folder / "log"

    def connect(self, address: str, port: int, timeout: float = 5.0) -> socket.socket:
        """A socket connected inside the host's network; OSError when nobody answers."""
        return Broker(self.paths.broker).connect(address, port, timeout)

    def listen(self, address: str, port: int) -> socket.socket:
        """A socket listening inside the host's network."""
        return Broker(self.paths.broker).listen(address, port)

    def routes(self) -> list[tuple[str, str]]:
        """The way out, if there is one: otherwise the network namespace has only the networks that libvirt tells of."""
        return [(outward.NETWORK, outward.DEVICE)] if self.outbound else []

    def links(self) -> list[str]:
        """None that others could have made: the namespace is ours."""
        return []

    def accelerator(self, connection: Any) -> str:
        """Probed by running a guest, once per user and machine."""
        from stackengine.hosts.doctor.accelerator import remembered

        return remembered(connection, self.paths.cache)

    def publisher(self) -> Publisher:
        """What publishes ports of this host."""
        return Publisher(self.paths.folder, self.paths.broker, self.paths.runtime)

    def publish(self, key: str, listen: str, port: int, target: str, target_port: int) -> None:
        """Publish a port on this machine."""
        self.publisher().publish(key, listen, port, target, target_port)

    def unpublish(self, key: str) -> None:
        """Stop publishing."""
        self.publisher().unpublish(key)

    def revive_ports(self) -> None:
        """Start the process again that publishes."""
        self.publisher().revive()

    def published(self) -> dict[str, tuple[str, int, str, int]]:
        """What is published."""
        return self.publisher().published()

    @property
    def folder(self) -> Path:
        """Where all of it is."""
        return self.paths.folder

    @property
    def features(self) -> frozenset[str]:
        """It is in our hands: ports are published, and what is forwarded between its networks can be said; the rest is as it was started, and its kernel is."""
        from stackengine.hosts.private.shaping import kernel_shapes

        found = {"publish", "forwarding", "overlay"} | ({"switch"} if self.switch else set())
        return frozenset(found | ({"bandwidth"} if kernel_shapes(self.paths.cache) else set()))

    def forwarding(self) -> dict[str, list[dict[str, Any]]]:
        """What is forwarded, by key (:mod:`.forwarding`)."""
        file = self.paths.folder / "forwarding.json"
        found: dict[str, list[dict[str, Any]]] = json.loads(file.read_text()) if file.is_file() else {}
        return found

    def forward(self, key: str, entries: list[dict[str, Any]] | None) -> None:
        """Set the entries of a key, or take them away (None); HostError when the kernel refuses, and then all is as it was."""
        with locked(self.paths.folder):
            before = self.forwarding()
            after = {k: e for k, e in before.items() if k != key} if entries is None else {**before, key: entries}
            if after != before:
                self._write_forwarding(after)
            try:
                self.forward_again()
            except HostError:
                self._write_forwarding(before)
                raise

    def _write_forwarding(self, table: dict[str, list[dict[str, Any]]]) -> None:
        write_whole(self.paths.folder / "forwarding.json", json.dumps(table, sort_keys=True))

    @property
    def serves_metadata(self) -> bool:
        """Whether process 1 knows of the metadata service; one that an older version started does not."""
        try:
            Broker(self.paths.broker).metadata("")
        except OSError:
            return False
        return True

    def metadata(self) -> dict[str, dict[str, Any]]:
        """What the metadata service serves, by guest."""
        return {f.stem: json.loads(f.read_text()) for f in sorted(self._metadata.glob("*.json"))}

    def serve_metadata(self, guest: str, entry: dict[str, Any] | None) -> None:
        """Serve a guest's data, in place of what was, or not any more (None)."""
        file = self._metadata / f"{guest}.json"
        if entry is None:
            file.unlink(missing_ok=True)
            return
        self._metadata.mkdir(mode=0o700, exist_ok=True)
        write_whole(file, json.dumps(entry, sort_keys=True))
        self.metadata_again()

    def metadata_again(self) -> None:
        """Have the service run, where somebody is served: after a start of the host, too."""
        if self.metadata():
            try:
                Broker(self.paths.broker).metadata(str(self._metadata))
            except OSError as error:
                hint = f"stack-run hosts stop {self.name}; stack-run hosts start {self.name}"
                raise HostError(f"the private host {self.name} has no metadata service: {error.strerror or error}", hint=hint) from error

    @property
    def _metadata(self) -> Path:
        return self.paths.folder / "metadata"

    def forward_again(self) -> None:
        """Bring the kernel to the table: after a start of the host, and of a network, whose rules libvirt may have put before ours."""
        if (self.paths.folder / "forwarding.json").is_file():
            try:
                Broker(self.paths.broker).forward(self.paths.folder / "forwarding.json")
            except OSError as error:
                hint = f"one that an older version started learns it by: stack-run hosts stop {self.name}; stack-run hosts start {self.name}"
                raise HostError(f"the private host {self.name} cannot forward: {error.strerror or error}", hint=hint) from error

    def rejoin(self, pairs: list[tuple[str, str]]) -> None:
        """Put devices of guests (device, bridge) back on bridges that were made anew."""
        for start in range(0, len(pairs), PAIRS):
            try:
                Broker(self.paths.broker).rejoin(pairs[start : start + PAIRS])
            except OSError as error:
                raise HostError(f"guests of the private host {self.name} cannot come back to their network: {error.strerror or error}") from error


def names(state_dir: Path) -> list[str]:
    """The private hosts that there are, running or not."""
    root = state_dir / "hosts"
    return sorted(p.parent.name for p in root.glob(f"[!.]*/{SETTINGS}")) if root.is_dir() else []


def ls(state_dir: Path) -> list[PrivateHost]:
    """The private hosts that there are, as they are."""
    found = []
    for name in names(state_dir):
        with contextlib.suppress(HostError):  # removed meanwhile
            found.append(find(name, state_dir))
    return found


def find(name: str, state_dir: Path) -> PrivateHost:
    """A private host as it is; HostError when there is none of this name."""
    paths = _paths(name, state_dir)
    if not paths.settings.is_file():
        raise HostError(f"there is no private host {name}", hint=f"stack-run hosts start {name}")
    settings = read_settings(paths)
    return PrivateHost(name, paths, launch.process_1(paths), bool(settings.get("outbound")), bool(settings.get("switch")))


def ensure(name: str, state_dir: Path, *, outbound: bool | None = None, switch: bool | None = None) -> PrivateHost:
    """The running private host ``name``, started if need be, or the one that is kept ready under this name from now on; safe between processes.

    ``outbound``: whether guests of NAT networks reach out; ``switch``: whether it has a virtual switch; None leaves it as it is (off for a new host).
    HostError names what is missing.
    """
    paths = _paths(name, state_dir)
    with locked(paths.folder):
        paths.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not paths.settings.exists() and ready.take(paths, state_dir):
            paths = _paths(name, state_dir)
        settings = read_settings(paths)
        reaches_out = bool(settings.get("outbound")) if outbound is None else outbound
        switched = bool(settings.get("switch")) if switch is None else switch
        wanted = {**settings, "outbound": reaches_out, "switch": switched}
        pid = launch.running(paths)
        if pid is None or any(wanted[k] != bool(settings.get(k)) for k in ("outbound", "switch")):
            launch.check(paths, outbound=reaches_out, switch=switched)
        if not paths.settings.exists() or wanted != settings:
            write_whole(paths.settings, json.dumps(wanted))
        if pid is None:
            _ended(paths)
            write_configuration(paths)
            pid = launch.launch(paths)
        fresh = not paths.prepared.exists()  # also when whoever started it did not come this far
        if fresh:
            launch.wait_for_libvirtd(paths)
            _ensure_name(paths, settings)
            _ensure_pools(paths)
        if reaches_out:
            outward.connect(paths, pid)
        else:
            outward.disconnect(paths)
        host = PrivateHost(name, paths, pid, reaches_out, switched)
        if switched and (fresh or not settings.get("switch")):
            _ensure_switch(host)
        if fresh:
            host.forward_again()
            host.metadata_again()
            paths.prepared.touch()
        host.publisher().revive()
        return host


def stop(name: str, state_dir: Path, *, limit: float = STOP_SECONDS) -> list[str]:
    """Shut the guests down within ``limit`` seconds, then end every process; disks and definitions stay.

    Returns the names of guests that did not shut down in time and were cut off.
    """
    with _held(name, state_dir) as host:
        return _stop(host, limit)


def remove(name: str, state_dir: Path) -> None:
    """End it at once, and delete everything that it had; layers stay, as they are the user's. Who starts it meanwhile gets a new one afterwards."""
    with _held(name, state_dir) as host:
        _stop(host, 0.0)
        host.paths.settings.unlink(missing_ok=True)
        launch.remove_tree(host.paths.folder)


@contextlib.contextmanager
def _held(name: str, state_dir: Path) -> Iterator[PrivateHost]:
    """The host as it is, which nobody else starts, ends or removes meanwhile; HostError when there is none."""
    find(name, state_dir)
    with locked(_paths(name, state_dir).folder):
        yield find(name, state_dir)


def _stop(host: PrivateHost, limit: float) -> list[str]:
    host.publisher().end()
    pid = launch.running(host.paths)
    left = []
    if pid is not None:
        left = shut_guests_down(host.libvirt_uri, limit)
        launch.end(pid)
    _ended(host.paths)
    launch.remove_tree(host.paths.runtime)
    return left


def _paths(name: str, state_dir: Path) -> Paths:
    check_name(name)
    return paths_of(name, state_dir)


def _ended(paths: Paths) -> None:
    """Wait for those who end by themselves when process 1 has ended."""
    for lock in ("outbound.lock", "publisher.lock"):
        if not processes.wait_until_free(paths.runtime / lock, processes.END_SECONDS):
            raise HostError(f"a process of the private host {paths.name} does not end", hint=f"fuser -v {paths.runtime / lock}")


def _ensure_name(paths: Paths, settings: dict[str, Any]) -> None:
    """One that was kept ready calls itself by the name that it has now."""
    if "started_as" in settings:
        try:
            Broker(paths.broker).rename(paths.name)
        except OSError as error:
            raise HostError(f"the private host {paths.name} does not take its name: {error.strerror or error}", hint="try again") from error


def _ensure_switch(host: PrivateHost) -> None:
    try:
        Broker(host.paths.broker).switch(host.paths.folder / "switch")
    except OSError as error:
        hint = f"see {host.paths.folder / 'switch'}; a host that an older version started: stack-run hosts stop {host.name}, and start it again"
        raise HostError(f"the private host {host.name} got no virtual switch: {error.strerror or error}", hint=hint) from error


def _ensure_pools(paths: Paths) -> None:
    """``default`` for the disks of this host, ``se-layers`` for the layers of all hosts of this user."""
    import libvirt

    try:
        connection = libvirt.open(paths.libvirt_uri)
        try:
            for name, folder in (("default", paths.folder / "volumes"), ("se-layers", paths.layers)):
                if name not in connection.listStoragePools() + connection.listDefinedStoragePools():
                    connection.storagePoolDefineXML(f"<pool type='dir'><name>{name}</name><target><path>{folder}</path></target></pool>")
                pool = connection.storagePoolLookupByName(name)
                pool.setAutostart(1)
                if not pool.isActive():
                    pool.create()
        finally:
            connection.close()
    except libvirt.libvirtError as error:
        raise UnreachableError(f"the pools of the private host {paths.name} cannot be made: {error}", hint=f"see {paths.folder / 'log'}") from error
