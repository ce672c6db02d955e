"""SE::Router: what lets networks reach each other."""
