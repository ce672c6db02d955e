"""How times are written, wherever a person writes one: command line, project file, life of a resource."""

from __future__ import annotations

import re
from typing import Any

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(text: Any) -> float | None:
    """``90``, ``90s``, ``30m``, ``8h`` or ``2d`` in seconds; None for anything else, and for no time at all."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", str(text).strip())
    seconds = float(found.group(1)) * _UNITS[found.group(2)] if found else 0.0
    return seconds if seconds > 0 else None
