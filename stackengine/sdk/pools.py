"""The kinds of storage pools: what a definition of each must say, and what libvirt can do with volumes in it (storage.html, formatstorage.html).

One row is one kind. The owner of a host says what a pool is (``kind: rbd, name: vms, hosts: [{name: 10.0.0.1}]``); :func:`pool_xml` makes libvirt's XML
of it, and the resource types ask the row what they may do there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from stackengine.sdk.errors import RefusedError
from stackengine.sdk.host import Host, Profile

FILES = ("qcow2", "raw")


@dataclass(frozen=True, slots=True)
class PoolKind:
    """One kind of pool."""

    name: str
    disk: Literal["file", "block", "network"]
    """The ``type`` of a domain's ``<disk>`` on such a volume."""
    needs: tuple[str, ...] = ()
    """What a definition must say of the source."""
    may: tuple[str, ...] = ()
    path: str = ""
    """Where its volumes appear when nobody says so; ``{name}`` is the source's name. ``-``: nowhere; empty: it must be said."""
    formats: tuple[str, ...] = ()
    """Of volumes that are made there; empty: libvirt makes none, they are there already."""
    grows: bool = False
    """Whether virStorageVolResize works."""
    copies: bool = False
    """Whether virStorageVolCreateXMLFrom works."""
    takes: bool = False
    """Whether small files of ours (records, seeds) can be put there."""
    wipes: bool = True
    tested: str = "schema"
    """``guest``: a booted guest read and wrote volumes of a real one; ``qemu``: volumes of a real one were made; ``schema``: its XML is valid."""


KINDS: Mapping[str, PoolKind] = {
    k.name: k
    for k in (
        PoolKind("dir", "file", formats=FILES, grows=True, copies=True, takes=True, tested="guest"),
        PoolKind("fs", "file", ("device",), ("format",), formats=FILES, grows=True, copies=True, takes=True, tested="guest"),
        PoolKind("netfs", "file", ("hosts", "dir"), ("format",), formats=FILES, grows=True, copies=True, takes=True),
        PoolKind("logical", "block", ("name",), ("devices",), "/dev/{name}", ("raw",), copies=True, tested="guest"),
        PoolKind("disk", "block", ("device",), ("format",), "/dev", tested="guest"),
        PoolKind("iscsi", "block", ("hosts", "device"), ("initiator", "auth"), "/dev/disk/by-path"),
        PoolKind("iscsi-direct", "network", ("hosts", "device", "initiator"), ("auth",), "-", tested="guest"),
        PoolKind("scsi", "block", ("adapter",), (), "/dev/disk/by-id"),
        PoolKind("mpath", "block", path="/dev/mapper", wipes=False),
        PoolKind("rbd", "network", ("name", "hosts"), ("auth",), "-", ("raw",), grows=True, copies=True, tested="guest"),
        PoolKind("zfs", "block", ("name",), ("devices",), "-", ("raw",), wipes=False),
    )
}
GONE: Mapping[str, str] = {
    "sheepdog": "Sheepdog is not maintained any more, QEMU dropped it in 6.0 and libvirt in 8.8: Ceph took its place (kind rbd)",
    "gluster": "libvirt makes no volumes there: mount it as a file system (kind netfs, format glusterfs)",
    "vstorage": "Virtuozzo's storage is mounted as a file system: kind dir",
}
"""Kinds that libvirt's documents have and we do not, and what took their place."""


def kind_of(host: Host, pool: str) -> PoolKind:
    """The kind of a host's pool; RefusedError for one that we do not know. A pool that is not there counts as a folder: the host will say so."""
    name = dict(host.profile.pools).get(pool)
    if name is None:
        found = host.pool_info(pool)
        name = found.type if found is not None else "dir"
    return _known(name)


def planned_kind(profile: Profile, pool: Any) -> PoolKind | None:
    """The same while planning, of what the profile says; None where the host did not tell."""
    return KINDS.get(dict(profile.pools).get(pool, ""))


def _known(name: str) -> PoolKind:
    if name not in KINDS:
        raise RefusedError(f"there are no pools of the kind {name}", hint=GONE.get(name, f"one of {', '.join(KINDS)}"))
    return KINDS[name]


def pool_xml(name: str, said: Mapping[str, Any]) -> str:
    """libvirt's ``<pool>`` of what the owner said; RefusedError with everything that is wrong.

    Keys: ``kind``, ``path``, and of the source ``device``, ``devices``, ``name``, ``hosts`` (``name``, ``port``), ``dir``, ``format``, ``adapter``
    (a scsi_host), ``initiator`` (an IQN), ``auth`` (``user``, ``secret``: the usage of a libvirt secret).
    """
    kind = _known(str(said.get("kind") or "dir"))
    wrong = [f"it needs {key}" for key in kind.needs if not said.get(key)]
    wrong += [f"it has no {key}" for key in said if key not in ("kind", "path", *kind.needs, *kind.may)]
    if not kind.path and not said.get("path"):
        wrong.append("it needs path, the folder where its volumes are")
    if wrong:
        raise RefusedError(f"pool {name} of the kind {kind.name}: {'; '.join(wrong)}")
    path = str(said.get("path") or kind.path.format(name=said.get("name", "")))
    target = "" if path == "-" else f"<target><path>{escape(path)}</path></target>"
    source = _source(kind, said)
    return f"<pool type='{kind.name}'><name>{escape(name)}</name>{f'<source>{source}</source>' if source else ''}{target}</pool>"


def _source(kind: PoolKind, said: Mapping[str, Any]) -> str:
    parts = []
    for host in said.get("hosts") or ():
        port = f" port='{int(host['port'])}'" if host.get("port") else ""
        parts.append(f"<host name='{escape(str(host['name']))}'{port}/>")
    parts += [f"<device path='{escape(str(d))}'/>" for d in (said.get("devices") or [said["device"]] if said.get("devices") or said.get("device") else ())]
    if said.get("dir"):
        parts.append(f"<dir path='{escape(str(said['dir']))}'/>")
    if said.get("adapter"):
        parts.append(f"<adapter type='scsi_host' name='{escape(str(said['adapter']))}'/>")
    if said.get("name"):
        parts.append(f"<name>{escape(str(said['name']))}</name>")
    if said.get("initiator"):
        parts.append(f"<initiator><iqn name='{escape(str(said['initiator']))}'/></initiator>")
    if said.get("auth"):
        auth, type_ = said["auth"], "ceph" if kind.name == "rbd" else "chap"
        parts.append(f"<auth type='{type_}' username='{escape(str(auth['user']))}'><secret usage='{escape(str(auth['secret']))}'/></auth>")
    usual = {"logical": "lvm2", "disk": "gpt", "netfs": "auto", "fs": "auto"}.get(kind.name)
    if usual:
        parts.append(f"<format type='{escape(str(said.get('format') or usual))}'/>")
    return "".join(parts)
