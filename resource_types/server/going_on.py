"""What a server that starts from a disk with a first boot done does at its own first boot, and what of cloud-init it needs for that.

To cloud-init such a server is the instance that the disk was made by, which only boots. A service on the disk (see ``service.environments.provisioned``)
runs the script ``going-on`` of the seed before the network comes up: host keys, keys, the names of interfaces, and the signals of that first boot, which
are sent when the guest is up. Where cloud-init has nothing to do at every boot it does not start at all: it takes longer than all the rest of a boot.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from .seed import NETWORK, NOTHING, network_config

FILE = "going-on"
ONCE = frozenset(
    (
        *("runcmd", "write_files", "packages", "package_update", "package_upgrade", "package_reboot_if_required", "apt", "ca_certs", "users", "groups"),
        *("ssh_authorized_keys", "ssh_pwauth", "chpasswd", "password", "disable_root", "timezone", "locale", "ntp", "final_message"),
    )
)
"""Keys of a cloud-config whose modules run once per instance (cloud-init's documentation, module reference: frequency)."""

_SCRIPT = """#!/bin/sh
{wanted}udevadm settle -t 20
{interfaces}
me={me} mark=/var/lib/cloud/stackengine-is
[ "$(cat $mark 2>/dev/null)" = $me ] && exit 0
[ -e /run/stackengine-cloud-init ] || {{ hostname {hostname} && echo {hostname} >/etc/hostname; }}
rm -f /etc/ssh/ssh_host_*
for kind in ed25519 ecdsa; do ssh-keygen -q -t $kind -N '' -f /etc/ssh/ssh_host_${{kind}}_key; done
cut -d' ' -f1,2 /etc/ssh/ssh_host_*_key.pub >/dev/console
home=$(getent passwd {user} | cut -d: -f6); keys=$home/.ssh/authorized_keys
mkdir -p $home/.ssh
{{ grep -vF -e {old} $keys; cat; }} >$keys.new 2>/dev/null <<'KEYS'
{keys}
KEYS
chmod 600 $keys.new && chown {user}: $home/.ssh $keys.new && mv $keys.new $keys
cat >/var/lib/stackengine/signals <<'SIGNALS'
#!/usr/bin/python3
import os, sys, time, urllib.request
for url, body in {signals}:
    for _ in range(60):
        try:
            urllib.request.urlopen(urllib.request.Request(url, body.encode(), {{"Content-Type": "application/json"}}), timeout=10).close()
            break
        except OSError:
            time.sleep(1)
os.unlink(sys.argv[0])
SIGNALS
chmod 755 /var/lib/stackengine/signals
echo $me >$mark
"""
_WANTED = ": >/run/stackengine-cloud-init\n"
_INTERFACE = """for d in /sys/class/net/*; do
  [ "$(cat $d/address)" = {mac} ] && [ "${{d##*/}}" != {name} ] && {{ ip link set "${{d##*/}}" down; ip link set "${{d##*/}}" name {name}; }}
done
grep -rliF {old} /etc/network /etc/systemd/network /etc/udev/rules.d 2>/dev/null | xargs -r sed -i 's/{old}/{mac}/I'"""


def going_on(identity: Mapping[str, Any], user_data: str, keys: list[str], below: Mapping[str, Any], user: str) -> dict[str, str]:
    """The seed's files. ``below``: the disk (``instance``, ``ssh_keys``, ``nics`` and ``replay``); ``user``: whose keys those of the stack are."""
    meta = {"instance-id": below["instance"], "local-hostname": identity["hostname"], "public-keys": keys}
    nics, before = identity["nics"], below["nics"]
    network = network_config(identity)
    wanted = runs_at_every_boot(user_data) or _plain(network) != _plain(network_config(below))
    script = _SCRIPT.format(
        wanted=_WANTED if wanted else "[ -z \"$(ls /etc/netplan 2>/dev/null)\" ] || " + _WANTED, me=identity["uuid"], user=shlex.quote(user),
        old=" -e ".join(shlex.quote(k) for k in below.get("ssh_keys") or ()) or "'no such key'", keys="\n".join(keys),
        hostname=shlex.quote(identity["hostname"]),
        signals=repr([(s["url"], json.dumps(s["body"])) for s in below.get("replay") or ()]),
        interfaces="\n".join(_INTERFACE.format(mac=n["mac"], name=f"eth{i}", old=b["mac"]) for i, (n, b) in enumerate(zip(nics, before, strict=False))),
    )  # fmt: skip
    return {"meta-data": json.dumps(meta, indent=1), "user-data": user_data or NOTHING, NETWORK: json.dumps(network, indent=1), FILE: script}


def runs_at_every_boot(user_data: str) -> bool:
    """Whether cloud-init would do something of it at every boot; yes where that is not known."""
    if not user_data or user_data.startswith("#!"):
        return False
    if not user_data.startswith("#cloud-config"):
        return True
    import yaml  # only where a guest is made

    try:
        found = yaml.safe_load(user_data)
    except yaml.YAMLError:
        return True
    return not isinstance(found, dict | None) or not ONCE.issuperset(found or ())


def _plain(network: Mapping[str, Any]) -> Sequence[Any]:
    """A network configuration without what names the interfaces."""
    return [{k: v for k, v in card.items() if k != "match"} for card in network["ethernets"].values()]
