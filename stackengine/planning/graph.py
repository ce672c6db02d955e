"""The users' graph: resources and their dependencies, on networkx. What they see and draw, not what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackengine.model.desired import Desired

if TYPE_CHECKING:
    import networkx as nx


def build(desired: Desired) -> nx.DiGraph[str]:
    """An edge from a resource to what it depends on; nodes carry ``type``, edges ``need`` and ``via``."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    for path, resource in desired.resources.items():
        graph.add_node(path, type=resource.type, foreign_type=resource.foreign_type)
    for path, resource in desired.resources.items():
        for dependency in resource.depends:
            graph.add_edge(path, dependency.path, need=dependency.need, via=dependency.via)
    return graph
