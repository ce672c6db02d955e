"""Process 1 of a private host: mounts, starts libvirtd, buries the dead, hands out sockets. Runs in fresh namespaces; see ``host.launch``.

Traps that this heeds: libvirtd resolves the host's name at every domain start, and a dead resolver costs 5 s each time, so the names are in a
hosts file of its own; libvirt reads /sys/class/net, so sysfs is that of the new network namespace.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from stackengine.hosts.private.broker import serve

DAEMONS = ("virtlogd", "virtlockd", "libvirtd")
SEARCH = "/usr/sbin:/usr/bin:/sbin:/bin"


def run(*command: str) -> None:
    """Run a command; what it says goes to the log."""
    subprocess.run(command, check=True, env={**os.environ, "PATH": SEARCH})


def mount_everything(folder: Path, runtime: Path, cache: Path, name: str) -> None:
    """/proc and /sys of the new namespaces, libvirt's folders and /run bound to the host's own, name resolution without a network."""
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "proc", "proc", "/proc")
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    own_folders = {"/etc/libvirt": folder / "etc", "/var/lib/libvirt": folder / "lib", "/var/cache/libvirt": cache, "/var/log/libvirt": folder / "log"}
    for there, own in own_folders.items():
        run("mount", "--bind", str(own), there)
    for file, text in (("hosts", f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {name}\n"), ("resolv.conf", "")):
        own = runtime / file
        if not own.exists() or file == "hosts":
            own.write_text(text)
        target = Path("/etc") / file
        if target.exists():
            run("mount", "--bind", str(own), os.path.realpath(target))
    run("mount", "--bind", str(runtime / "run"), "/run")
    Path("/run/lock").mkdir(exist_ok=True)


def main() -> None:
    """Never returns; ends when told to, or when a daemon dies."""
    settings = json.loads(sys.argv[1])
    folder, runtime = Path(settings["folder"]), Path(settings["runtime"])
    broker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    broker_path = Path(settings["broker"])
    broker_path.unlink(missing_ok=True)
    broker.bind(str(broker_path))  # before /run is bound over
    broker_path.chmod(0o600)
    socket.sethostname(settings["name"][:63])
    mount_everything(folder, runtime, Path(settings["cache"]), settings["name"])
    run("ip", "link", "set", "lo", "up")
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))
    daemons = [subprocess.Popen([d], env={**os.environ, "PATH": SEARCH}, stdin=subprocess.DEVNULL, start_new_session=True) for d in DAEMONS]
    broker.listen(64)
    attend(broker, {d.pid for d in daemons})


def attend(broker: socket.socket, daemons: set[int]) -> None:
    """Hand out sockets, each request in a thread of its own, and bury the dead; the end of a daemon is the end of the host."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    while True:
        ready, _, _ = select.select([broker.fileno(), read_end], [], [], 60)
        if read_end in ready:
            os.read(read_end, 512)
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                os._exit(1)
            if pid == 0:
                break
            if pid in daemons:
                os._exit(1)
        if broker.fileno() in ready:
            threading.Thread(target=serve, args=(broker,), daemon=True).start()
            _until_taken(broker)


def _until_taken(broker: socket.socket) -> None:
    """Wait until the thread has taken the waiting client, so that it is not counted twice."""
    while select.select([broker], [], [], 0.01)[0]:
        threading.Thread(target=serve, args=(broker,), daemon=True).start()


if __name__ == "__main__":
    main()
