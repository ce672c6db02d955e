"""Shut servers of a stack down; disks, addresses and definitions stay.

Power is part of what a stack should be: this is a revision of it, so `drift` and `repair` know of it, and `rollback` takes it back. The next
`up` goes by its template again.
"""

from __future__ import annotations

from stackengine.cli.powering import configure, turning

__all__ = ["configure", "run"]

run = turning("stopped")
