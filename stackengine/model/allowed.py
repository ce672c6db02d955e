"""What the owner of this machine lets templates do on it: read paths, run commands, call out. Nothing by default.

People run templates of pull requests, so a template, an environment file or a project file can never widen this; the service reads it
from a place outside any checkout.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Allowed:
    """Each field lists what is allowed; empty means nothing."""

    files: tuple[str, ...] = ()
    """Absolute folders (or files) that may be read besides the template's own folder: images, get_file, includes, backing files."""
    commands: tuple[str, ...] = ()
    """Absolute paths of programs that custom resources may run on this machine."""
    python: tuple[str, ...] = ()
    """Entry points (``module:function``) that macros, functions and custom resources may call."""
    urls: tuple[str, ...] = ()
    """Prefixes of URLs that may be fetched or called: remote imports, custom resources."""
    devices: tuple[str, ...] = ()
    """Devices and shared folders of this machine that guests may get."""
    hosts: tuple[str, ...] = ()
    """URIs of libvirt hosts that the project file of a checkout may name (a URI can name a program to connect through)."""

    def may_read(self, path: str) -> bool:
        """Whether an absolute, normalised path lies in an allowed place."""
        return any(PurePosixPath(path).is_relative_to(place) for place in self.files)

    def may_run(self, program: str) -> bool:
        """Whether a program may be run."""
        return program in self.commands

    def may_import(self, entry_point: str) -> bool:
        """Whether ``module:function`` may be called."""
        return entry_point in self.python

    def may_call(self, url: str) -> bool:
        """Whether a URL starts with an allowed prefix, which ends at a slash so that ``https://a.example`` allows no ``https://a.example.evil``."""
        return any(url == prefix or url.startswith(prefix if prefix.endswith("/") else prefix + "/") for prefix in self.urls)


NOTHING = Allowed()
"""Nothing is allowed."""
