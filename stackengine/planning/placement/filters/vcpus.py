"""vCPUs, by the ratio up to which they may be given out more than once."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def refuse(host: Candidate, wanted: Wanted) -> str:
    """Why not, or nothing."""
    return "" if wanted.vcpus <= host.vcpus_left else f"vCPUs: {wanted.vcpus} wanted, {max(0, int(host.vcpus_left))} left"
