"""How a format reads other files; the real one lives in the service and never leaves the template's folder unless allowed."""

from __future__ import annotations

from typing import Protocol


class Reader(Protocol):
    """Reads files that a template names."""

    def read(self, name: str, relative_to: str) -> str:
        """The text of ``name``, relative to the file ``relative_to``; raises OSError or ValueError with a reason."""


class NoReader:
    """Refuses every file: for text that has no folder."""

    def read(self, name: str, relative_to: str) -> str:
        """Refuse."""
        raise ValueError(f"{name} cannot be read from {relative_to or 'here'}")
