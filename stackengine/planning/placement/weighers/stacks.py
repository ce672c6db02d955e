"""Few stacks: people are told apart by hosts where there is room."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def weigh(host: Candidate, wanted: Wanted) -> float:
    """From 0 to 1: more is better."""
    del wanted
    return 1.0 / (1 + host.facts.stacks)
