"""SE::PublishedPort: a port of a server, reachable on this machine."""
