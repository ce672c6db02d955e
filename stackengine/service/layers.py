"""Layers of images on hosts: who stands on them, and removing those that nobody stands on.

A layer is named by its content, with a record beside it. The private hosts of a user share one folder of them; other hosts have a pool. In use is what a
recorded instance of any stack names, and what any disk, definition, memory or cut on that host names: their first bytes say which files lie below them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from stackengine import locks
from stackengine.sdk import Host, HostError
from stackengine.service.session import Session
from stackengine.service.types import Freed, ServiceError

POOL = "se-layers"
TYPE = "SE::Image"
HEAD = 1 << 16
"""Bytes at a file's beginning that name what lies below it: qcow2's header (docs/interop/qcow2.txt), a definition, libvirt's header of a saved memory."""
_NAME = re.compile(rb"[0-9a-f]{32}\.(?:qcow2|raw|kernel|initrd)")


def holders(session: Session) -> dict[str, set[str]]:
    """Source of an image -> the stacks that have it."""
    found: dict[str, set[str]] = {}
    for stack, instance in session.store.instances(type_=TYPE):
        found.setdefault(str(instance.properties.get("source")), set()).add(stack)
    return found


def contents(session: Session) -> set[str]:
    """The checksums of what stacks have."""
    return {str(i.attributes["sha256"]) for _, i in session.store.instances(type_=TYPE) if i.attributes.get("sha256")}


def sweep(session: Session, *, pretend: bool = False) -> Freed:
    """Remove the layers that nobody stands on; ServiceError while a stack is bringing an image."""
    freed, things, kept = 0, list[str](), list[str]()
    uris = {row.host for row in session.store.stacks(all_=True)}
    for name, size in _of_private_hosts(session, pretend):
        freed, things = freed + size, [*things, name]
    for uri in sorted(u for u in uris if not u.startswith("private:")):
        try:
            for name, size in _of_host(session, session.host(uri, start=False), pretend):
                freed, things = freed + size, [*things, f"{uri}: {name}"]
        except HostError as error:
            kept.append(f"{uri}: {error}")
    return Freed(freed, tuple(things), tuple(kept))


def _recorded(session: Session) -> set[str]:
    """Names of layers that recorded instances have."""
    found: set[str] = set()
    for stack, instance in session.store.instances(type_=TYPE):
        if not instance.sure:
            raise ServiceError(f"the stack {stack} is bringing an image just now", hint="when its operation has ended: stack-run images prune")
        found.update(Path(str(v)).name for v in instance.attributes.values() if isinstance(v, str) and "/" in v)
    return found


def _of_private_hosts(session: Session, pretend: bool) -> Iterator[tuple[str, int]]:
    """(name, bytes) of what goes of the folder that private hosts share."""
    folder = session.folder / "layers"
    candidates = [f for f in sorted(folder.glob("*")) if _NAME.fullmatch(f.name.encode())]
    named = _named_below(session.folder) if candidates else set()
    for file in candidates:
        with _alone(session, f"{folder}/{file.name}"):
            if file.name in _recorded(session) | named or not _is_ours(file):
                continue
            size = file.stat().st_size
            if not pretend:
                file.unlink()
                file.with_name(f"{file.name}.json").unlink(missing_ok=True)
                _refresh(session)
            yield file.name, size


def _of_host(session: Session, host: Host, pretend: bool) -> Iterator[tuple[str, int]]:
    """The same of another host's pool."""
    volumes = {v.name: v for v in host.volume_list(POOL)}
    below = {Path(v.backing).name for pool in (POOL, "default") for v in host.volume_list(pool) if v.backing}
    named = "".join(d.xml for d in host.domain_list())
    for name, volume in volumes.items():
        if not _NAME.fullmatch(name.encode()) or f"{name}.json" not in volumes:
            continue
        with _alone(session, f"{_place(host)}/{name}"):
            if name in _recorded(session) | below or name in named:
                continue
            if not pretend:
                host.volume_delete(POOL, name)
                host.volume_delete(POOL, f"{name}.json")
            yield name, volume.allocation


def _place(host: Host) -> str:
    found = host.pool_info(POOL)
    return found.path if found is not None and found.path else f"{host.uri}/{POOL}"


def _alone(session: Session, name: str) -> AbstractContextManager[None]:
    return locks.alone(locks.named(session.folder / "locks", name))


def _is_ours(layer: Path) -> bool:
    """Whether the record beside it says that it is an image's, whole."""
    with suppress(OSError, ValueError):
        found = json.loads(layer.with_name(f"{layer.name}.json").read_text().rstrip("\0 "))
        return bool(found.get("kind") == "image" and found.get("whole"))
    return False


def _named_below(folder: Path) -> set[str]:
    """Names of layers that any file of hosts, cuts and layers begins with."""
    found: set[str] = set()
    for place in ("hosts", "cuts", "layers"):
        for where, _, files in os.walk(folder / place):
            for name in files:
                path = Path(where) / name
                if path.is_file() and not path.is_symlink() and not _NAME.fullmatch(name.removesuffix(".json").encode()):
                    with suppress(OSError), path.open("rb") as file:
                        found.update(m.decode() for m in _NAME.findall(file.read(HEAD)))
    return found


def _refresh(session: Session) -> None:
    """Let the private hosts that run see what is gone."""
    from stackengine.hosts import private

    for name in private.names(session.folder):
        with suppress(HostError):
            if private.find(name, session.folder).pid:
                session.host(f"private://{name}", start=False).pool_refresh(POOL)
