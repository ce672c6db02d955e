"""What use cases take and give: plain data that the command line (and later the servers) render."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stackengine.store.errors import StoreError

if TYPE_CHECKING:
    from stackengine.engine.ports import Failure
    from stackengine.model.desired import Desired
    from stackengine.model.diagnostics import Diagnostics
    from stackengine.model.instance import Recorded
    from stackengine.model.template import Source
    from stackengine.planning.placement import HostFacts
    from stackengine.planning.plan import Plan

OnFailure = Literal["rollback", "keep", "delete"]
OperationKind = Literal["create", "update", "rollback", "delete", "repair"]
StackState = Literal["none", "running", "complete", "failed", "rolled_back", "interrupted", "deleted"]
"""``running``: an operation is under way and its owner lives; ``interrupted``: its owner is gone (say ``resume``)."""


class ServiceError(Exception):
    """A request that cannot be carried out; ``hint`` says what to do, ``exit_code`` is the command's (1 failed, 2 usage)."""

    def __init__(self, message: str, *, hint: str = "", exit_code: int = 1) -> None:
        super().__init__(message)
        self.hint, self.exit_code = hint, exit_code


REFUSALS = (ServiceError, StoreError)
"""How a use case says that it did not go: in words, with a hint. The store says so itself when it is locked, full or damaged under our hands."""


class NotThereError(ServiceError):
    """What the request names is not there: no such stack, resource, server, revision, host. The exit code is that of wrong use."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, exit_code=2)


class StackBusyError(ServiceError):
    """Somebody else works on the stack, or has just made it: whoever may wait tries again."""


class PlanMovedError(StackBusyError):
    """Somebody took what the plan wanted, and what would be done now is not what was shown: it is shown anew."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where state lives and which host is used; from flags, then STACKENGINE_* variables, then defaults."""

    state: str = ""
    """Path or SQLAlchemy URL; empty: the user's XDG state folder."""
    host: str = ""
    """Host URI (``memory://``, ``private://NAME``, any libvirt URI); empty: the host of the stack, else ``private://default``."""
    types: tuple[Path, ...] = ()
    """More folders of resource types (``--types``)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What ``up`` and ``plan`` are asked for."""

    name: str
    template: Path
    parameters: dict[str, Any] = field(default_factory=dict)
    """From the command line (strings) and parameter files (JSON values); later ones have won already."""
    environments: tuple[Path, ...] = ()
    targets: tuple[str, ...] = ()
    """Only these paths and what they depend on."""
    replace: tuple[str, ...] = ()
    """Paths whose next generation is forced."""
    accept_inert: bool = False
    """Resources of types that are not supported are recorded, with a notice, instead of refused."""
    policy: dict[str, Any] | None = None
    """A stack policy that counts this once in place of the stack's own."""
    adopting: tuple[str, ...] = ()
    """Ids of objects that are on the host and will be the stack's (an import): what they have is not in the way."""
    remap: bool = False
    """Ranges that the template names and others have are mapped to free ones."""
    shaped: Any = None
    """What else is decided of the desired state before it is planned and recorded: ``(session, desired, recorded, diagnostics) -> desired``."""
    ambient: dict[str, str] = field(default_factory=dict)
    """Values for parameters that the template declares and nobody gives: ``STACKENGINE_PARAM_*``."""
    workflow: str = ""
    """A workflow of the template that is run besides."""
    upgrade_images: bool = False
    """Images that are fetched are taken as they are now, not as ``stack.lock`` pins them."""
    failed: tuple[str, ...] = ()
    """Paths of the workflow that failed: what it says to do then is run in its place."""

    def given_for(self, declared: Collection[str]) -> dict[str, Any]:
        """The values for a template that declares these parameters."""
        return {**{k: v for k, v in self.ambient.items() if k in declared}, **self.parameters}


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan with everything that was needed to make it; ``up`` carries exactly this one out, or plans again when the ground has moved."""

    stack: str
    kind: OperationKind
    plan: Plan
    desired: Desired
    recorded: Recorded
    diagnostics: Diagnostics
    host: str
    """URI."""
    host_is_default: bool = False
    """No host was named or configured; one line says which is used."""
    simulated: bool = False
    from_revision: int = 0
    to_revision: int = 0
    new_stack: bool = False
    sources: tuple[Source, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    """As bound; sensitive ones are Sensitive."""
    request: Request | None = None
    prepared: Any = None
    """What carrying it out needs besides (service.operations.Prepared); not for rendering."""


@dataclass(frozen=True, slots=True)
class OperationResult:
    """How an operation ended. After a failed ``up`` that was rolled back, ``status`` is ``rolled_back`` and ``failures`` the cause."""

    operation: str
    kind: OperationKind
    status: Literal["complete", "failed", "rolled_back", "rollback_failed", "cancelled", "fenced"]
    revision: int
    failures: tuple[Failure, ...] = ()
    rollback_failures: tuple[Failure, ...] = ()
    outputs: dict[str, Any] = field(default_factory=dict)
    elapsed: float = 0.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class StackSummary:
    """One line of ``ls``."""

    name: str
    id: str
    state: StackState
    host: str
    revision: int
    language: str
    resources: int
    updated_at: float
    last_operation: str = ""
    reason: str = ""
    protected: bool = False
    hosts_down: tuple[str, ...] = ()
    """Hosts of the stack that are dead or do not run."""


@dataclass(frozen=True, slots=True)
class ResourceView:
    """One resource of ``show``."""

    path: str
    type: str
    foreign_type: str
    status: str
    power: str
    generation: int
    physical_id: str
    host: str
    properties: dict[str, Any]
    attributes: dict[str, Any]
    depends: tuple[str, ...] = ()
    protected: bool = False
    external: bool = False
    """Used, and not the stack's."""


@dataclass(frozen=True, slots=True)
class StackView:
    """What ``show`` shows."""

    summary: StackSummary
    description: str
    resources: tuple[ResourceView, ...]
    outputs: dict[str, Any]
    parameters: dict[str, Any]
    revisions: tuple[dict[str, Any], ...] = ()
    """number, created_at, status, language, template name."""


@dataclass(frozen=True, slots=True)
class HostView:
    """One line of ``hosts ls``."""

    name: str
    uri: str
    kind: Literal["private", "libvirt", "memory"]
    state: Literal["running", "stopped", "unreachable", "ready", "cordoned", "draining", "dead"]
    stacks: tuple[str, ...] = ()
    accelerator: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    facts: HostFacts | None = None
    """Of a host of the inventory: what it has, and what of it is claimed."""


@dataclass(frozen=True, slots=True)
class ImageView:
    """One line of ``images ls``."""

    name: str
    origin: Literal["built", "fetched", "file"]
    """Whether it is built on this machine, fetched from its makers, or a file of this machine."""
    held: int
    """Bytes of it that are on this machine; 0: not here yet."""
    user: str
    """The account that gets the SSH keys."""
    memory: int
    """MiB that a guest needs at least; 0: not known."""
    description: str
    added: bool = False
    """Whether it was named on this machine."""
    holders: tuple[str, ...] = ()
    """The stacks whose servers stand on it."""


@dataclass(frozen=True, slots=True)
class Freed:
    """What was removed of images, or would be."""

    bytes: int
    """Bytes that are free now."""
    things: tuple[str, ...]
    """Names of images, files and layers."""
    kept: tuple[str, ...] = ()
    """What could not be looked at, and so stays."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of ``hosts doctor``: what was looked at, how it is, and how to mend it."""

    check: str
    status: Literal["ok", "warning", "problem", "skipped"]
    message: str
    mend: str = ""
