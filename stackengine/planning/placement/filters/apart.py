"""Members of a group that share no host (anti-affinity)."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def refuse(host: Candidate, wanted: Wanted) -> str:
    """Why not, or nothing."""
    return f"it has a member of {wanted.apart} already" if wanted.apart in host.groups else ""
