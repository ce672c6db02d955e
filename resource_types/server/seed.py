"""The NoCloud seed: a small ISO with meta-data, user-data and network-config (cloud-init, NoCloud data source)."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

LABEL = "cidata"
NOTHING = "#cloud-config\n{}\n"


def documents(identity: Mapping[str, Any], user_data: str, keys: list[str], *, again: bool) -> dict[str, str]:
    """The seed's files. JSON is YAML, so all but the user's own are JSON.

    ``again``: the instance id names the user-data too, so that cloud-init runs once more in a guest that has run before.
    """
    instance = identity["uuid"] + (f"-{_digest(user_data)[:12]}" if again else "")
    meta = {"instance-id": instance, "local-hostname": identity["hostname"], "public-keys": keys}
    return {
        "meta-data": json.dumps(meta, indent=1),
        "user-data": user_data or NOTHING,
        "network-config": json.dumps(network_config(identity), indent=1),
    }


def digest_of(files: Mapping[str, str]) -> str:
    """What names a seed: the same documents are the same volume, whatever the dates in its ISO."""
    return _digest(json.dumps(dict(files), sort_keys=True))[:10]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def iso_of(files: Mapping[str, str]) -> io.BytesIO:
    """The ISO image, with Rock Ridge and Joliet names."""
    from pycdlib import PyCdlib

    iso = PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=LABEL)
    for name, text in files.items():
        data = text.encode()
        iso.add_fp(io.BytesIO(data), len(data), f"/{name.replace('-', '_').upper()}.;1", rr_name=name, joliet_path=f"/{name}")
    out = io.BytesIO()
    iso.write_fp(out)
    iso.close()
    out.seek(0)
    return out


def network_config(identity: Mapping[str, Any]) -> dict[str, Any]:
    """cloud-init's network configuration version 2, interfaces by MAC: DHCP where the subnet has it (addresses are reserved there), else static."""
    return {"version": 2, "ethernets": {f"nic{n}": _interface(nic, f"eth{n}") for n, nic in enumerate(identity["nics"])}}


def _interface(nic: Mapping[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"match": {"macaddress": nic["mac"]}, "set-name": name, "dhcp4": leased(nic)}
    told = [s for s in (*([] if leased(nic) else [nic]), *(nic.get("more") or ())) if s["address"]]
    if not told:
        return found
    routes: dict[str, str] = {}
    for seat in told:
        if leased(nic) and ":" not in seat["address"]:
            continue  # IPv4 has its default route by DHCP
        routes.setdefault("::/0" if ":" in seat["address"] else "0.0.0.0/0", seat["gateway"])
        routes.update({r["destination"]: r["nexthop"] for r in seat.get("routes") or ()})
    servers = list(dict.fromkeys(s["gateway"] for s in told))
    known = {"routes": [{"to": to, "via": via} for to, via in routes.items()]} if routes else {}
    return {**found, "addresses": [f"{s['address']}/{s['prefix']}" for s in told], **known, "nameservers": {"addresses": servers}}


def leased(nic: Mapping[str, Any]) -> bool:
    """Whether the interface's first address comes by DHCP. IPv6 ones never do: a DHCPv6 server knows its clients by names that only they know."""
    return bool(nic["dhcp"]) and ":" not in nic["address"]
