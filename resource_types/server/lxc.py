"""Containers of libvirt's LXC driver: a file system of their own, the host's kernel."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from typing import ClassVar

from .shapes import Shape


class Container(Shape):
    """The root is a copy of the image's file system; the seed is an archive that the host puts at ``/seed.tar``."""

    template: ClassVar[str] = "lxc.xml.j2"
    disk_template: ClassVar[str] = "lxc-filesystem.xml.j2"
    seed_suffix: ClassVar[str] = "tar"
    called: ClassVar[str] = "LXC"
    known: ClassVar[frozenset[str] | None] = frozenset((
        "name", "image", "flavor", "vcpus", "memory", "networks", "libvirt_overlay", "key_name", "ssh_keys", "user_data", "user_data_update", "metadata",
        "ready", "power", "shutdown_timeout", "pool", "init",
    ))  # fmt: skip
    reasons: ClassVar[Mapping[str, str]] = {
        "security_groups": "libvirt refuses packet filters at the interfaces of containers",
        "volumes": "a container has no disks",
        "disk": "a container's root is as large as its image's file system",
        "seed": "a container is told by an archive",
        "cmdline": "a container has the host's kernel",
    }

    def seed(self, files: Mapping[str, str]) -> io.BytesIO:
        """A tar archive, whole records long: what is uploaded is never longer."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text.encode()), 0o600
                archive.addfile(entry, io.BytesIO(text.encode()))
        out.seek(0)
        return out


SHAPE = Container()
