"""SE::ServerGroup: servers that are kept together or apart."""
