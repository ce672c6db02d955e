"""From desired, recorded and observed to a plan: graph, identity, diff, choice, order, explanations. Pure."""

from stackengine.planning.make import make_plan

__all__ = ["make_plan"]
