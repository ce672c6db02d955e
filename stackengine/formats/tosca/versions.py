"""TOSCA versions, and the short names of normative types."""

from __future__ import annotations

VERSIONS = {
    "tosca_simple_yaml_1_0": "1.0", "tosca_simple_yaml_1_0_0": "1.0", "tosca_simple_yaml_1_1": "1.1", "tosca_simple_yaml_1_2": "1.2",
    "tosca_simple_yaml_1_3": "1.3", "tosca_2_0": "2.0",
}  # fmt: skip

NORMATIVE = ("tosca.nodes.Compute", "tosca.nodes.BlockStorage", "tosca.nodes.Storage.BlockStorage", "tosca.nodes.network.Network", "tosca.nodes.network.Port")
_SHORT = {
    "Compute": "tosca.nodes.Compute",
    "BlockStorage": "tosca.nodes.BlockStorage",
    "Storage.BlockStorage": "tosca.nodes.Storage.BlockStorage",
    "network.Network": "tosca.nodes.network.Network",
    "network.Port": "tosca.nodes.network.Port",
}


def full_type_name(name: str) -> str:
    """The type URI of a shorthand or qualified name (``Compute``, ``tosca:Compute``); other names stay (Simple Profile 1.3, 5.1)."""
    return _SHORT.get(name.removeprefix("tosca:"), name)


def is_port(name: str) -> bool:
    """Whether it is the normative port type."""
    return name == "tosca.nodes.network.Port"
