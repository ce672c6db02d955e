"""SE::RouterInterface: a range that a router routes."""
