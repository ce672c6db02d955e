"""How a format reads other files; the real one lives in the service and never leaves the template's folder unless allowed."""

from __future__ import annotations

from typing import Any, Protocol


class Reader(Protocol):
    """Reads files that a template names."""

    def read(self, name: str, relative_to: str) -> str:
        """The text of ``name``, relative to the file ``relative_to``; raises OSError or ValueError with a reason."""


class NoReader:
    """Refuses every file: for text that has no folder."""

    def read(self, name: str, relative_to: str) -> str:
        """Refuse."""
        raise ValueError(f"{name} cannot be read from {relative_to or 'here'}")


class Macros(Protocol):
    """Runs macros; the real one lives in the service and runs only what the machine's owner allows."""

    def call(self, name: str, event: dict[str, Any]) -> Any:
        """What the entry point ``module:function`` answers; PermissionError where it may not run."""
