"""The share of memory that will be left."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def weigh(host: Candidate, wanted: Wanted) -> float:
    """From 0 to 1: more is better."""
    return max(0.0, host.memory_left - wanted.memory) / max(1.0, host.facts.memory * host.ratios.memory)
