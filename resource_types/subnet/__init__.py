"""SE::Subnet: an address range of a network."""
