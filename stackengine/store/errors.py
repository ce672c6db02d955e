"""What can be wrong with a database, in words; nothing is changed when one of these is raised."""

from __future__ import annotations


class StoreError(Exception):
    """The database cannot be used; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class BusyError(StoreError):
    """Another process holds the database (longer than the busy limit), or an operation runs on the stack."""


class ClaimConflictError(Exception):
    """Something that the plan wanted was given to somebody else meanwhile: plan again."""


_AWAY = (
    "connection refused", "could not connect", "connection failed", "connection is bad", "can't connect", "server closed the connection",
    "terminating connection",
    "lost connection", "server has gone away", "the connection is closed",
)  # fmt: skip
"""What the drivers of database servers say when there is none."""


def explain(error: BaseException, location: str) -> StoreError:
    """A driver's error as a StoreError."""
    text = str(getattr(error, "orig", None) or error)
    lower = text.lower()
    if "locked" in lower or "busy" in lower or "lock timeout" in lower or "lock wait timeout" in lower:
        return BusyError(f"the database {location} is locked by another process", "try again when it is done")
    if "not a database" in lower or "malformed" in lower or "corrupt" in lower:
        return StoreError(f"the database {location} is damaged: {text}", "restore a backup; nothing was changed")
    if "readonly" in lower or "read-only" in lower:
        return StoreError(f"the database {location} is read-only", "check the permissions of the file and its folder")
    if "disk is full" in lower or "no space" in lower:
        return StoreError(f"the disk of the database {location} is full", "make room; nothing is lost")
    if any(said in lower for said in _AWAY):
        return StoreError(f"the database {location} cannot be reached: {text.splitlines()[0]}", "does its server run, and may this user log in there?")
    if "unable to open" in lower:
        return StoreError(f"the database {location} cannot be opened", "check the permissions of its folder")
    return StoreError(f"the database {location}: {text}", "nothing was changed; a copy of it can be looked at with the database's own tools")
