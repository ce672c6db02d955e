"""A cpio archive in the ``newc`` format, the one that the Linux kernel unpacks as its initramfs.

Written here rather than by the ``cpio`` program, so that building needs no root (files belong to root inside) and the same
tree always gives the same bytes. Format: ``Documentation/driver-api/early-userspace/buffer-format.rst`` of the kernel.
"""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath


class Tree:
    """Files, directories and symlinks to be packed; parents are made as needed. Paths are relative, without a leading slash."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[int, bytes]] = {}

    def directory(self, path: str, mode: int = 0o755) -> None:
        """Add a directory, or change the mode of one."""
        self._parents(path)
        self._entries[path] = (stat.S_IFDIR | mode, b"")

    def file(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Add a regular file."""
        self._parents(path)
        self._entries[path] = (stat.S_IFREG | mode, data)

    def copy(self, path: str, source: Path, mode: int = 0o644) -> None:
        """Add a copy of the file ``source`` (symlinks followed)."""
        self.file(path, source.read_bytes(), mode)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link; an entry that is there already stays."""
        if path not in self._entries:
            self._parents(path)
            self._entries[path] = (stat.S_IFLNK | 0o777, target.encode())

    def paths(self) -> list[str]:
        """All paths, sorted, so that every directory comes before what is in it."""
        return sorted(self._entries)

    def pack(self) -> bytes:
        """The archive."""
        out = bytearray()
        for number, path in enumerate(self.paths(), 1):
            mode, data = self._entries[path]
            out += _entry(path, mode, data, number)
        out += _entry("TRAILER!!!", 0, b"", 0)
        out += b"\0" * (-len(out) % 512)
        return bytes(out)

    def unpack(self, folder: Path) -> None:
        """Write the tree into ``folder`` instead of an archive."""
        for path in self.paths():
            mode, data = self._entries[path]
            target = folder / path
            if stat.S_ISDIR(mode):
                target.mkdir(parents=True, exist_ok=True)
            elif stat.S_ISLNK(mode):
                target.symlink_to(data.decode())
            else:
                target.write_bytes(data)
                target.chmod(stat.S_IMODE(mode))

    def _parents(self, path: str) -> None:
        for parent in PurePosixPath(path).parents:
            if str(parent) != ".":
                self._entries.setdefault(str(parent), (stat.S_IFDIR | 0o755, b""))


def _entry(path: str, mode: int, data: bytes, number: int) -> bytes:
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)
