"""Wishes: with the members of some groups, away from those of others (soft affinity and anti-affinity)."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def weigh(host: Candidate, wanted: Wanted) -> float:
    """Members that it would rather be with, less those that it would rather not be with."""
    return float(sum(host.groups[g] for g in wanted.likes) - sum(host.groups[g] for g in wanted.dislikes))
