"""Keeps what guest images are made of for all users of this machine: run as root, ``python -m stackengine.hosts.guest_image.keep``.

The kernel and the guest agent are unpacked, not installed: an installed kernel would become a choice of the machine's own boot loader, and an
installed agent would start in a machine that is itself a guest.
"""

from __future__ import annotations

import os
import sys

from stackengine.hosts.guest_image import kernel
from stackengine.hosts.guest_image.ingredients import KEPT, ImageError, Packages

AGENT = "qemu-guest-agent"


def main() -> int:
    """Unpack what is neither installed nor kept yet; 1 where that cannot be done."""
    if os.geteuid() != 0:
        print(f"only root can keep packages in {KEPT}; without, each state folder fetches its own", file=sys.stderr)
        return 1
    packages = Packages(KEPT)
    try:
        kernel.find(packages)
        packages.find(AGENT)
    except ImageError as error:
        print(f"{error}; hint: {error.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
