"""A Xen host for tests: Debian's Xen with a whole dom0 and libvirt's libxl driver, in an emulated machine of this one.

``python -m tools.xen up`` builds what is missing, boots it (or wakes it where it was saved) and prints the host's URI; ``down`` ends it.
"""
