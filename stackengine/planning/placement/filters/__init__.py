"""One file per filter; the cheapest and most telling first."""

from stackengine.planning.placement.filters import apart, features, labels, memory, named, state, vcpus, zone

FILTERS = (state.refuse, named.refuse, zone.refuse, labels.refuse, features.refuse, memory.refuse, vcpus.refuse, apart.refuse)

__all__ = ["FILTERS"]
