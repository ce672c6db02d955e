"""Use cases: the composition root where adapters meet the core."""

from stackengine.service.session import Session, open  # noqa: A004  (service.open reads like what it does)

__all__ = ["Session", "open"]
