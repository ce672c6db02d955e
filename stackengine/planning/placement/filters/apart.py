"""Members of a group that share no host (anti-affinity)."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def refuse(host: Candidate, wanted: Wanted) -> str:
    """Why not, or nothing."""
    pair = next((p for p in sorted(wanted.pairs) if host.groups[p]), "")
    if pair:
        return f"it has one of {pair} already"
    if not wanted.apart or host.groups[wanted.apart] < wanted.at_most:
        return ""
    return f"it has {'a member' if wanted.at_most == 1 else f'{wanted.at_most} members'} of {wanted.apart} already"
