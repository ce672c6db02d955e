"""A server's data as EC2's instance metadata service tells it (EC2 user guide: instance metadata categories), and the entry of a guest in our service."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from typing import Any

from stackengine import sdk

from .identity import addresses_of
from .openstack import Guest
from .openstack import documents as openstack_documents

REGION = "local"
FEATURE = "metadata-service"
ARCHITECTURES = {"aarch64": "arm64", "i686": "i386"}
"""libvirt's word -> EC2's, where they differ (EC2 user guide: instance identity documents)."""


def wanted(want: sdk.Properties, profile: sdk.Profile) -> bool:
    """Whether a guest is served: unless it is said otherwise, where the host can."""
    return FEATURE in profile.features and bool((want.get("metadata_service") or {}).get("enabled", True))


def entry(guest: Guest, want: sdk.Properties, arch: str = "x86_64") -> dict[str, Any]:
    """What the service answers to the guest; ``arch`` is its processor's, as libvirt calls it."""
    how = want.get("metadata_service") or {}
    macs = {nic["mac"].lower(): [a for a in addresses_of(nic) if "." in a] for nic in guest.identity["nics"]}
    files = {**openstack_documents(guest), **_files(guest, arch, tags=bool(how.get("tags")))}
    return {"macs": macs, "tokens": how.get("tokens") or "optional", "files": files}


def _files(guest: Guest, arch: str, *, tags: bool) -> dict[str, str]:
    identity = guest.identity
    first = identity["nics"][0] if identity["nics"] else {}
    found = {
        "ami-id": guest.image, "ami-launch-index": "0", "hostname": identity["hostname"], "instance-action": "none", "instance-id": guest.instance,
        "instance-type": guest.flavor, "local-hostname": identity["hostname"], "local-ipv4": _first(first, "."), "mac": first.get("mac", ""),
        "placement/availability-zone": "local", "placement/region": REGION, "reservation-id": f"r-{identity['uuid'][:8]}",
        "security-groups": "\n".join(guest.groups),
    }  # fmt: skip
    for number, nic in enumerate(identity["nics"]):
        found |= {f"network/interfaces/macs/{nic['mac']}/{k}": v for k, v in _interface(nic, number, identity["hostname"]).items()}
    if guest.keys:
        found["public-keys/"] = "\n".join(f"{n}={name}" for n, name in enumerate(guest.keys))
        found |= {f"public-keys/{n}/openssh-key": key for n, key in enumerate(guest.keys.values())}
    if tags:
        found |= {f"tags/instance/{k}": v for k, v in guest.pairs.items()}
    files = {f"latest/meta-data/{k}": v for k, v in found.items() if v}
    files["latest/dynamic/instance-identity/document"] = json.dumps(_document(guest, _first(first, "."), ARCHITECTURES.get(arch, arch)), indent=2)
    return {**files, "latest/user-data": guest.user_data} if guest.user_data else files


def _first(nic: Mapping[str, Any], mark: str) -> str:
    return next((a for a in addresses_of(nic) if mark in a), "") if nic else ""


def _interface(nic: Mapping[str, Any], number: int, hostname: str) -> dict[str, str]:
    four, six = ("\n".join(a for a in addresses_of(nic) if mark in a) for mark in (".", ":"))
    range_ = str(ipaddress.ip_network(f"{nic['address']}/{nic['prefix']}", strict=False)) if "." in nic["address"] else ""
    return {"device-number": str(number), "mac": nic["mac"], "local-hostname": hostname, "local-ipv4s": four, "ipv6s": six,
            "subnet-ipv4-cidr-block": range_, "vpc-id": nic["network"]}  # fmt: skip


def _document(guest: Guest, address: str, architecture: str) -> dict[str, Any]:
    named = {"instanceId": guest.instance, "imageId": guest.image, "instanceType": guest.flavor, "privateIp": address}
    return {"version": "2017-09-30", "region": REGION, "availabilityZone": "local", "accountId": "000000000000", "architecture": architecture, **named}
