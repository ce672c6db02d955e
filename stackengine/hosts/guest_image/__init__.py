"""Guest images that are built here from Debian packages, without root and without a network where the packages are installed.

``tiny`` is for demos and tests: Debian's cloud kernel and an initramfs with busybox, guest agent, SSH server and a NoCloud reader of
our own; it needs 128 MiB and no disk. ``debian-12-lab`` is a small Debian with systemd and genuine cloud-init.
A built image is a folder ``<state>/images/<name>/<hash of everything that went in>/`` with a ``manifest.json``; it appears whole or
not at all, and several processes may build it at once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from stackengine.hosts.guest_image.ingredients import ImageError
from stackengine.hosts.guest_image.manifest import Manifest

__all__ = ["ImageError", "Manifest", "build", "discard", "names", "sweep"]


def _tiny(state_dir: Path) -> Manifest:
    from stackengine.hosts.guest_image import tiny

    return tiny.build(state_dir)


def _container(state_dir: Path) -> Manifest:
    from stackengine.hosts.guest_image import tiny

    return tiny.build_container(state_dir)


def _debian(state_dir: Path) -> Manifest:
    from stackengine.hosts.guest_image import debian

    return debian.build(state_dir)


_BUILDERS: MappingProxyType[str, Callable[[Path], Manifest]] = MappingProxyType({"tiny": _tiny, "tiny-container": _container, "debian-12-lab": _debian})


def names() -> list[str]:
    """The images that can be built."""
    return sorted(_BUILDERS)


def build(name: str, state_dir: Path) -> Manifest:
    """Build image ``name`` below ``state_dir``, or find it there; :class:`ImageError` says what to install when something is missing."""
    if name not in _BUILDERS:
        raise ImageError(f"no image named {name} is built here", hint="one of: " + ", ".join(names()))
    return _BUILDERS[name](state_dir)


def discard(name: str, state_dir: Path) -> int:
    """Remove every build of image ``name``; the bytes that are free now."""
    return sum(_remove(folder) for folder in _builds(name, state_dir))


def sweep(state_dir: Path, *, pretend: bool = False) -> int:
    """Remove all but the newest build of each image; the bytes that are free then."""
    old = [folder for name in _BUILDERS for folder in _builds(name, state_dir)[1:]]
    return sum(_size(folder) if pretend else _remove(folder) for folder in old)


def _builds(name: str, state_dir: Path) -> list[Path]:
    """The folders of an image, newest first; one that is being filled has a name with a dot."""
    return sorted((state_dir / "images" / name).glob("[!.]*"), key=lambda folder: folder.stat().st_mtime, reverse=True)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def _remove(folder: Path) -> int:
    freed = _size(folder)
    shutil.rmtree(folder)
    return freed
