"""The NoCloud seed: a small ISO with meta-data, user-data and network-config (cloud-init, NoCloud data source)."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

LABEL = "cidata"


def seed_iso(identity: Mapping[str, Any], user_data: str, keys: list[str]) -> io.BytesIO:
    """The ISO image. JSON is YAML, so the three documents are JSON; the instance id is the server's UUID."""
    from pycdlib import PyCdlib

    meta = {"instance-id": identity["uuid"], "local-hostname": identity["hostname"], "public-keys": keys}
    files = {
        "meta-data": json.dumps(meta, indent=1),
        "user-data": user_data or "#cloud-config\n{}\n",
        "network-config": json.dumps(network_config(identity), indent=1),
    }
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
    """cloud-init's network configuration version 2: DHCP on every interface, by MAC; addresses are reserved in the networks."""
    nics = {
        f"nic{n}": {"match": {"macaddress": nic["mac"]}, "dhcp4": True, "set-name": f"eth{n}"} for n, nic in enumerate(identity["nics"])
    }
    return {"version": 2, "ethernets": nics}
