"""Images by name: those that come with us (``images.yaml``), and those that people added on this machine (``images add``)."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from stackengine import locks
from stackengine.hosts import downloads
from stackengine.hosts.guest_image.ingredients import ImageError
from stackengine.hosts.runtime import write_whole


def is_url(source: str) -> bool:
    """Whether ``source`` is fetched from elsewhere."""
    return urlsplit(source).scheme in {"http", "https"}


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
    url: str = ""
    """Its address, or the path of its file; empty for what is built."""

    @property
    def fetched(self) -> bool:
        """Whether it comes from elsewhere."""
        return is_url(self.url)


def _entry(name: str, data: dict[str, Any]) -> ImageSource:
    build = data.get("build", "")
    parts = {"": ("disk",), "tiny": ("kernel", "initrd"), "tiny-container": ("rootfs",)}.get(build, ("kernel", "initrd", "disk"))
    of = {part: f"{name}#{part}" if build else name for part in parts}
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
        url=data.get("url", ""),
    )


@cache
def catalogue() -> dict[str, ImageSource]:
    """The images that come with us, by name."""
    import yaml

    text = resources.files("stackengine.hosts").joinpath("images.yaml").read_text()
    return {name: _entry(name, data) for name, data in yaml.safe_load(text).items()}


class Catalogue:
    """What can be named on this machine; ``file`` holds what was added. Its methods raise :class:`ImageError`."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def added(self) -> dict[str, ImageSource]:
        """The images that were added, by name."""
        return {name: _entry(name, data) for name, data in self._read().items()}

    def all(self) -> dict[str, ImageSource]:
        """All that can be named."""
        return {**catalogue(), **self.added()}

    def add(self, name: str, source: str, *, checksum: str = "", user: str = "", memory: int = 0, description: str = "") -> ImageSource:
        """Give a path or an address a name; said again it is replaced."""
        self.check_name(name)
        if not is_url(source) and not Path(source).expanduser().is_file():
            raise ImageError(f"image file {source} is not there", hint="an image is a path or an http(s) address")
        place = source if is_url(source) else str(Path(source).expanduser().absolute())
        data = {"url": place, "checksum": downloads.normal_checksum(checksum) if checksum else "", "user": user, "memory": memory, "description": description}
        with self._changing() as known:
            known[name] = data
        return _entry(name, data)

    def check_name(self, name: str) -> None:
        """Nothing where people can give this name; :class:`ImageError` says why they cannot."""
        if name in catalogue():
            raise ImageError(f"{name} is an image that comes with stackengine", hint="choose another name")
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", name):
            raise ImageError(f"{name} is no name for an image", hint="lower-case letters, digits, dots, dashes; 63 characters at most")

    def drop(self, name: str) -> bool:
        """Take an added name away; whether there was one."""
        with self._changing() as known:
            return known.pop(name, None) is not None

    def lookup(self, source: str) -> ImageSource:
        """What ``source`` (a name, a path or a URL) means; with a suggestion when it means nothing."""
        known = self.all()
        if source in known:
            return known[source]
        if is_url(source):
            return ImageSource(source, "disk", {"disk": source}, url=source)
        parts = urlsplit(source)
        if parts.scheme == "file" or "/" in source:
            place = unquote(parts.path) if parts.scheme == "file" else str(Path(source).expanduser())
            return ImageSource(source, "disk", {"disk": source}, url=place)
        near = difflib.get_close_matches(source, known, 1, 0.5)
        raise ImageError(
            f"no image named {source!r}",
            hint=(f"did you mean {near[0]}? " if near else "") + "an image is a name (stack-run images ls), a path with a slash, or a URL",
        )

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ImageError(f"{self._file} cannot be read: {error}", hint="mend it, or move it away") from error
        return dict(found)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, dict[str, Any]]]:
        """What was added, for one process at a time to change."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with locks.alone(self._file.with_suffix(".lock")):
            known = self._read()
            yield known
            write_whole(self._file, json.dumps(known, indent=1, sort_keys=True) + "\n")
