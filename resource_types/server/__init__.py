"""SE::Server: a virtual machine."""
