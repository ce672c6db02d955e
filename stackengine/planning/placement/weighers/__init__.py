"""One file per weigher, each with its weight."""

from stackengine.planning.placement.weighers import memory, stacks, vcpus

WEIGHERS = ((1.0, memory.weigh), (0.5, vcpus.weigh), (0.1, stacks.weigh))

__all__ = ["WEIGHERS"]
