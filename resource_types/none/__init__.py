"""SE::None: nothing at all, for tests and as a joint in a graph."""
