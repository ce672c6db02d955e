"""Guest images that are built here from Debian packages, without root and without a network where the packages are installed.

``tiny`` is for demos and tests: Debian's cloud kernel and an initramfs with busybox, guest agent, SSH server and a NoCloud reader of
our own; it needs 128 MiB and no disk. ``debian-12-lab`` is a small Debian with systemd and genuine cloud-init.
A built image is a folder ``<state>/images/<name>/<hash of everything that went in>/`` with a ``manifest.json``; it appears whole or
not at all, and several processes may build it at once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from stackengine.hosts.guest_image.ingredients import ImageError
from stackengine.hosts.guest_image.manifest import Manifest

__all__ = ["ImageError", "Manifest", "build", "names"]


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
