"""The life of an environment: what its stack's tags say, and what the reaper makes of it. Pure; times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

TAG = "environment"
TTL = 8 * 3600.0
"""Seconds that an environment lives after its last ``up`` where nobody said."""
GRACE = 900.0
"""Seconds between the first look at a branch that is gone and the second, which believes it."""
HALF_MADE = 600.0
"""Seconds after which an environment that was never up, and that nobody works on, counts as left behind."""
LEASE = 120.0
"""Seconds that the environment of ``env run`` outlives its process."""


@dataclass(frozen=True, slots=True)
class Life:
    """The tags of one environment."""

    repository: str
    branch: str
    commit: str = ""
    """What is served."""
    pushed: str = ""
    """The commit of the last ``up``, whether it succeeded or not."""
    remote: str = ""
    owner: str = ""
    isolation: Literal["host", "shared"] = "host"
    expires_at: float | None = None
    ttl: float = TTL
    pinned: bool = False
    parent: str = ""
    run_until: float | None = None
    """The lease of ``env run``; None: nobody's process stands behind it."""
    for_run: bool = False
    """It was made for one command: its lease decides, and its expiry where it was kept, never a branch."""
    seen: bool = False
    """The branch was once seen at the remote: only then can it be gone from there. Else it may not be pushed yet."""
    missing_since: float | None = None
    """When the reaper first saw that the branch is gone."""
    idle_ttl: float | None = None
    """Seconds without traffic after which it is parked; None: never."""
    parked_at: float | None = None
    """Since when its guests are saved; None: they run."""
    turning: bool = False
    """It is being parked or woken, or whoever did so was killed: guests may be in memory, so that their room counts."""
    active_at: float | None = None
    """When traffic was last seen."""
    looked_at: float | None = None
    """When its traffic was last looked at."""
    traffic: int = 0
    """Bytes that its guests had moved then."""
    cuts: Sequence[str] = ()
    """The cuts that its disks stand on: they are kept for as long as it lives."""
    room: Sequence[int] = ()
    """What it takes: environments (1), vCPUs, MiB, GiB; empty where nobody counts."""
    shown: Mapping[str, Any] | None = None
    """Its outputs as they are shown, and at which event of the stack that was (``seq``): a list of many need not work them out."""
    wants: Sequence[int] = ()
    """The same, of one that waits for room."""
    waiting_since: float | None = None
    waiting_until: float | None = None
    """Until when one that waits is believed to be alive."""

    def is_gone(self, branches: frozenset[str] | None) -> bool:
        """Whether its branch was at the remote and is no more; ``branches``: what is there, None when that could not be asked."""
        return branches is not None and self.seen and not self.for_run and self.branch not in branches

    @property
    def lies_parked(self) -> bool:
        """Its guests are saved, so that they take no memory and no vCPU; not so while they are being saved or read back."""
        return self.parked_at is not None and not self.turning

    def to_tags(self) -> dict[str, Any]:
        """As it stands in the stack's tags."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def life_of(tags: dict[str, Any]) -> Life | None:
    """The life in a stack's tags; None for a stack that is no environment. Keys of a newer version are passed over."""
    found = tags.get(TAG)
    if not isinstance(found, dict):
        return None
    known = {f.name for f in fields(Life)}
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in found.items() if k in known}
    return Life(**values)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the reaper does with one environment: ``keep``, ``watch`` (look again later), ``park`` or ``reap``, and why."""

    action: Literal["keep", "watch", "park", "reap"]
    reason: str


def judge(life: Life, *, state: str, ever_up: bool, touched_at: float, now: float, branches: frozenset[str] | None) -> Verdict:
    """The verdict on an environment.

    ``branches``: branches and tags of its remote, None when that could not be asked; ``touched_at``: the stack's last change.
    """
    if life.pinned:
        return Verdict("keep", "pinned")
    if state == "running":
        return Verdict("keep", "somebody works on it")
    if life.wants and (life.waiting_until or 0.0) >= now:
        return Verdict("keep", "it waits for room")
    if life.run_until is not None and life.run_until < now:
        return Verdict("reap", "the process of its run is gone")
    if life.expires_at is not None and life.expires_at < now:
        return Verdict("reap", f"expired {_span(now - life.expires_at)} ago")
    if not ever_up and touched_at + HALF_MADE < now:
        return Verdict("reap", "it was never up, and nobody works on it")
    if life.is_gone(branches):
        if life.missing_since is None:
            return Verdict("watch", f"the branch {life.branch} is gone; a second look decides")
        if now - life.missing_since >= GRACE:
            return Verdict("reap", f"the branch {life.branch} is gone since {_span(now - life.missing_since)}")
        return Verdict("watch", f"the branch {life.branch} is gone since {_span(now - life.missing_since)}")
    still = now - life.active_at if life.active_at is not None else 0.0
    if life.idle_ttl is not None and life.parked_at is None and ever_up and still >= life.idle_ttl:
        return Verdict("park", f"idle for {_span(still)}")
    unseen = "; its repository cannot be asked just now" if branches is None and life.remote else ""
    return Verdict("keep", (f"expires in {_span(life.expires_at - now)}" if life.expires_at is not None else "expires never") + unseen)


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
