"""A volume as the disk of a domain: ``<source>`` and its kind, of files, block devices, and what is served over the network (formatdomain.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from stackengine.sdk.errors import RefusedError
from stackengine.sdk.facts import Referred
from stackengine.sdk.pools import PoolKind
from stackengine.sdk.volumes import encryption_xml

PORTS = {"nbd": 10809, "iscsi": 3260, "rbd": 6789}
LIMITS = {"total_bytes": "total_bytes_sec", "read_bytes": "read_bytes_sec", "write_bytes": "write_bytes_sec",
          "total_iops": "total_iops_sec", "read_iops": "read_iops_sec", "write_iops": "write_iops_sec"}  # fmt: skip
"""Our words for a disk's limits, and libvirt's, in the order of its schema (formatdomain.html, element iotune)."""
IQN = re.compile(r"(?:iqn|eui|naa)\.[A-Za-z0-9.:_-]+")


@dataclass(frozen=True, slots=True)
class DiskSource:
    """What a domain's ``<disk>`` says of where its data are."""

    type: str
    """``file``, ``block`` or ``network``."""
    format: str
    """Of the driver: ``qcow2`` or ``raw``."""
    xml: str
    """The ``<source>`` element."""
    shareable: bool = False


def disk_source(volume: Referred) -> DiskSource:
    """Of a configured SE::Volume."""
    said, path = volume.attributes.get("disk") or {}, str(volume.attributes["path"])
    type_ = str(said.get("type", "file"))
    inside = encryption_xml(str(volume.identity.get("secret") or "") if volume.properties.get("encrypted") else "")
    if type_ == "network":
        inside = "".join(_hosts(said)) + _more(said) + inside
        head = f"protocol='{said['protocol']}' name='{escape(str(said['name']))}'"
    else:
        head = f"{'dev' if type_ == 'block' else 'file'}='{escape(path)}'"
    xml = f"<source {head}>{inside}</source>" if inside else f"<source {head}/>"
    return DiskSource(type_, str(said.get("format") or volume.properties.get("format") or "raw"), xml, bool(volume.properties.get("shared")))


def options_of(how: Mapping[str, Any]) -> dict[str, str]:
    """What properties of a disk say that stands at its ``<driver>``."""
    return {k: how[k] for k in ("cache", "io", "discard") if how.get(k)}


def limits_of(how: Mapping[str, Any]) -> dict[str, int]:
    """The limits in properties of a disk, in libvirt's words."""
    given = how.get("limits") or {}
    return {word: given[k] for k, word in LIMITS.items() if given.get(k)}


def limits_in(disk: ET.Element) -> dict[str, int]:
    """The same of a ``<disk>``."""
    return {e.tag: int(e.text or 0) for e in disk.findall("iotune/*") if e.tag in LIMITS.values() and int(e.text or 0)}


def _hosts(said: Mapping[str, Any]) -> list[str]:
    return [f"<host name='{escape(str(h['name']))}'" + (f" port='{int(h['port'])}'" if h.get("port") else "") + "/>" for h in said.get("hosts") or ()]


def _more(said: Mapping[str, Any]) -> str:
    found = f"<initiator><iqn name='{escape(str(said['initiator']))}'/></initiator>" if said.get("initiator") else ""
    if said.get("auth"):
        auth = said["auth"]
        found += f"<auth username='{escape(str(auth['user']))}'><secret type='{auth['type']}' usage='{escape(str(auth['secret']))}'/></auth>"
    return found


def in_pool(kind: PoolKind, pool_xml: str, volume: str) -> dict[str, Any]:
    """How a disk on a volume of a pool is said: the ``disk`` attribute of SE::Volume. For pools on the network, of the pool's own definition."""
    if kind.disk != "network":
        return {"type": kind.disk}
    source = ET.fromstring(pool_xml).find("source")
    assert source is not None
    hosts = [{"name": h.get("name", ""), **({"port": int(h.get("port", "0"))} if h.get("port") else {})} for h in source.findall("host")]
    found: dict[str, Any] = {"type": "network", "hosts": hosts}
    initiator, device, auth = source.find("initiator/iqn"), source.find("device"), source.find("auth")
    if kind.name == "rbd":
        found |= {"protocol": "rbd", "name": f"{source.findtext('name')}/{volume}"}
    else:  # libvirt names a unit ``unit:0:0:LUN``, and the target is the pool's
        lun = volume.rpartition(":")[2]
        found |= {"protocol": "iscsi", "name": f"{device.get('path') if device is not None else ''}/{lun}"}
    if initiator is not None:
        found["initiator"] = initiator.get("name")
    secret = auth.find("secret") if auth is not None else None
    if auth is not None and secret is not None:
        found["auth"] = {"type": "ceph" if kind.name == "rbd" else "iscsi", "user": auth.get("username"), "secret": secret.get("usage", "")}
    return found


def at_address(url: str) -> dict[str, Any]:
    """How a disk is said that a server gives out: ``nbd://HOST[:PORT]/EXPORT``, ``iscsi://HOST[:PORT]/IQN/LUN`` or ``rbd://MONITOR[:PORT]/POOL/IMAGE``.

    RefusedError with what is wrong.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme == "sheepdog":
        raise RefusedError("QEMU has no driver for Sheepdog since 6.0", hint="Ceph took its place: rbd://MONITOR/POOL/IMAGE")
    if parts.scheme not in PORTS or not parts.hostname or parts.query or parts.username is not None:
        raise RefusedError(f"{url} is no disk on the network", hint="nbd://HOST/EXPORT, iscsi://HOST/IQN/LUN or rbd://MONITOR/POOL/IMAGE")
    pieces = name.split("/")
    if parts.scheme == "iscsi" and not (len(pieces) == 2 and IQN.fullmatch(pieces[0]) and pieces[1].isdigit()):
        raise RefusedError(f"{url}: an iSCSI disk is named TARGET/LUN", hint="iscsi://10.0.0.1/iqn.2026-01.org.example:disks/1")
    if parts.scheme == "rbd" and not (len(pieces) == 2 and all(pieces)):
        raise RefusedError(f"{url}: an RBD disk is named POOL/IMAGE", hint="rbd://10.0.0.1/vms/data")
    try:
        port = parts.port or PORTS[parts.scheme]
    except ValueError as error:
        raise RefusedError(f"{url}: {error}") from error
    return {"type": "network", "protocol": parts.scheme, "name": name, "hosts": [{"name": parts.hostname, "port": port}]}
