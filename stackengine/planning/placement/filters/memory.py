"""Memory, by the ratio up to which it may be given out more than once."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def refuse(host: Candidate, wanted: Wanted) -> str:
    """Why not, or nothing."""
    return "" if wanted.memory <= host.memory_left else f"memory: {wanted.memory} MiB wanted, {max(0, int(host.memory_left))} left"
