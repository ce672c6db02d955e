"""SE::FloatingIP: an address that stands for a guest's."""
