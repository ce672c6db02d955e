"""Who owns an operation: a file lock that the kernel drops when its holder dies, so that resume waits for no lease on one machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from types import TracebackType

from stackengine import locks


class Ownership:
    """The lock of one stack's operation."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held: int | None = None

    @staticmethod
    def me() -> str:
        """This process, for people and for other machines."""
        return f"{socket.gethostname()}:{os.getpid()}"

    def take(self) -> bool:
        """Take the lock; False when a living process has it."""
        found = locks.take(self._file)
        if found is None:
            return False
        self.free()
        self._held = found
        return True

    def free(self) -> None:
        """Give the lock back."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def alive(self, owner: str) -> bool | None:
        """Whether the owner lives; None for one on another machine, where only the lease tells."""
        if owner.rpartition(":")[0] != socket.gethostname():
            return None
        if self.take():
            self.free()
            return False
        return True

    def __enter__(self) -> Ownership:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.free()
