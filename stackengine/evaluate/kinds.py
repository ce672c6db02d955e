"""Which native type a resource has, and what becomes of one that has none."""

from __future__ import annotations

import re
from typing import Literal

from stackengine.model.diagnostics import Diagnostic, Diagnostics, did_you_mean
from stackengine.model.template import Resource
from stackengine.registry import Dialect, Registry, ResourceTypeInfo, known_foreign_names

Missing = Literal["refuse", "record", "tell"]
"""What becomes of a resource whose type is not supported: an error; a record that makes nothing, with a notice; or a warning."""

RECORD = "SE::None"
"""The native type of what is only recorded; its property ``value`` holds the properties as written."""

_SEVERITY: dict[Missing, Literal["error", "warning", "notice"]] = {"refuse": "error", "tell": "warning", "record": "notice"}


class Kinds:
    """Looks types up; each resource without one is told once."""

    def __init__(self, registry: Registry, diagnostics: Diagnostics, missing: Missing) -> None:
        self._registry, self._diagnostics, self._missing = registry, diagnostics, missing

    def dialect(self, type_name: str) -> Dialect | None:
        """The foreign name; None where it is native or unknown."""
        return self._registry.dialect(type_name)

    def gives(self, dialect: Dialect, attribute: str) -> bool:
        """Whether the native type behind a foreign name has an attribute that the type's own language calls so."""
        info = self._registry.get(dialect.native)
        return attribute in dialect.attributes or "*" in dialect.attributes or (info is not None and attribute in info.attributes)

    def supported(self, type_name: str) -> bool:
        """Whether it has a native type of its own."""
        return self._registry.dialect(type_name) is not None or self._registry.get(type_name) is not None

    def of(self, resource: Resource) -> tuple[ResourceTypeInfo, Dialect | None] | None:
        """The native type of a resource; R101 or R110 where it has none, and None unless it is recorded."""
        name = resource.stands_for or resource.type
        dialect = self._registry.dialect(name)
        info = self._registry.get(dialect.native if dialect else name)
        if info is not None:
            return info, dialect
        if resource.nested is None:
            self._report(resource)
        record = self._registry.get(RECORD) if self._missing == "record" else None
        return (record, None) if record is not None else None

    def _report(self, resource: Resource) -> None:
        name, severity = resource.type, _SEVERITY[self._missing]
        if self._missing == "record":
            what = f"{resource.logical_id} ({name}) is only recorded: nothing is made"
            self._diagnostics.add(Diagnostic("R110", what, resource.type_mark, "", severity))
        elif is_known(name):
            hint = "--accept-inert records it without making anything" if severity == "error" else ""
            self._diagnostics.add(Diagnostic("R110", f"the resource type {name} is known but not supported", resource.type_mark, hint, severity))
        else:
            hint = did_you_mean(name, [*self._registry.known_names(), *known_foreign_names()]) or "see 'stack-run types'"
            self._diagnostics.add(Diagnostic("R101", f"unknown resource type {name}", resource.type_mark, hint, severity))


_OURS = {"AWS", "OS", "SE", "Heat", "tosca", "Alexa", "Custom"}
"""Namespaces whose types are all known: another one belongs to a third party that may have registered it with AWS."""


def is_known(name: str) -> bool:
    """Whether OpenStack, AWS or TOSCA have a type of this name, or others may have registered one with AWS: modules, custom resources, types."""
    if name in known_foreign_names() or re.match(r"Custom::[\w@-]+\Z", name):
        return True
    parts = name.split("::")
    if name.endswith("::MODULE") and 3 <= len(parts) <= 6:
        return all(re.match(r"[A-Za-z0-9]{1,64}\Z", p) for p in parts)
    return len(parts) == 3 and all(re.match(r"[A-Za-z0-9]{2,64}\Z", p) for p in parts) and not _meant(parts[0])


def _meant(namespace: str) -> bool:
    """Whether a namespace is one of those that have no unknown types, or a typing error for it."""
    import difflib

    return namespace in _OURS or bool(difflib.get_close_matches(namespace.upper(), [n.upper() for n in _OURS], n=1, cutoff=0.7))
