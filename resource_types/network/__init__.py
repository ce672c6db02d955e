"""SE::Network: a virtual network of a host."""
