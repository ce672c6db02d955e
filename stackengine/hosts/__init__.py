"""Libvirt, memory and private hosts behind sdk.Host; the only importer of libvirt."""
