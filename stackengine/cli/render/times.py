"""Spans and moments."""

from __future__ import annotations

import time


def span(seconds: float) -> str:
    """``0.4s``, ``12s``, ``1m05s``, ``2h03m``: never more than six characters below 100 hours."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def ago(moment: float, now: float) -> str:
    """How long ago, roughly: ``just now``, ``5 min ago``, ``3 h ago``, ``2 days ago``."""
    gone = now - moment
    for size, word in ((86400, "days"), (3600, "h"), (60, "min")):
        if gone >= size:
            count = int(gone // size)
            return f"{count} {'day' if word == 'days' and count == 1 else word} ago"
    return "just now"


def iso(moment: float) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    whole = int(moment)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int((moment - whole) * 1000):03d}Z"


def clock(moment: float) -> str:
    """``HH:MM:SS`` in local time."""
    return time.strftime("%H:%M:%S", time.localtime(moment))
