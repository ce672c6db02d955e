"""What goes over the wire between a command and the machine that carries it out: a header and a bundle of files there, frames back.

A frame is a letter (``o`` standard output, ``e`` standard error, ``f`` a piece of an archive of artifacts, ``x`` the exit code), four bytes of length,
big-endian, and so many bytes. A stream that ends without ``x`` was cut off.
"""

from __future__ import annotations

import io
import json
import os
import struct
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from stackengine.cli.errors import UsageError

HEADER_LIMIT = 1 << 20
BUNDLE_FILES, BUNDLE_BYTES = 2000, 64 << 20
"""What a template's folder may hold at most to be sent."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is to be run."""

    argv: list[str]
    cwd: str
    """Within the bundle."""
    environ: dict[str, str]
    artifacts: str
    """The folder, as named in ``argv``, that is to come back; empty: none."""
    length: int
    """Bytes of the bundle that follows."""
    version: int = 1


def send_header(out: IO[bytes], header: Header) -> None:
    """Write a header."""
    data = json.dumps(asdict(header)).encode()
    out.write(struct.pack(">I", len(data)) + data)


def read_header(source: IO[bytes]) -> Header:
    """Read a header; ValueError for anything else."""
    (length,) = struct.unpack(">I", exactly(source, 4))
    if length > HEADER_LIMIT:
        raise ValueError("this is no request of stack-run")
    data = json.loads(exactly(source, length))
    if not isinstance(data, dict) or data.get("version") != 1:
        raise ValueError("the other side has another version of stack-run")
    return Header(**data)


def exactly(source: IO[bytes], length: int) -> bytes:
    """So many bytes; ValueError when the stream ends before."""
    data = b""
    while len(data) < length:
        more = source.read(length - len(data))
        if not more:
            raise ValueError("the connection ended in the middle")
        data += more
    return data


def frame(kind: str, data: bytes) -> bytes:
    """One frame."""
    return kind.encode() + struct.pack(">I", len(data)) + data


def frames(source: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Frames until the stream ends; ValueError when what comes is none."""
    while kind := source.read(1):
        if kind not in b"oefx":
            raise ValueError(f"the remote says something else than stack-run would: {(kind + source.read(200)).decode('utf-8', 'replace').strip()}")
        (length,) = struct.unpack(">I", exactly(source, 4))
        yield kind.decode(), exactly(source, length)


def bundle(root: Path, folders: Sequence[Path], files: Sequence[Path]) -> bytes:
    """An archive of folders (without what begins with a dot) and files, under their paths below ``root``; UsageError when that is too much."""
    wanted = {f for f in files if f.is_file()}
    for folder in folders:
        for place, below, names in os.walk(folder):
            below[:] = [b for b in below if not b.startswith(".")]
            wanted |= {Path(place) / n for n in names if not n.startswith(".")}
            if len(wanted) > BUNDLE_FILES:
                raise UsageError(f"{folder} has more than {BUNDLE_FILES} files", hint="put the template and what it reads into a folder of its own")
    out, total = io.BytesIO(), 0
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=3) as archive:
        for file in sorted(wanted):
            if not file.is_file() or (file.is_symlink() and not file.resolve().is_relative_to(root)):
                continue
            total += file.stat().st_size
            if total > BUNDLE_BYTES:
                raise UsageError(f"more than {BUNDLE_BYTES >> 20} MiB would have to be sent, with {file}", hint="images are better named by URL")
            archive.add(file.resolve(), str(file.relative_to(root)), recursive=False)
    return out.getvalue()


def unpack(data: bytes, folder: Path) -> None:
    """Unpack an archive; nothing lands outside of ``folder`` (tarfile's filter ``data``)."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(folder, filter="data")
