"""Where images come from: the catalogue (``images.yaml``), a path, or a URL.

An image is of kind ``disk`` (one qcow2 or raw file) or ``kernel`` (kernel and initial RAM disk that are booted directly). A source is
written as ``NAME``, a path or a URL; a part of a kernel image as ``NAME#kernel`` or ``NAME#initrd``; what an image is, as JSON, can be
opened as ``describe:SOURCE`` (a built image is built for it), and what is known without building as ``about:SOURCE``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from stackengine.hosts import downloads, guest_image
from stackengine.hosts.catalogue import Catalogue, ImageSource, catalogue
from stackengine.hosts.downloads import Downloads, Ways, nothing
from stackengine.hosts.guest_image import manifest
from stackengine.hosts.guest_image.ingredients import ImageError

__all__ = ["ImageError", "ImageSource", "Images", "Ways", "catalogue"]


class Images:
    """Opens images; what was downloaded or built is kept below ``state_dir``. Safe for several threads and processes."""

    def __init__(self, state_dir: Path, ways: Ways | None = None) -> None:
        self._state = state_dir
        self._build_lock = threading.Lock()
        self.names = Catalogue(state_dir / "images" / "added.json")
        self._downloads = Downloads(state_dir / "images" / "downloads", ways, lambda: [s.url for s in self.names.added().values() if s.fetched])

    def lookup(self, source: str) -> ImageSource:
        """What ``source`` (a name, a path or a URL) means, without touching a network; :class:`ImageError` with a suggestion when it means nothing."""
        return self.names.lookup(source)

    def describe(self, source: str) -> ImageSource:
        """Like :meth:`lookup`, but a built image is built and told with its checksums and command line."""
        found = self.lookup(source)
        if not found.build:
            return found
        made = self._built(found.build)
        data = asdict(found) | {"cmdline": made.cmdline, "sha256": made.sha256}
        return ImageSource(**data)

    def open_source(self, source: str, sha256: str = "", check: Callable[[], None] = nothing) -> tuple[BinaryIO, int, str]:
        """Open a disk image, a part of a built image, or a description: (stream, length in bytes, sha256).

        Downloads first what is not here yet. :class:`ImageError` when it cannot be had or its checksum is not ``sha256``. ``check`` is
        called while it lasts and may raise.
        """
        scheme, _, rest = source.partition(":")
        if scheme in ("describe", "about"):
            text = json.dumps(asdict(self.describe(rest) if scheme == "describe" else self.lookup(rest))).encode()
            return io.BytesIO(text), len(text), hashlib.sha256(text).hexdigest()
        path, seen = self._locate(source, sha256, check)
        if sha256 and seen != sha256.lower().removeprefix("sha256:"):
            said = f"expected sha256:{sha256.lower().removeprefix('sha256:')}, got sha256:{seen}"
            raise ImageError(f"wrong checksum of {source}: {said}", hint="it is not the one that was named: get that one, or name this with its own checksum")
        stream = path.open("rb")
        return stream, os.fstat(stream.fileno()).st_size, seen

    def held(self, source: str) -> int:
        """Bytes of an image that are on this machine already, built or downloaded; 0: none."""
        found = self.lookup(source)
        if found.build:
            made = [m for folder in (self._state / "images" / found.build).glob("[!.]*") if (m := manifest.load(folder))]
            return max((sum(m.part(p).stat().st_size for p in m.files) for m in made), default=0)
        if not found.fetched:
            path = Path(found.url)
            return path.stat().st_size if path.is_file() else 0
        fetched = self._downloads.held(found.url)
        return fetched.length if fetched else 0

    def pull(self, source: str, check: Callable[[], None] = nothing) -> str:
        """Have ``source`` on this machine: built, or fetched in its newest version; the sha256 of a disk, empty where it has none."""
        found = self.lookup(source)
        if found.build:
            return self._built(found.build).sha256.get("disk", "")
        if found.fetched:
            return self._downloads.get(found.url, lambda: self._expected(found, ""), check, newest=True)[1].sha256
        return self._locate(source, "", check)[1]

    def fetched(self) -> list[downloads.Fetched]:
        """What was downloaded, by address."""
        return self._downloads.all()

    def discard(self, source: str) -> int:
        """Remove what is on this machine of an image that was built or fetched; the bytes that are free now. The next use has it made again."""
        found = self.lookup(source)
        if found.build:
            return guest_image.discard(found.build, self._state)
        if found.fetched:
            return self._downloads.forget(found.url)
        place = Path(found.url)
        if place != self.captured(found.name) or not place.is_file():
            return 0
        size = place.stat().st_size
        place.unlink()
        return size

    def sweep(self, keep: Collection[str], *, pretend: bool = False) -> int:
        """Remove downloads whose sha256 is not in ``keep``, and all but the newest build of each image; the bytes that are free now."""
        return self._downloads.sweep(keep, pretend=pretend) + guest_image.sweep(self._state, pretend=pretend)

    def captured(self, name: str) -> Path:
        """Where an image that was made of a server stands, or would."""
        return self._state / "images" / "captured" / f"{name}.qcow2"

    def _locate(self, source: str, sha256: str, check: Callable[[], None]) -> tuple[Path, str]:
        name, _, part = source.partition("#")
        found = self.lookup(name if name in catalogue() else source)
        if found.build:
            made = self._built(found.build)
            if part not in made.files:
                raise ImageError(f"image {name} has no part {part or 'of its own'}", hint="one of: " + ", ".join(f"{name}#{p}" for p in made.files))
            return made.part(part), made.sha256[part]
        if found.fetched:
            pinned = downloads.normal_checksum(sha256).removeprefix("sha256:") if sha256 else ""
            path, fetched = self._downloads.get(found.url, lambda: self._expected(found, sha256), check, sha256=pinned)
            return path, fetched.sha256
        path = Path(found.url)
        if not path.is_file():
            raise ImageError(f"image file {path} is not there", hint="an image is a name (stack-run images ls), a path, or a URL")
        seen = self._digest(path, check)
        if found.checksum and downloads.digests(path, found.checksum, check)[1] != found.checksum:
            raise ImageError(f"{path} is no longer what it was when the image {found.name} was added", hint=f"stack-run images add {found.name} {path}")
        return path, seen

    def _expected(self, source: ImageSource, sha256: str) -> str:
        if sha256:
            return downloads.normal_checksum(sha256)
        if source.checksum or not source.checksums:
            return source.checksum
        name = urlsplit(source.url).path.rpartition("/")[2]
        expected = downloads.published_checksum(self._downloads.text(source.checksums), name)
        if not expected:
            raise ImageError(f"{source.checksums} lists no checksum of {name}", hint="give the image's URL and sha256 instead of its name")
        return expected

    def _digest(self, path: Path, check: Callable[[], None]) -> str:
        """The sha256 of a local file, remembered as long as the file does not change."""
        status, name = path.stat(), str(path.resolve())
        stamp = [name, status.st_size, status.st_mtime_ns, status.st_ino]
        record = self._state / "images" / "digests" / hashlib.sha256(name.encode()).hexdigest()[:32]
        try:
            known = json.loads(record.read_text())
            if known["file"] == stamp:
                return str(known["sha256"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        sha256, _ = downloads.digests(path, check=check)
        record.parent.mkdir(parents=True, exist_ok=True)
        part = record.with_name(f"{record.name}.{threading.get_ident()}")
        part.write_text(json.dumps({"file": stamp, "sha256": sha256}))
        part.rename(record)
        return sha256

    def _built(self, name: str) -> guest_image.Manifest:
        with self._build_lock:
            return guest_image.build(name, self._state)
