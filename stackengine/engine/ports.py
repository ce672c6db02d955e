"""What the engine needs from outside: journal, runner, gates, vault, clock. The service layer brings the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from stackengine.events import Event
from stackengine.model.instance import Instance
from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.values import SecretRef, Value
from stackengine.sdk import Gate, Host


class Fenced(Exception):
    """Somebody else owns the operation now (its epoch moved on, or our lease ran out): write nothing, start nothing."""


class Journal(Protocol):
    """The append-only log of one operation."""

    def commit(self, events: Sequence[Event], changed: Mapping[str, Instance | None]) -> list[Event]:
        """Make ``events`` and the instances that they changed (None: gone) durable in one transaction, and return them with seq and time.

        Raises :class:`Fenced`. When it returns, a power loss loses nothing of it.
        """

    def cancelled(self) -> str | None:
        """The policy that a cancel asked for (``rollback``, ``keep``, ``stop``), or None; as of the last commit."""


class Vault(Protocol):
    """Seals and opens the secrets of one stack."""

    def seal(self, value: Value) -> SecretRef:
        """Equal values give equal refs (the id is a keyed HMAC); durable with the next commit."""

    def open(self, ref: SecretRef) -> Value:
        """The value."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a piece of work ended: ``value`` or ``error``."""

    key: str
    value: Any = None
    error: BaseException | None = None


class Runner(Protocol):
    """Runs handlers at the same time; ``wait`` gives what has ended. Threads in production, seeded interleavings in tests."""

    def can_run(self, host: str, kind: str) -> bool:
        """Whether a slot is free (global, per host, per host and kind)."""

    def reserve(self, key: str, host: str, kind: str) -> None:
        """Take a slot for work that is submitted when its begin is durable."""

    def submit(self, key: str, host: str, kind: str, work: Callable[[], Any]) -> None:
        """Start ``work``."""

    def free(self, key: str) -> None:
        """Give back a slot that outlives the work (a guest start, held until the first sign of life)."""

    def deliver(self, result: Result) -> None:
        """Hand in a result from elsewhere (a gate); safe from any thread."""

    def wait(self, timeout: float | None) -> list[Result]:
        """What has ended since the last call; blocks until something has, or ``timeout`` seconds (then an empty list)."""


class Gates(Protocol):
    """Watches gates by events, without a thread for each."""

    def watch(self, key: str, gate: Gate, host: Host, deliver: Callable[[Result], None]) -> None:
        """Deliver ``Result(key, {"received": [...]})`` once when the gate has come, or with a FailedError."""

    def drop(self, key: str) -> None:
        """Stop watching."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What to do when something fails."""

    on_failure: str = "rollback"
    """``rollback``, ``keep`` or ``delete``; the caller acts on it, the walk only reports."""
    keep_going: bool = False
    timeout: float | None = None
    """Seconds for the whole operation."""
    parallel: int = 64


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed action."""

    action: str
    message: str
    hint: str = ""
    host: str = ""
    libvirt_code: int = 0
    tail: str = ""
    type: str = ""
    """The resource type."""
    mark: Mark = NOWHERE
    """The resource's place in the template of the revision that the action aimed at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a walk ended: ``complete``, ``failed``, ``cancelled`` (by policy) or ``fenced``."""

    status: str
    failures: tuple[Failure, ...] = ()
    not_run: tuple[str, ...] = ()
    outputs: Mapping[str, Value] = field(default_factory=dict)
