"""Where images come from: the catalogue (``images.yaml``), a path, or a URL.

An image is of kind ``disk`` (one qcow2 or raw file) or ``kernel`` (kernel and initial RAM disk that are booted directly). A source is
written as ``NAME``, a path or a URL; a part of a kernel image as ``NAME#kernel`` or ``NAME#initrd``; what an image is, as JSON, can be
opened as ``describe:SOURCE`` (a built image is built for it), and what is known without building as ``about:SOURCE``.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import unquote, urlsplit

from stackengine.hosts import downloads, guest_image
from stackengine.hosts.downloads import Downloads, nothing
from stackengine.hosts.guest_image import manifest
from stackengine.hosts.guest_image.ingredients import ImageError

__all__ = ["ImageError", "ImageSource", "Images", "catalogue", "lookup"]

_MAGIC = b"QFI\xfb"
"""The first bytes of a qcow2 file."""


@dataclass(frozen=True, slots=True)
class ImageSource:
    """What is known of an image without touching disk or network."""

    name: str
    """As written: a catalogue name, path or URL."""
    kind: Literal["kernel", "disk"]
    sources: dict[str, str]
    """By part (``disk``, ``kernel`` and ``initrd``, or ``rootfs`` for containers): what :meth:`Images.open_source` opens."""
    checksum: str = ""
    """``ALGORITHM:HEX`` of the disk, when the catalogue knows it."""
    checksums: str = ""
    """URL of a published list of checksums."""
    build: str = ""
    """The image that is built on this machine."""
    user: str = ""
    """The account that gets the SSH keys; empty: not known."""
    memory: int = 0
    """MiB that a guest needs at least; 0: not known."""
    description: str = ""
    cmdline: str = ""
    """Kernel command line; of a built image known when it is built."""
    sha256: dict[str, str] = field(default_factory=dict)
    """By part; empty as long as it is not known."""


@cache
def catalogue() -> dict[str, ImageSource]:
    """The images that can be named, by name."""
    import yaml

    text = resources.files("stackengine.hosts").joinpath("images.yaml").read_text()
    return {name: _entry(name, data) for name, data in yaml.safe_load(text).items()}


def _entry(name: str, data: dict[str, Any]) -> ImageSource:
    build = data.get("build", "")
    parts = {"": ("disk",), "tiny": ("kernel", "initrd"), "tiny-container": ("rootfs",)}.get(build, ("kernel", "initrd", "disk"))
    of = {part: f"{name}#{part}" if build else data["url"] for part in parts}
    if build == "tiny":
        of["rootfs"] = "tiny-container#rootfs"  # made when a host of containers wants it
    return ImageSource(
        name,
        "kernel" if build else "disk",
        of,
        data.get("checksum", ""),
        data.get("checksums", ""),
        build,
        data.get("user", ""),
        data.get("memory", 0),
        data.get("description", ""),
    )


def lookup(source: str) -> ImageSource:
    """What ``source`` (a catalogue name, a path or a URL) means; :class:`ImageError` with a suggestion when it means nothing."""
    if source in catalogue():
        return catalogue()[source]
    scheme = urlsplit(source).scheme
    if scheme in {"http", "https", "file"}:
        return ImageSource(source, "disk", {"disk": source})
    if "/" in source or source.startswith("~") or Path(source).is_file():
        return ImageSource(source, "disk", {"disk": str(Path(source).expanduser())})
    near = difflib.get_close_matches(source, catalogue(), 1, 0.5)
    raise ImageError(
        f"no image named {source!r}",
        hint=(f"did you mean {near[0]}? " if near else "") + "an image is a name (stack-run images ls), a path with a slash, or a URL",
    )


class Images:
    """Opens images; what was downloaded or built is kept below ``state_dir``. Safe for several threads and processes."""

    def __init__(self, state_dir: Path) -> None:
        self._state = state_dir
        self._downloads = Downloads(state_dir / "images" / "downloads")
        self._build_lock = threading.Lock()

    def describe(self, source: str) -> ImageSource:
        """Like :func:`lookup`, but a built image is built and told with its checksums and command line."""
        found = lookup(source)
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
            text = json.dumps(asdict(self.describe(rest) if scheme == "describe" else lookup(rest))).encode()
            return io.BytesIO(text), len(text), hashlib.sha256(text).hexdigest()
        path, seen = self._locate(source, sha256, check)
        if sha256 and seen != sha256.lower().removeprefix("sha256:"):
            raise ImageError(f"wrong checksum of {source}: expected sha256:{sha256.lower().removeprefix('sha256:')}, got sha256:{seen}")
        return path.open("rb"), path.stat().st_size, seen

    def held(self, source: str) -> int:
        """Bytes of an image that are on this machine already, built or downloaded; 0: none."""
        found = lookup(source)
        if found.build:
            made = [m for folder in (self._state / "images" / found.build).glob("[!.]*") if (m := manifest.load(folder))]
            return max((sum(m.part(p).stat().st_size for p in m.files) for m in made), default=0)
        url = found.sources["disk"]
        if urlsplit(url).scheme not in {"http", "https"}:
            path = Path(url.removeprefix("file://"))
            return path.stat().st_size if path.is_file() else 0
        fetched = self._downloads.held(url)
        return fetched.length if fetched else 0

    def refresh(self, source: str) -> None:
        """Forget what was downloaded for ``source``, so that the next use fetches it again."""
        url = lookup(source).sources.get("disk", "")
        if urlsplit(url).scheme in {"http", "https"}:
            self._downloads.forget(url)

    def _locate(self, source: str, sha256: str, check: Callable[[], None]) -> tuple[Path, str]:
        name, _, part = source.partition("#")
        found = lookup(name if name in catalogue() else source)
        if found.build:
            made = self._built(found.build)
            if part not in made.files:
                raise ImageError(f"image {name} has no part {part or 'of its own'}", hint="one of: " + ", ".join(f"{name}#{p}" for p in made.files))
            return made.part(part), made.sha256[part]
        url = found.sources["disk"]
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"}:
            path, fetched = self._downloads.get(url, lambda: self._expected(found, sha256), check)
            return path, fetched.sha256
        path = Path(unquote(parts.path) if parts.scheme == "file" else url)
        if not path.is_file():
            raise ImageError(f"image file {path} is not there", hint="an image is a name (stack-run images ls), a path, or a URL")
        return path, self._digest(path, check)

    def _expected(self, source: ImageSource, sha256: str) -> str:
        if sha256:
            return downloads.normal_checksum(sha256)
        if source.checksum or not source.checksums:
            return source.checksum
        name = urlsplit(source.sources["disk"]).path.rpartition("/")[2]
        expected = downloads.published_checksum(downloads.text(source.checksums), name)
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


def disk_format(head: bytes) -> Literal["qcow2", "raw"]:
    """The format of a disk image, told by its first four bytes."""
    return "qcow2" if head.startswith(_MAGIC) else "raw"
