"""The normative types of the Simple Profile, as data: ``profiles/simple.json``, in the grammar and with the short names of TOSCA 2.0.

In 1.x they are there without an import, as ``tosca.nodes.Compute``, ``tosca:Compute`` and ``Compute`` (Simple Profile 1.3, 5.1.1); in 2.0
they come by ``imports: [{profile: org.oasis-open.simple:2.0}]``. Types are turned into nodes one by one, when they are first asked for.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any

from stackengine.formats.tree import Node
from stackengine.model.mark import Mark

PLACE = "TOSCA Simple Profile"
PREFIX = {
    "node": "tosca.nodes.", "relationship": "tosca.relationships.", "capability": "tosca.capabilities.", "interface": "tosca.interfaces.",
    "data": "tosca.datatypes.", "artifact": "tosca.artifacts.", "group": "tosca.groups.", "policy": "tosca.policies.",
}  # fmt: skip
_ALIASES = {
    "node": {"BlockStorage": "Storage.BlockStorage", "ObjectStorage": "Storage.ObjectStorage", "Network": "network.Network", "Port": "network.Port"},
    "capability": {"Bindable": "network.Bindable", "Linkable": "network.Linkable"},
    "relationship": {"LinksTo": "network.LinksTo", "BindsTo": "network.BindsTo"},
    "interface": {
        "Standard": "node.lifecycle.Standard", "Lifecycle.Standard": "node.lifecycle.Standard", "node.Standard": "node.lifecycle.Standard",
        "Configure": "relationship.Configure", "Relationship.Configure": "relationship.Configure",
    },
    "data": {
        "NetworkInfo": "network.NetworkInfo", "PortInfo": "network.PortInfo", "PortDef": "network.PortDef", "PortSpec": "network.PortSpec",
        "Network.NetworkInfo": "network.NetworkInfo", "Network.PortInfo": "network.PortInfo", "credential": "Credential", "JSON": "json", "XML": "xml",
    },
    "artifact": {"Bash": "Implementation.Bash", "Python": "Implementation.Python", "Ansible": "Implementation.Ansible"},
}  # fmt: skip
"""Older names (1.0 and 1.1 say tosca.nodes.BlockStorage), shorthand names, and those that the 2.0 profile uses."""
_NAME = re.compile(r"(tosca_simple_yaml_1_[0-3]|(org\.oasis-open\.)?(tosca\.)?simple([.:_]?v?\d+(\.\d+)*)?)\Z")


def is_simple_profile(name: str) -> bool:
    """Whether a profile's name means the Simple Profile."""
    return _NAME.match(name) is not None


@cache
def _data() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((resources.files("stackengine.formats.tosca") / "profiles" / "simple.json").read_text("utf-8"))
    return found


def short_name(kind: str, name: str) -> str:
    """The profile's own name of a type; empty where it has none of this name."""
    known = _data().get(kind, {})
    bare = name.removeprefix("tosca:").removeprefix(PREFIX.get(kind, "?"))
    if kind == "capability" and bare == name:
        bare = name.removeprefix("tosca.capability.")
    bare = bare if bare in known else _ALIASES.get(kind, {}).get(bare, "")
    return bare if bare in known else ""


def names(kind: str) -> list[str]:
    """Every type of a kind."""
    return list(_data().get(kind, {}))


@cache
def node_of(kind: str, short: str) -> Node:
    """The definition of a type."""
    return from_plain(_data()[kind][short], Mark(f"{PLACE}, {PREFIX[kind]}{short}", 1, 1, 1, 1))


def from_plain(value: Any, mark: Mark) -> Node:
    """A node of plain data, all of it at one place."""
    if isinstance(value, dict):
        return Node("map", mark, entries=tuple((Node("scalar", mark, text=k), from_plain(v, mark)) for k, v in value.items()))
    if isinstance(value, list):
        return Node("list", mark, items=tuple(from_plain(v, mark) for v in value))
    if isinstance(value, str):
        return Node("scalar", mark, text=value, plain=False)
    return Node("scalar", mark, text=json.dumps(value))
