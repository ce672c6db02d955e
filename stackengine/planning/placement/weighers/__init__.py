"""One file per weigher, each with its weight."""

from stackengine.planning.placement.weighers import groups, memory, near, stacks, vcpus

WEIGHERS = ((1.0, memory.weigh), (0.5, vcpus.weigh), (0.1, stacks.weigh), (4.0, groups.weigh), (2.0, near.weigh))

__all__ = ["WEIGHERS"]
