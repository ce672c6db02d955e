"""SE::Volume: a disk in a storage pool."""
