"""What objects on a host carry of their stack's revision, so that a lost database knows it again.

Servers, networks and volumes carry (``ResourceType.carries``): themselves, and what is near them and is on no host by itself (ports, attachments, images).
What is near none of them, and what all have in common (outputs, scopes), every one carries, as far as there is room.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from stackengine.model.codec import desired_to_json
from stackengine.model.desired import Desired

MOST = 12_288
"""Characters of each part that is left out when it is larger; a sidecar record is read up to 64 KiB."""


@dataclass(frozen=True)
class RevisionRecord:
    """One revision, sealed: secrets are references in it, whose values stand nowhere on the host."""

    number: int
    language: str
    desired: Desired
    carries: Callable[[str], bool]
    """Whether objects of a type carry a record."""

    def of(self, path: str) -> dict[str, Any]:
        """What the object at ``path`` carries."""
        resources = self._json(self._below([path, *self._beside.get(path, ())]))
        if len(json.dumps(resources)) > MOST:
            resources = self._json(self._below([path]))
        return {"number": self.number, "language": self.language, "desired": {**self._common, "resources": [*resources, *self._common["resources"]]}}

    @cached_property
    def _common(self) -> dict[str, Any]:
        near = {p for path, r in self.desired.resources.items() if self.carries(r.type) for p in self._below([path, *self._beside.get(path, ())])}
        far = {p: replace(r, marks={}) for p, r in self.desired.resources.items() if p not in near}
        whole = desired_to_json(replace(self.desired, resources=far))
        return whole if len(json.dumps(whole)) <= MOST else desired_to_json(Desired(description=self.desired.description, timeout=self.desired.timeout))

    @cached_property
    def _beside(self) -> dict[str, list[str]]:
        """By path, what refers to it and carries nothing itself (an attachment)."""
        found: dict[str, list[str]] = {}
        for path, resource in self.desired.resources.items():
            for dependency in resource.depends if not self.carries(resource.type) else ():
                found.setdefault(dependency.path, []).append(path)
        return found

    def _below(self, paths: Iterable[str]) -> list[str]:
        """``paths`` and all that they refer to and that carries nothing itself."""
        known, found = self.desired.resources, dict.fromkeys(p for p in paths if p in self.desired.resources)
        queue = list(found)
        while queue:
            for dependency in known[queue.pop()].depends:
                other = known.get(dependency.path)
                if other is not None and other.path not in found and not self.carries(other.type):
                    found[other.path] = None
                    queue.append(other.path)
        return list(found)

    def _json(self, paths: Iterable[str]) -> list[Any]:
        resources: list[Any] = desired_to_json(Desired({p: replace(self.desired.resources[p], marks={}) for p in paths}))["resources"]
        return resources
