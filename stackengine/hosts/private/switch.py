"""A virtual switch inside a private host, for networks with VLAN tags: Open vSwitch with its datapath in user space, which needs no kernel module.

Runs inside the namespaces, and ends with them. Its database is made anew at each start of the host, as the ports of guests are not there any more then.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

BRIDGE = "se-switch"
"""The bridge that every private host with a switch has."""
RUN = Path("/run/openvswitch")
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
SECONDS = 15


def start(folder: Path) -> None:
    """Have the switch and its bridge; OSError says what did not start. ``folder`` keeps database and logs."""
    if not (RUN / "db.sock").exists():
        RUN.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        database = folder / "conf.db"
        database.unlink(missing_ok=True)
        _run("ovsdb-tool", "create", str(database), SCHEMA)
        _run("ovsdb-server", f"--remote=punix:{RUN}/db.sock", *_daemon("ovsdb-server", folder), str(database))
        _run("ovs-vsctl", "--no-wait", "init")
    if not (RUN / "ovs-vswitchd.pid").exists():
        _run("ovs-vswitchd", *_daemon("ovs-vswitchd", folder), f"unix:{RUN}/db.sock")
    _run("ovs-vsctl", f"--timeout={SECONDS}", "--may-exist", "add-br", BRIDGE, "--", "set", "bridge", BRIDGE, "datapath_type=netdev")
    _run("ip", "link", "set", BRIDGE, "up")


def _daemon(name: str, folder: Path) -> list[str]:
    """It goes to the background when it is ready, and is started again when it ends by a fault."""
    return [f"--pidfile={RUN}/{name}.pid", "--detach", "--monitor", "--no-chdir", f"--log-file={folder}/{name}.log"]


def _run(*command: str) -> None:
    """Exit codes go to process 1's own burials, so a word after success tells."""
    done = subprocess.run(["sh", "-c", '"$@" && echo done', "sh", *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if not done.stdout.endswith("done\n"):
        said = done.stderr.strip().splitlines()
        raise OSError(0, f"{command[0]}: {said[-1] if said else 'failed'}")
