"""From desired, recorded and observed to a plan: graph, identity, diff, order, explanations. Pure."""
