"""What a guest finds its data on: NoCloud's seed (a small ISO with meta-data, user-data and network-config), a config drive, or Ignition's config.

Sources: cloud-init's documentation of the data sources NoCloud and Config Drive; Ignition's of the platform QEMU.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

LABEL = "cidata"
NETWORK = "network-config"
NETWORKS = (NETWORK, "network_data.json")
"""Documents of the network, which a guest has read by the time that its interfaces change."""
NOTHING = "#cloud-config\n{}\n"


def kind_of(want: Mapping[str, Any]) -> str:
    """``nocloud``, ``config-drive`` or ``ignition``: what is said, else what the user data is."""
    return str(want.get("seed") or ("ignition" if is_ignition(want.get("user_data")) else "nocloud"))


def is_ignition(user_data: Any) -> bool:
    """Whether user data is an Ignition config: JSON with the version of its specification."""
    if not isinstance(user_data, str) or not user_data.lstrip().startswith("{"):
        return False
    try:
        found = json.loads(user_data)
    except ValueError:
        return False
    return isinstance(found.get("ignition"), dict) and "version" in found["ignition"]


def documents(identity: Mapping[str, Any], user_data: str, keys: list[str], *, again: bool, vendor_data: str = "") -> dict[str, str]:
    """The seed's files. JSON is YAML, so all but the user's own are JSON.

    ``again``: the instance id names the user-data too, so that cloud-init runs once more in a guest that has run before.
    """
    meta = {"instance-id": instance_id(identity, user_data, again=again), "local-hostname": identity["hostname"], "public-keys": keys}
    return {
        **({"vendor-data": vendor_data} if vendor_data else {}),
        "meta-data": json.dumps(meta, indent=1),
        "user-data": user_data or NOTHING,
        NETWORK: json.dumps(network_config(identity), indent=1),
    }


def instance_id(identity: Mapping[str, Any], user_data: str, *, again: bool) -> str:
    """The instance id; ``again``: of other user data another one."""
    return str(identity["uuid"]) + (f"-{_digest(user_data)[:12]}" if again else "")


def digest_of(files: Mapping[str, str]) -> str:
    """What names a seed: the same documents are the same volume, whatever the dates in its ISO. Last comes the network configuration's part."""
    network = {k: v for k, v in files.items() if k.endswith(NETWORKS)}
    rest = {k: v for k, v in files.items() if k not in network}
    return f"{_digest(json.dumps(rest, sort_keys=True))[:10]}-{_digest(json.dumps(network, sort_keys=True))[:10]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def iso_of(files: Mapping[str, str], label: str = LABEL) -> io.BytesIO:
    """The ISO image, with Rock Ridge and Joliet names; files may stand in folders."""
    from pycdlib import PyCdlib

    iso = PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=label)
    made: set[str] = set()
    for name, text in files.items():
        data, parts = text.encode(), name.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if folder not in made:
                made.add(folder)
                iso.add_directory(f"/{_plain(folder)}", rr_name=parts[depth - 1], joliet_path=f"/{folder}")
        iso.add_fp(io.BytesIO(data), len(data), f"/{_plain(name)}{'' if '.' in parts[-1] else '.'};1", rr_name=parts[-1], joliet_path=f"/{name}")
    out = io.BytesIO()
    iso.write_fp(out)
    iso.close()
    out.seek(0)
    return out


def _plain(name: str) -> str:
    """A path in ISO 9660's own letters."""
    return name.replace("-", "_").upper()


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
