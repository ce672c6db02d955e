"""The share of vCPUs that will be left."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def weigh(host: Candidate, wanted: Wanted) -> float:
    """From 0 to 1: more is better."""
    return max(0.0, host.vcpus_left - wanted.vcpus) / max(1.0, host.facts.vcpus * host.ratios.vcpus)
