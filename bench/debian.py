"""(i) The same as (f) with guests that take as long to boot as real ones do: cold, from disks with a first boot done, and as forks."""

from __future__ import annotations

from bench.branches import HOW, ground, of_image
from bench.table import Section


def measure(quick: bool) -> Section:
    """All lines of this part, once: each start takes minutes."""
    with ground("debian-12-lab") as here:
        rows = of_image(here, 1)
    return Section("(i) Branch environments of Debian guests", HOW, rows)
