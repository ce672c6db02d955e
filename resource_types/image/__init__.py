"""SE::Image: a guest image on a host, fetched once."""
