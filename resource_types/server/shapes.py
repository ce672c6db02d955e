"""How guests are written down, by kind of host: a module for each that is not as QEMU, with its template and what it cannot have."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from stackengine import sdk

from .disks import Disk
from .seed import iso_of

MODULES = {"xen": "xen", "lxc": "lxc", "vmware": "esx"}
"""Domain type -> module; every other one is as QEMU's."""
USUAL: tuple[object, ...] = ("", [], {}, None, False)


class Shape:
    """A guest of QEMU, and what others do differently."""

    template: ClassVar[str] = "domain.xml.j2"
    disk_template: ClassVar[str] = "disk.xml.j2"
    seed_suffix: ClassVar[str] = "iso"
    known: ClassVar[frozenset[str] | None] = None
    """Properties that reach the guest; None: every one. Any other that is set is refused, so that nothing is ignored in silence."""
    reasons: ClassVar[Mapping[str, str]] = {}
    """Why a property is refused, and ``PROPERTY.KEY`` for a part of one."""
    called: ClassVar[str] = ""
    """The hypervisor's name, for people."""

    def kind(self, want: sdk.Properties, *, direct: bool) -> str:
        """Which of the hypervisor's kinds of guests it is; ``direct``: it boots a kernel that the host gives it."""
        return ""

    def disk(self, disk: Disk, *, direct: bool) -> Disk:
        """A disk as the hypervisor names it."""
        return disk

    def seed(self, files: Mapping[str, str]) -> io.BytesIO:
        """The seed's documents as what the guest finds them in."""
        return iso_of(files)

    def cmdline(self, text: str, kind: str) -> str:
        """A kernel's command line, with the console that is there (images say QEMU's)."""
        return text

    def refused(self, want: sdk.Properties) -> Iterator[sdk.Refusal]:
        """What would be ignored, or refused when the guest is started."""
        if self.known is None:
            return
        usual = _defaults()
        for prop, value in want.items():
            if prop in usual and prop not in self.known and value not in USUAL and value != usual[prop]:
                yield sdk.Refusal(prop, self.reasons.get(prop, f"{self.called} guests have nothing of the kind"), "leave it out on this host")
        for prop, key in (r.split(".") for r in self.reasons if "." in r):
            entries = want.get(prop)
            for entry in entries if isinstance(entries, list) else [entries]:
                if isinstance(entry, dict) and entry.get(key) not in USUAL:
                    yield sdk.Refusal(prop, self.reasons[f"{prop}.{key}"], f"leave {key} out on this host")


@cache
def _defaults() -> dict[str, Any]:
    """Every property of the schema with its default."""
    schema = json.loads((Path(__file__).parent / "schema.json").read_text("utf-8"))
    return {name: part.get("default") for name, part in schema["properties"].items()}


@cache
def _shape(module: str) -> Shape:
    found: Shape = import_module(f"{__package__}.{module}").SHAPE if module else Shape()
    return found


def shape_of(profile: sdk.Profile) -> Shape:
    """The shape of guests on a host."""
    return _shape(MODULES.get(profile.domain_type, ""))
