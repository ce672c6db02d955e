"""On which host each server goes: filters say which hosts can take it, weighers which of those it likes best."""

from stackengine.planning.placement.candidates import Candidate, HostFacts, Ratios, Wanted
from stackengine.planning.placement.place import SCHEDULERS, Placement, place

__all__ = ["SCHEDULERS", "Candidate", "HostFacts", "Placement", "Ratios", "Wanted", "place"]
