"""Cloud service archives: 1.0 and 1.1 (Simple Profile 1.3, chapter 6) and 2.0 (TOSCA 2.0, chapter 17), zip and tar, read from memory.

Nothing is unpacked: files are taken out one by one when they are read, so that no path of an archive can lead out of it, and no file of it
can be larger than a template may be.
"""

from __future__ import annotations

import io
import posixpath
import tarfile
import zipfile
import zlib
from dataclasses import dataclass

from stackengine.formats.nesting import join
from stackengine.formats.tree import MAX_BYTES
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import Mark

META = ("TOSCA.meta", "TOSCA-Metadata/TOSCA.meta")
VERSIONS = ("1.0", "1.1", "2.0")
MAX_FILES = 10_000
MAX_TOTAL = 256 << 20
"""Bytes that a compressed tar may become while its table of contents is read."""


class CsarError(ValueError):
    """What is wrong with an archive; ``code`` is its diagnostic."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.hint = code, hint


@dataclass(frozen=True, slots=True)
class Archive:
    """``formats.Reader`` for the files of an archive; their names are ``archive/path``."""

    place: str
    members: dict[str, bytes]

    def names(self) -> list[str]:
        """Every file."""
        return [f"{self.place}/{m}" for m in self.members]

    def read(self, name: str, relative_to: str) -> str:
        """The text of a file; ValueError for one that is not there, or not in the archive."""
        inside = f"{self.place}/"
        whole = name if name.startswith(inside) else f"{self.place}{name}" if name.startswith("/") else join(relative_to or inside, name)
        if not whole.startswith(f"{self.place}/"):
            raise ValueError(f"{name} is outside the archive")
        data = self.members.get(whole[len(self.place) + 1 :])
        if data is None:
            raise ValueError(f"{name} is not in the archive")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{name} is not UTF-8 text") from None


def open_archive(data: bytes, place: str, diagnostics: Diagnostics) -> tuple[Archive, str] | None:
    """The archive and the name of its entry definitions; None where it is not in order, which is reported (S295 to S297)."""
    try:
        archive = Archive(place, _zipped(data) if data[:2] == b"PK" else _tarred(data))
        return archive, f"{place}/{_entry(archive.members)}"
    except CsarError as error:
        diagnostics.error(error.code, str(error), Mark(place, 1, 1, 1, 1), error.hint)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        diagnostics.error("S295", f"the archive cannot be read: {error}", Mark(place, 1, 1, 1, 1))
    return None


def _checked(name: str, size: int, members: dict[str, bytes]) -> str:
    """The normalised name of a member; paths that lead out of the archive and files that are too large are refused."""
    path = posixpath.normpath(name.replace("\\", "/"))
    if path.startswith(("/", "../")) or path == ".." or ":" in path.split("/")[0]:
        raise CsarError("S297", f"the archive has a path that leads out of it: {name}")
    if len(members) >= MAX_FILES:
        raise CsarError("S297", f"the archive has more than {MAX_FILES} files")
    return "" if size > MAX_BYTES and path.endswith((".yaml", ".yml", ".meta")) else path


def _zipped(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    total = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            path = _checked(info.filename, info.file_size, found)
            if not path or info.file_size > MAX_BYTES:
                continue
            with archive.open(info) as file:
                content = file.read(MAX_BYTES + 1)
            total += len(content)
            if len(content) > MAX_BYTES or total > MAX_TOTAL:
                raise CsarError("S297", f"the archive is larger than it says: {info.filename}")
            found[path] = content
    return found


def _tarred(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    raw: io.BufferedIOBase = io.BytesIO(data)
    if data[:2] == b"\x1f\x8b":
        plain = zlib.decompressobj(wbits=31).decompress(data, MAX_TOTAL + 1)
        if len(plain) > MAX_TOTAL:
            raise CsarError("S297", f"the archive becomes larger than {MAX_TOTAL >> 20} MiB")
        raw = io.BytesIO(plain)
    with tarfile.open(fileobj=raw, mode="r:") as archive:
        for info in archive:
            if not info.isfile():
                continue
            path = _checked(info.name, info.size, found)
            file = archive.extractfile(info)
            if path and file is not None and info.size <= MAX_BYTES:
                found[path] = file.read(MAX_BYTES)
    return found


def _entry(members: dict[str, bytes]) -> str:
    """The root file: what TOSCA.meta says, or the only YAML file at the root."""
    metas = [m for m in META if m in members]
    if len(metas) > 1:
        raise CsarError("S296", "the archive has two TOSCA.meta files", "one at the root, or one in TOSCA-Metadata")
    if metas:
        said = _meta(members[metas[0]])
        version = said.get("CSAR-Version", "")
        if version not in VERSIONS:
            raise CsarError("S296", f"TOSCA.meta: there is no CSAR-Version {version or '(none given)'}", ", ".join(VERSIONS))
        entry = posixpath.normpath(said.get("Entry-Definitions", ""))
        if said.get("Entry-Definitions"):
            if entry not in members:
                raise CsarError("S296", f"TOSCA.meta: the Entry-Definitions {entry} are not in the archive")
            return entry
    roots = [m for m in members if "/" not in m and m.endswith((".yaml", ".yml"))]
    if len(roots) != 1:
        raise CsarError("S296", f"the archive has {len(roots)} YAML files at its root", "TOSCA.meta says which one is the entry: Entry-Definitions: …")
    return roots[0]


def _meta(data: bytes) -> dict[str, str]:
    """The first block of TOSCA.meta: 'Name: value' lines, continued by a leading space."""
    found: dict[str, str] = {}
    last = ""
    for line in data.decode("utf-8", "replace").splitlines():
        if not line.strip() and found:
            break
        if line.startswith(" ") and last:
            found[last] += line[1:]
            continue
        name, colon, value = line.partition(":")
        if not colon and line.strip():
            raise CsarError("S296", f"TOSCA.meta has a line that is no 'Name: value': {line[:60]}")
        last = name.strip()
        found[last] = value.strip()
    return {k: v for k, v in found.items() if k}
