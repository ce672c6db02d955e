"""Use cases: the composition root where adapters meet the core."""
