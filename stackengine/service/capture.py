"""An image made of a server: what its disk to boot from held at one instant, as a file that templates name like any other image (Nova: createImage)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.hosts.frozen import FrozenGuest
from stackengine.hosts.images import ImageError
from stackengine.sdk import HostError
from stackengine.service import images, prepare, snapshots
from stackengine.service.access import host_of, servers_of
from stackengine.service.environments import cuts
from stackengine.service.session import Session
from stackengine.service.snapshots import Snapshot
from stackengine.service.types import ImageView, NotThereError, ServiceError
from stackengine.store.store import StackRow


def capture(session: Session, name: str, stack: str, server: str, snapshot: str = "") -> ImageView:
    """The image ``name`` of a server, as it was at a ``snapshot`` or (none named) is now; ServiceError when there is no disk to be had.

    It stands on nothing: it is there when the server, its snapshot and its stack are gone.
    """
    row = prepare.find_stack(session, stack)
    known = {i.path: i for i in servers_of(session, row)}
    if server not in known:
        raise NotThereError(f"{stack} has no server {server}", hint=f"it has: {', '.join(known) or 'none'}")
    host: Any = host_of(session, row, known[server])
    try:
        session.images.names.check_name(name)
    except ImageError as error:
        raise ServiceError(str(error), hint=error.hint) from error
    with _frozen(session, stack, server, snapshot) as frozen, cuts.sweeping(session):
        if server not in frozen.servers:
            raise NotThereError(f"the snapshot {snapshot} has no server {server}", hint=f"it has: {', '.join(frozen.servers)}")
        file = session.images.captured(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        try:
            host.disk_captured(cuts.root(session) / frozen.id, _booted_from(frozen.guests([server])[server], server), part)
        except HostError as error:
            raise ServiceError(f"{server} cannot be made an image: {error}", hint=error.hint) from error
        part.rename(file)
    when = f"the snapshot {snapshot}" if snapshot else "a server that ran"
    return images.add(session, name, str(file), user=_user(session, row, server), description=f"{server} of {stack}, of {when}")


@contextmanager
def _frozen(session: Session, stack: str, server: str, name: str) -> Iterator[Snapshot]:
    """The snapshot that is named, or one that goes again afterwards."""
    if name:
        yield snapshots.find(session, stack, name)
        return
    made = snapshots.take(session, stack, [server], name=f"image-of-{server}-{cuts.fresh_id()}")
    try:
        yield made
    finally:
        snapshots.drop(session, stack, made.name)


def _booted_from(guest: FrozenGuest, server: str) -> str:
    """The name of the file of the disk that a guest boots from."""
    for disk in ET.fromstring(guest.xml).findall("devices/disk"):
        boot, source = disk.find("boot"), disk.find("source")
        name = Path(source.get("file", "")).name if source is not None else ""
        if boot is not None and boot.get("order") == "1" and name in {d.name for d in guest.disks}:
            return name
    raise ServiceError(f"{server} boots from no disk of its own", hint="an image is made of a server that boots from a disk; a kernel is named as it is")


def _user(session: Session, row: StackRow, server: str) -> str:
    """The account that gets the keys in what the server was made of."""
    desired = session.store.revision(row.id, row.revision).desired
    used = {d.path for d in desired.resources[server].depends} if server in desired.resources else set()
    found = [i for i in session.store.recorded(row.id).instances.values() if i.path in used and i.attributes.get("user")]
    return str(found[0].attributes["user"]) if found else ""
