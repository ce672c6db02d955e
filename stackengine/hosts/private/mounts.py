"""What the processes of a private host see of the file system. Runs inside fresh namespaces, before anything else does."""

from __future__ import annotations

import ctypes
import os
import socket
from pathlib import Path

_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
NAME_SERVER = "198.19.255.3"
"""Where slirp4netns answers when the host reaches out. Without it there is no route, which fails at once, as it must (see below)."""


def mount(source: str, target: str, kind: str = "", flags: int = 0) -> None:
    """mount(2); OSError naming both."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), None):
        number = ctypes.get_errno()
        raise OSError(number, f"mount of {source} on {target}: {os.strerror(number)}")


def bind(source: Path, target: str) -> None:
    """Show ``source`` under another path."""
    if not Path(target).exists():
        raise FileNotFoundError(f"{target} is not there: is libvirt installed?")
    mount(str(source), target, flags=_MS_BIND | _MS_REC)


def accounts(passwd: str = "/etc/passwd", group: str = "/etc/group") -> dict[str, str]:
    """By path: the machine's accounts and the one that libvirt's QEMU driver wants to know of, though nothing runs as it here; none where it is there.

    Debian makes it with libvirt's services, which a private host does not need; libvirtd looks the name up before it reads its configuration.
    """
    found = {}
    for path, line in ((passwd, "libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin"), (group, "libvirt-qemu:x:64055:")):
        text = Path(path).read_text(errors="surrogateescape")
        if not any(known.startswith("libvirt-qemu:") for known in text.splitlines()):
            found[path] = f"{text.rstrip()}\n{line}\n"
    return found


def _addresses(name: str) -> str:
    return f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {name}\n"


def name_host(name: str) -> None:
    """Give a host that runs another name, which it can resolve; to be called inside."""
    Path("/etc/hosts").write_text(_addresses(name))
    socket.sethostname(name[:63])


def mount_everything(folder: Path, runtime: Path, cache: Path, name: str) -> None:
    """/proc and /sys of the new namespaces (libvirt reads /sys/class/net), libvirt's folders and /run bound to the host's own.

    Name resolution is the host's own: libvirtd resolves its own name at every domain start, and a dead resolver costs 5 s each time.
    """
    mount("none", "/", flags=_MS_REC | _MS_PRIVATE)
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    bind(folder / "etc", "/etc/libvirt")
    bind(folder / "lib", "/var/lib/libvirt")
    bind(folder / "log", "/var/log/libvirt")
    bind(cache, "/var/cache/libvirt")
    texts = accounts()
    texts |= {
        "/etc/hosts": _addresses(name),
        "/etc/resolv.conf": f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:2\n",
    }
    below_run = {}
    for path, text in texts.items():
        real = os.path.realpath(path)
        if real.startswith("/run/"):  # a link to what systemd-resolved keeps in the /run that is about to be covered
            below_run[real] = text
        elif Path(real).exists():
            own = runtime / Path(path).name
            own.write_text(text, errors="surrogateescape")
            bind(own, real)
    (runtime / "run" / "lock").mkdir(exist_ok=True)
    bind(runtime / "run", "/run")
    for real, text in below_run.items():
        Path(real).parent.mkdir(parents=True, exist_ok=True)
        Path(real).write_text(text)
