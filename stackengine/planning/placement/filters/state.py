"""Nothing new goes to a host that is cordoned or drained."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def refuse(host: Candidate, wanted: Wanted) -> str:
    """Why not, or nothing."""
    del wanted
    return "" if host.facts.state == "ready" else f"it is {host.facts.state}"
