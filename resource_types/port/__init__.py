"""SE::Port: a place on a network with a MAC and an address."""
