"""The stack's own host, so that its networks need no tunnel."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def weigh(host: Candidate, wanted: Wanted) -> float:
    """1 there, else 0."""
    return 1.0 if wanted.near and wanted.near == host.facts.uri else 0.0
