"""What a resource type's methods get: identities while planning, a context while running."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, Protocol, TypeVar

from stackengine.model.allowed import Allowed, Pools
from stackengine.model.values import Value
from stackengine.sdk.errors import FailedError
from stackengine.sdk.facts import Referred
from stackengine.sdk.host import Host

T = TypeVar("T")


class Identities(Protocol):
    """How a type chooses identities: hashes of (seed of the stack, path, generation), so a plan made twice says the same."""

    stack: str
    """The stack's name."""
    path: str
    generation: int
    pools: Pools
    """What the machine's owner lets names and addresses be chosen from."""

    def uuid(self, salt: str = "") -> str:
        """A version-5 style UUID."""

    def name(self, limit: int = 60) -> str:
        """``se-STACK-PATH-HASH``, at most ``limit`` characters of ``[a-zA-Z0-9._-]``; the hash makes it unique."""

    def mac(self, salt: str = "") -> str:
        """A locally administered unicast MAC (``52:54:00`` prefix, unless the owner says another), claimed."""

    def token(self, length: int = 10, salt: str = "") -> str:
        """Lower-case letters and digits."""

    def random(self, length: int, salt: str = "") -> bytes:
        """Pseudo-random bytes; not for secrets that must survive knowledge of the seed: the seed is secret, see store."""

    def claim(self, kind: str, candidates: Iterable[str]) -> str:
        """The first candidate that nobody has on the host (claims, host facts), claimed; raises :class:`RefusedError` when none is free."""

    def referred(self, physical_id: Value) -> Referred | None:
        """The resource of the same stack that a property refers to, already chosen; None for a name from outside."""


def pause(ctx: Context, seconds: float) -> None:
    """Let ``seconds`` pass, but no longer than the operation lives (:class:`Cancelled`)."""
    if seconds > 0:
        with contextlib.suppress(FailedError):
            ctx.wait_until(lambda: None, seconds, "the end of a pause")


class Context(Protocol):
    """What a handler gets while it runs."""

    host: Host
    address: str
    """The address by which other hosts reach ``host``; empty: not known."""
    origin: Host | None
    """In ``move``: the host that it comes from."""
    stack: str
    """The stack's name."""
    stack_id: str
    path: str
    generation: int
    identity: Mapping[str, Any]
    attributes: Mapping[str, Any]
    """As recorded before this call (for create of a fresh instance: empty)."""
    contributed: Mapping[str, Any]
    """By key, the contributions of other resources."""
    allowed: Allowed
    """What the owner of this machine lets templates do on it; check it before a command is run or a URL is called."""

    def ends(self) -> Sequence[Context]:
        """This context, and in ``move`` the same at the host that the object comes from."""

    def referred(self, physical_id: str) -> Referred | None:
        """The configured resource of this stack that a property refers to; None for a name from outside."""

    def render(self, template: str, **values: Any) -> str:
        """Render a Jinja2 template of the type's own folder; autoescaped for XML, undefined names are errors."""

    def ownership(self) -> str:
        """The ``<metadata>`` child that names store, stack and path (libvirt namespace ``urn:stackengine:1``)."""

    def owner(self) -> dict[str, Any]:
        """The same as a record, for sidecars of objects that have no metadata."""

    def record(self) -> dict[str, Any]:
        """What a lost database is rebuilt from, for sidecars of objects that have no metadata; holds no secret."""

    def progress(self, message: str) -> None:
        """Tell the log what is going on."""

    def check(self) -> None:
        """Raise :class:`Cancelled` when the operation was cancelled or its lease was lost."""

    def wait_until(self, probe: Callable[[], T | None], timeout: float, what: str) -> T:
        """Call ``probe`` until it returns something; :class:`FailedError` after ``timeout`` seconds."""

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Inside, nobody else on this machine is inside with the same name: for host-owned things that several stacks make at once."""

    def open_source(self, url: str, sha256: str = "") -> tuple[BinaryIO, int, str]:
        """Open an image source (file path or URL) from the engine's cache: (stream, length, sha256); a wrong checksum is a :class:`FailedError`."""
