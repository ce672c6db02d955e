"""List, define and forget the storage pools of a host. A volume says by `pool` where it is; a host of ours has the pool `default`, a folder.

`add URI NAME KIND KEY=VALUE…` says what a pool is, as its kind needs it: `dir path=/srv/disks`; `fs device=/dev/vdb1 path=/srv/disks`;
`netfs host=nas dir=/export path=/srv/disks format=nfs`; `logical name=vg0`; `disk device=/dev/vdb`; `iscsi host=10.0.0.1 device=IQN`;
`iscsi-direct host=10.0.0.1 device=IQN initiator=IQN`; `scsi adapter=host0`; `mpath`; `rbd name=vms host=10.0.0.1:6789 auth=USER:SECRET`; `zfs name=tank/vms`.
What is on its devices is used as it is: nothing is formatted. libvirt keeps the definition; `rm` forgets it, and leaves what is stored there.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    ls = verbs.add_parser("ls", help="list the pools of a host")
    ls.add_argument("uri", metavar="URI", nargs="?", help="default: --host, else private://default")
    add = verbs.add_parser("add", help="define and start a pool")
    add.add_argument("uri", metavar="URI")
    add.add_argument("name", metavar="NAME")
    add.add_argument("kind", metavar="KIND", help="dir, fs, netfs, logical, disk, iscsi, iscsi-direct, scsi, mpath, rbd or zfs")
    add.add_argument("words", metavar="KEY=VALUE", nargs="*", help="what a pool of the kind needs; host and devices may be said several times")
    remove = verbs.add_parser("rm", help="forget a pool; what is stored there stays")
    remove.add_argument("uri", metavar="URI")
    remove.add_argument("name", metavar="NAME")
    for verb in verbs.choices.values():
        options.add_common(verb, again=True)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the verb says, and show what is there then."""
    from stackengine import service
    from stackengine.cli.render.table import table
    from stackengine.service import pools
    from stackengine.service.session import DEFAULT_HOST

    with service.open(options.settings(args)) as session:
        uri = args.uri or options.settings(args).host or DEFAULT_HOST
        if args.verb == "add":
            pools.add(session, uri, args.name, args.kind, args.words)
        elif args.verb == "rm":
            pools.rm(session, uri, args.name)
        found = pools.ls(session, uri)
    if terminal.json:
        data = [{"name": p.name, "pool_kind": p.type, "active": p.active, "capacity": p.capacity, "available": p.available, "path": p.path} for p in found]
        terminal.document("pools", {"uri": uri, "pools": data})
    else:
        rows = [[p.name, p.type, "active" if p.active else "inactive", f"{p.available >> 20} MiB", f"{p.capacity >> 20} MiB", p.path or "-"] for p in found]
        terminal.data(table(["POOL", "KIND", "STATE", "FREE", "SIZE", "PLACE"], rows))
    return OK
