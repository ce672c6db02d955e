"""``resource_registry``: what types stand for (heat, engine/environment.py).

An entry for one resource (``resources: {name: {type: …}}``) wins over one for a type, and that over the names that Heat itself knows by others; of
several entries for a type the alphabet decides, as it does in Heat: a wildcard comes before what it covers. What an entry leads to is looked up again.
"""

from __future__ import annotations

import fnmatch
import posixpath
from dataclasses import dataclass, field
from typing import Any

from stackengine.formats.nesting import SUFFIXES
from stackengine.formats.scalars import value
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean

HOOKS = ("pre-create", "pre-update", "pre-delete", "post-create", "post-update", "post-delete")
ACTIONS = ("update", "replace")
OWN = {
    "OS::Quantum*": "OS::Neutron*", "OS::Metering::Alarm": "OS::Aodh::Alarm", "OS::Ceilometer::Alarm": "OS::Aodh::Alarm",
    "OS::Ceilometer::GnocchiResourcesAlarm": "OS::Aodh::GnocchiResourcesAlarm",
    "OS::Ceilometer::GnocchiAggregationByMetricsAlarm": "OS::Aodh::GnocchiAggregationByMetricsAlarm",
    "OS::Ceilometer::GnocchiAggregationByResourcesAlarm": "OS::Aodh::GnocchiAggregationByResourcesAlarm",
}  # fmt: skip
"""Heat's own environment (etc/heat/environment.d/default.yaml)."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a name leads to, and the file that says so."""

    name: str
    file: str


_OWN = {name: Target(target, "") for name, target in OWN.items()}
_OWN_STARTS = tuple(name.rstrip("*") for name in OWN)


@dataclass(slots=True)
class Types:
    """All that environment files say of types; what is said later wins."""

    by_type: dict[str, Target] = field(default_factory=dict)
    by_resource: dict[str, dict[str, Target]] = field(default_factory=dict)
    fixed: dict[str, set[str]] = field(default_factory=dict)
    """Pattern of a resource's name -> what may not be done to it (``restricted_actions``)."""

    mentioned: set[str] = field(default_factory=set)
    """Names of types that values of parameters say."""

    # a TypeMapping (formats.nesting)

    def resolve(self, type_name: str, resource: str) -> tuple[str, str] | None:
        """(type or template file that stands for ``type_name`` at this resource, the file that says so); None: nothing is said."""
        target: Target | None = None
        name, seen = type_name, {type_name}
        while True:
            following = self._next(name, resource)
            if following is None or following.name in seen:
                return (target.name, target.file) if target is not None else None
            seen.add(following.name)
            target, name = following, following.name
            if name.endswith(SUFFIXES):
                return target.name, target.file

    def restricted(self, resource: str) -> set[str]:
        """What may not be done to the resource of this name."""
        return {action for pattern, actions in self.fixed.items() if fnmatch.fnmatchcase(resource, pattern) for action in actions}

    def _next(self, name: str, resource: str) -> Target | None:
        own = self.by_resource.get(resource, {}).get(name)
        if own is not None:
            return own
        for known in (self.by_type, _OWN) if self.by_type else (_OWN,):
            if known is _OWN and not name.startswith(_OWN_STARTS):
                continue
            fitting = sorted(k for k in known if k == name or (k.endswith("*") and name.startswith(k[:-1]) and known[k].name != name))
            if fitting:
                found = known[fitting[0]]
                if fitting[0].endswith("*") and found.name.endswith("*"):
                    return Target(found.name[:-1] + name[len(fitting[0]) - 1 :], found.file)
                return found
        return None

    # reading

    def read(self, node: Node, file: str, diagnostics: Diagnostics) -> None:
        """One ``resource_registry``."""
        base = node.get("base_url")
        prefix = base.text if base is not None and base.kind == "scalar" else ""
        for key, entry in node.entries:
            if key.text == "resources":
                self._resources(entry, file, prefix, diagnostics)
            elif key.text != "base_url":
                self._entry(self.by_type, key, entry, file, prefix, diagnostics)

    def _entry(self, into: dict[str, Target], key: Node, node: Node, file: str, prefix: str, diagnostics: Diagnostics) -> None:
        found = value(node, "yaml11") if node.kind == "scalar" else None
        if node.kind == "scalar" and found is None:
            for name in [n for n in into if n == key.text or (key.text.endswith("*") and n.startswith(key.text[:-1]))]:
                del into[name]
        elif isinstance(found, str):
            is_file = "::" not in found
            into[key.text] = Target(posixpath.join(prefix, found) if is_file and prefix and "://" not in found else found, file)
        else:
            diagnostics.error("E110", f"what {key.text} stands for is a type or a template's file name", node.mark)

    def _resources(self, node: Node, file: str, prefix: str, diagnostics: Diagnostics) -> None:
        if node.kind != "map":
            diagnostics.error("E105", "resources must be a mapping", node.mark)
            return
        for name, body in node.entries:
            if body.kind != "map":
                diagnostics.error("E105", f"what is said of the resource {name.text} must be a mapping", body.mark)
                continue
            for key, entry in body.entries:
                match key.text:
                    case "hooks":
                        self._hooks(key, entry, diagnostics)
                    case "restricted_actions":
                        self._restrictions(name, entry, diagnostics)
                    case _ if entry.kind == "map":
                        self._inside(key, entry, diagnostics)
                    case _:
                        self._entry(self.by_resource.setdefault(name.text, {}), key, entry, file, prefix, diagnostics)

    def _inside(self, key: Node, node: Node, diagnostics: Diagnostics) -> None:
        """What is said of resources inside a nested template: hooks have no effect there, either; anything else is refused."""
        for inner, entry in node.entries:
            if inner.text == "hooks":
                self._hooks(inner, entry, diagnostics)
            elif entry.kind == "map":
                self._inside(inner, entry, diagnostics)
            else:
                what = f"what is said of {key.text}, a resource inside a nested template, is not supported"
                diagnostics.error("E112", what, inner.mark, "give the nested template a parameter for it, or map its type in resource_registry")

    @staticmethod
    def _words(node: Node) -> list[tuple[str, Node]]:
        items = node.items if node.kind == "list" else (node,)
        return [(i.text if i.kind == "scalar" else "", i) for i in items]

    def _hooks(self, key: Node, node: Node, diagnostics: Diagnostics) -> None:
        wrong = [(word, at) for word, at in self._words(node) if word not in HOOKS]
        for word, at in wrong:
            diagnostics.error("E111", f"there is no hook {word}", at.mark, did_you_mean(word, HOOKS) or ", ".join(HOOKS))
        if not wrong:
            diagnostics.warning("E108", "hooks have no effect: nothing stops there", key.mark, "a wait condition stops a stack until a signal comes")

    def _restrictions(self, name: Node, node: Node, diagnostics: Diagnostics) -> None:
        for word, at in self._words(node):
            if word in ACTIONS:
                self.fixed.setdefault(name.text, set()).add(word)
            else:
                hint = did_you_mean(word, ACTIONS) or ", ".join(ACTIONS)
                diagnostics.error("E114", f"there is no action {word} to be restricted", at.mark, hint)


def kinds_of(template: Any) -> dict[str, str]:
    """The type of every parameter of a template and of those nested in it; the outer one wins."""
    found: dict[str, str] = {}
    queue = [template]
    while queue:
        current = queue.pop(0)
        for name, parameter in current.parameters.items():
            found.setdefault(name, parameter.type)
        for resource in current.resources.values():
            stack = [resource]
            while stack:
                nested = stack.pop().nested
                if nested is not None:
                    queue += [nested.template] if nested.template is not None else []
                    stack += nested.members
    return found
